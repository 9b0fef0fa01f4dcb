"""Series of words, and of yes and no: a sample in the order in which it came, and its cells."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import sqrt
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

import detectors
from detectors.categories import DISTINCT_MAX, Categories
from detectors.dependence import dependence_of_categories
from detectors.overdispersion import overdispersion_of
from schemas.series import Note
from streams.agreement import counts_agree
from streams.seen import Floats, Readings, Sample, Seen, Vote
from streams.votes import Basis, States, word_votes

YES, NO = "yes", "no"
_LEAST_RELEARN_N = 60
_STRONG_DEPENDENCE = 10.0  # variance ratio from which half a reference is too short to judge by
_GOLDEN_SHARE = (sqrt(5) - 1) / 2
_DAYS_MAX = 1_000  # out of order, two days take turns; what comes after so many turns is one day
_NO_WEEKDAY = -1
Day = tuple[int, int]
"""A local day of the week, and how many observations came in it."""


class WordSample:
    """How often each word came, and in what order: a byte each, its place among the words.

    More different words than a category has, and they are names.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """In the order in which each came first."""
        self._places: dict[str, int] = {}
        self._order = bytearray()
        self.days: list[Day] = []
        """The local days of the week in which they came, and how many in each."""

    @property
    def n(self) -> int:
        """How many observations."""
        return len(self._order)

    @property
    def is_of_names(self) -> bool:
        """Whether it has more different words than a category has."""
        return len(self.counts) > DISTINCT_MAX

    def take(self, seen: Seen) -> int:
        """Let it grow, up to the word that is one too many."""
        words = cast(Sequence[str], seen.values)
        for taken, word in enumerate(words, start=1):
            self.counts[word] += 1
            place = self._places.setdefault(word, len(self._places))
            if place == DISTINCT_MAX:
                return taken
            self._order.append(place)
        self._came(seen.weekdays)
        return seen.n

    def _came(self, weekdays: NDArray[np.int64]) -> None:
        for weekday, same in groupby(weekdays.tolist()):
            last, last_n = self.days[-1] if self.days else (None, 0)
            n = len([*same])
            if last is not None and (last == weekday or len(self.days) == _DAYS_MAX):
                self.days[-1] = last, last_n + n
            else:
                self.days.append((weekday, n))

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """Whether each is the word that came first."""
        first = next(iter(self.counts), values[0])
        return [float(word == first) for word in values]

    def freeze(self) -> "WordReference":
        """The reference that it makes."""
        return WordReference(*self._frozen(self.counts))

    def written(self, start: int, stop: int | None = None) -> bytes:
        """The order from `start` to before `stop`, a byte each."""
        return bytes(self._order[start:stop])

    def read(self, counts: Mapping[str, int], order: bytes, days: Iterable[Day] = ()) -> None:
        """Take up what was written. Where no order was kept, words are spread evenly.

        There was a time when no days were kept: then all came in one, of no day of the week.
        """
        self.counts.update(counts)
        self._places = {word: place for place, word in enumerate(counts)}
        self._order += order or _spread_evenly([*counts.values()])
        self.days = [*days]
        if not self.days and self.n:
            self.days = [(_NO_WEEKDAY, self.n)]

    def _frozen(self, counts: Mapping[str, int]) -> tuple[Categories, list[Note]]:
        cells = np.frombuffer(bytes(self._order), np.uint8).astype(np.int64)
        dependence = dependence_of_categories(cells)
        weekdays, days_n = np.array(self.days).T
        overdispersion = overdispersion_of(cells, weekdays.repeat(days_n))
        notes: list[Note] = [] if dependence.promised else ["not_promised"]
        return Categories.from_counts(counts, dependence, overdispersion), notes


class YesNoSample(WordSample):
    """Yes and no, neither of which is ever news."""

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """Yes is 1."""
        return [float(word == YES) for word in values]

    def freeze(self) -> "YesNoReference":
        """The reference that it makes."""
        return YesNoReference(*self._frozen({NO: 0, YES: 0} | self.counts))


class WordReference:
    """Words are held against their shares. They are drawn as the share of the usual one."""

    usual: str

    def __init__(self, categories: Categories, notes: Iterable[Note] = ()) -> None:
        self._categories = categories
        self.ratio = categories.dependence.ratio
        self._counts = cast(dict[str, int], categories.as_counts())
        self.notes = tuple(notes)
        self.n = sum(self._counts.values())
        self.usual = next(iter(self._counts))

    @property
    def mean(self) -> float:
        """The share of the usual word."""
        return self._counts[self.usual] / self.n

    @property
    def relearn_n(self) -> int:
        """Half as many, or as many where each word follows the last."""
        strong = self.ratio > _STRONG_DEPENDENCE
        return max(_LEAST_RELEARN_N, self.n if strong else self.n // 2)

    def mean_of(self, sample: Sample) -> float:
        """The share of the usual word in a sample."""
        counts = cast(WordSample, sample).counts
        return counts[self.usual] / counts.total()

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """Whether each is the usual word."""
        return [float(word == self.usual) for word in values]

    def unseen(self, values: Floats | Sequence[str]) -> list[int]:
        """The places of the words that it does not have."""
        known = self._counts
        return [place for place, word in enumerate(values) if word not in known]

    def readings(self, seen: Seen) -> Readings:
        """Cells alone: words have no order."""
        cells = self._categories.cells(cast(Sequence[str], seen.values))
        return Readings(scores=None, cells=cells, weekdays=seen.weekdays)

    def arm(self, promise: detectors.Promise, states: States) -> dict[str, Vote]:
        """One vote, on the mixture."""
        known = self._categories
        basis = Basis(self.n, known.counts, known.dependence, known.overdispersion)
        return word_votes(promise, basis, states)

    def agrees(self, fresh: Sample) -> bool:
        """Whether a fresh sample shows no difference."""
        return counts_agree(self._counts, cast(WordSample, fresh).counts, self.ratio)

    def to_bytes(self) -> bytes:
        """The categories' own format."""
        return self._categories.to_bytes()

    @classmethod
    def read(cls, record: bytes, notes: Iterable[Note]) -> Self:
        """The reference of a record."""
        return cls(Categories.from_bytes(record), notes)


class YesNoReference(WordReference):
    """Yes and no are drawn as the share of yes."""

    def __init__(self, categories: Categories, notes: Iterable[Note] = ()) -> None:
        super().__init__(categories, notes)
        self.usual = YES

    def unseen(self, values: Floats | Sequence[str]) -> list[int]:
        """Neither is ever news."""
        return []


def _spread_evenly(counts: Sequence[int]) -> bytes:
    """An order in which nothing follows from what came before."""
    places = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    return places[((np.arange(len(places)) * _GOLDEN_SHARE) % 1).argsort()].tobytes()
