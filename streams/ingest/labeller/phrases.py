"""Phrases in a sentence: the longest at each place, in time that the length of a phrase bounds.

A phrase is words; `opaci*` is every word that begins so, and `...` up to four words, once, not
across a comma. There is no regular expression that could run away.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

GAP = "..."
GAP_WORDS = 4
PHRASE_WORDS = 8
PREFIX_LETTERS = 3
_KEPT_WORDS = 1 << 15
_LONGEST_WORD = 40


class Match(NamedTuple, Generic[T]):
    """A phrase was found: words `start` to before `stop`, of which `places` are its own."""

    start: int
    stop: int
    places: tuple[int, ...]
    phrase: str
    means: tuple[T, ...]


class _Node(Generic[T]):
    __slots__ = ("after_gap", "means", "phrase", "steps")

    def __init__(self) -> None:
        self.steps: dict[str, _Node[T]] = {}
        self.after_gap: _Node[T] | None = None
        self.phrase = ""
        self.means: tuple[T, ...] = ()


class Phrases(Generic[T]):
    """Many phrases, each with what it means; one phrase may mean several things."""

    def __init__(self, phrases: Iterable[tuple[str, T]]) -> None:
        self._root: _Node[T] = _Node()
        self._words: set[str] = set()
        for phrase, means in phrases:
            self._add(phrase, means)
        self._lengths = sorted({len(w) - 1 for w in self._words if w.endswith("*")})
        self._forms = lru_cache(_KEPT_WORDS)(self._find_forms)

    def _add(self, phrase: str, means: T) -> None:
        node = self._root
        for word in phrase.split():
            if word == GAP:
                node.after_gap = node.after_gap or _Node()
                node = node.after_gap
            else:
                self._words.add(word)
                node = node.steps.setdefault(word, _Node())
        node.phrase = phrase
        if means not in node.means:
            node.means += (means,)

    def _find_forms(self, word: str) -> tuple[str, ...]:
        """The word as phrases write it: itself, and with a star."""
        if len(word) > _LONGEST_WORD:
            return ()
        written = (word, *(word[:n] + "*" for n in self._lengths if n <= len(word)))
        return tuple(form for form in written if form in self._words)

    def find(self, words: Sequence[str]) -> list[Match[T]]:
        """From left to right, the longest at each place; no word belongs to two phrases."""
        found: list[Match[T]] = []
        taken: set[int] = set()
        forms = self._forms
        first = self._root.steps
        for at, word in enumerate(words):
            known = forms(word)
            if not known or at in taken or first.keys().isdisjoint(known):
                continue
            match = self._longest(words, at, taken)
            if match is not None:
                found.append(match)
                taken.update(match.places)
        return found

    def _longest(self, words: Sequence[str], start: int, taken: set[int]) -> Match[T] | None:
        """Most words of its own; of two with as many, the one that spans less."""
        best: tuple[int, int] | None = None
        match = None
        pending: list[tuple[_Node[T], int, tuple[int, ...]]] = [(self._root, start, ())]
        while pending:
            node, at, places = pending.pop()
            if node.means:
                rank = (-len(places), places[-1])
                if best is None or rank < best:
                    best = rank
                    match = Match(start, places[-1] + 1, places, node.phrase, node.means)
            for after, place in self._next(node, words, at, taken):
                pending.append((after, place + 1, (*places, place)))
        return match

    def _next(
        self, node: _Node[T], words: Sequence[str], at: int, taken: set[int]
    ) -> Iterable[tuple[_Node[T], int]]:
        """Where the walk can go from `node`, and the word that it takes."""
        reach = [(node, at)]
        if node.after_gap is not None:
            reach += [(node.after_gap, at + n) for n in range(GAP_WORDS + 1)]
        for from_node, place in reach:
            if place >= len(words):
                return
            if place not in taken:
                for form in self._forms(words[place]):
                    if form in from_node.steps:
                        yield from_node.steps[form], place
            if from_node is not node and words[place] == ",":
                return
