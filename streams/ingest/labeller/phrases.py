"""Phrases in a sentence: the longest at each place, in time that the length of a phrase bounds.

A phrase is words; `opaci*` is every word that begins so, and `...` up to four words, once, not
across a comma. There is no regular expression that could run away.
"""

from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

GAP = "..."
GAP_WORDS = 4
PHRASE_WORDS = 8
PREFIX_LETTERS = 3
_KEPT_WORDS = 1 << 14
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
        self._beginnings = {w.removesuffix("*")[:PREFIX_LETTERS] for w in self._words}
        self._openings = {w.removesuffix("*")[:PREFIX_LETTERS] for w in self._root.steps}
        self._known: dict[str, tuple[str, ...]] = {}

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

    def _forms(self, word: str) -> tuple[str, ...]:
        """The word as phrases write it: itself, and with a star; () for most words.

        Only words of phrases are kept, so that no name stays in memory.
        """
        if word[:PREFIX_LETTERS] not in self._beginnings or len(word) > _LONGEST_WORD:
            return ()
        known = self._known.get(word)
        if known is None:
            written = (word, *(word[:n] + "*" for n in self._lengths if n <= len(word)))
            known = tuple(form for form in written if form in self._words)
            if known and len(self._known) < _KEPT_WORDS:
                self._known[word] = known
        return known

    def find(self, words: Sequence[str]) -> list[Match[T]]:
        """From left to right, the longest at each place; no word belongs to two phrases."""
        found: list[Match[T]] = []
        taken: set[int] = set()
        openings = self._openings
        for at, word in enumerate(words):
            if word[:PREFIX_LETTERS] not in openings or at in taken:
                continue
            match = self._longest(words, at, taken)
            if match is not None:
                found.append(match)
                taken.update(match.places)
        return found

    def _longest(self, words: Sequence[str], start: int, taken: set[int]) -> Match[T] | None:
        """Most words of its own; of two with as many, the one that spans less."""
        best = (0, 0)
        match = None
        pending = self._steps(self._root, words, start, taken, ())
        while pending:
            node, places = pending.pop()
            if node.means:
                rank = (len(places), -places[-1])
                if match is None or rank > best:
                    best = rank
                    match = Match(start, places[-1] + 1, places, node.phrase, node.means)
            at = places[-1] + 1
            if node.steps:
                pending += self._steps(node, words, at, taken, places)
            if node.after_gap is not None:
                for place in range(at, at + GAP_WORDS + 1):
                    if place >= len(words) or words[place] == ",":
                        break
                    pending += self._steps(node.after_gap, words, place, taken, places)
        return match

    def _steps(
        self,
        node: _Node[T],
        words: Sequence[str],
        at: int,
        taken: set[int],
        places: tuple[int, ...],
    ) -> list[tuple[_Node[T], tuple[int, ...]]]:
        """Where the walk can go with the word at `at`."""
        if at >= len(words) or at in taken:
            return []
        steps = node.steps
        return [(steps[form], (*places, at)) for form in self._forms(words[at]) if form in steps]
