"""Phrases in a sentence: the longest at each place, in time that the length of a phrase bounds.

A phrase is words; `opaci*` is every word that begins so, and `...` up to four words, once, not
across a comma. There is no regular expression that could run away.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

from streams.ingest.labeller.vocabulary import PREFIX_LETTERS, Forms, Vocabulary

__all__ = ["COMMA", "GAP", "PHRASE_WORDS", "PREFIX_LETTERS", "Match", "Phrases", "Words"]

T = TypeVar("T")

GAP = "..."
COMMA = ","
GAP_WORDS = 4
PHRASE_WORDS = 8


class Words(NamedTuple):
    """Words of a text in lower case, and each as phrases write it."""

    words: Sequence[str]
    forms: Sequence[Forms]


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

    def leads_on(self, forms: Forms) -> bool:
        """Whether a phrase may end here, or go on with the next word; most do neither."""
        is_open = self.means or self.after_gap is not None
        return bool(is_open) or not self.steps.keys().isdisjoint(forms)


_Walk = tuple[_Node[T], tuple[int, ...]]


class Phrases(Generic[T]):
    """Many phrases, each with what it means; one phrase may mean several things."""

    def __init__(self, phrases: Iterable[tuple[str, T]], vocabulary: Vocabulary) -> None:
        self._root: _Node[T] = _Node()
        for phrase, means in phrases:
            self._add(phrase, means, vocabulary)

    def _add(self, phrase: str, means: T, vocabulary: Vocabulary) -> None:
        node = self._root
        for word in phrase.split():
            if word == GAP:
                node.after_gap = node.after_gap or _Node()
                node = node.after_gap
            else:
                vocabulary.learn(word)
                node = node.steps.setdefault(word, _Node())
        node.phrase = phrase
        if means not in node.means:
            node.means += (means,)

    def find(self, sentence: Words) -> list[Match[T]]:
        """From left to right, the longest at each place; no word belongs to two phrases."""
        found: list[Match[T]] = []
        taken: set[int] = set()
        openings = self._root.steps
        for at, (forms, following) in enumerate(pairwise((*sentence.forms, ()))):
            for form in forms:
                node = openings.get(form)
                if node is not None and node.leads_on(following) and at not in taken:
                    match = self._longest(sentence, at, taken)
                    if match is not None:
                        found.append(match)
                        taken.update(match.places)
                    break
        return found

    def opening(self, sentence: Words) -> Match[T] | None:
        """The longest that the sentence begins with."""
        if not sentence.forms or self._root.steps.keys().isdisjoint(sentence.forms[0]):
            return None
        return self._longest(sentence, 0, set())

    def _longest(self, sentence: Words, start: int, taken: set[int]) -> Match[T] | None:
        """Most words of its own; of two with as many, the one that spans less."""
        words, forms = sentence
        n = len(words)
        best = (0, 0)
        longest: _Walk[T] | None = None
        pending: list[_Walk[T]] = []
        _step(self._root, forms[start], start, (), pending)
        while pending:
            node, places = pending.pop()
            at = places[-1] + 1
            if node.means and (len(places), -at) > best:
                best = (len(places), -at)
                longest = node, places
            if at >= n:
                continue
            if node.steps and forms[at] and at not in taken:
                _step(node, forms[at], at, places, pending)
            if node.after_gap is not None:
                for place in range(at, min(at + GAP_WORDS + 1, n)):
                    if words[place] == COMMA:
                        break
                    if forms[place] and place not in taken:
                        _step(node.after_gap, forms[place], place, places, pending)
        if longest is None:
            return None
        node, places = longest
        return Match(start, places[-1] + 1, places, node.phrase, node.means)


def _step(
    node: _Node[T], forms: Forms, at: int, places: tuple[int, ...], pending: list[_Walk[T]]
) -> None:
    """Where the walk can go with the word at `at`."""
    steps = node.steps
    for form in forms:
        following = steps.get(form)
        if following is not None:
            pending.append((following, (*places, at)))
