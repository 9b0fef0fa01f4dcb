"""Series of words, and of yes and no: a sample in the order in which it came."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import sqrt
from typing import cast

import numpy as np
from numpy.typing import NDArray

from detectors.categories import DISTINCT_MAX
from schemas.series import Note
from streams.series.seen import Floats, Seen
from streams.series.week import usual_days
from streams.series.word_reference import NO, YES, Counted, WordReference, YesNoReference

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

    def freeze(self, *, of_usual_days: bool = False, notes: Sequence[Note] = ()) -> "WordReference":
        """The reference that it makes, or that its usual kind of day does."""
        counted, kind = self._usual(of_usual_days=of_usual_days)
        return WordReference.learn(counted, [*notes, *kind])

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

    def counted(self) -> Counted:
        """Its words in the order in which they came, with their days of the week."""
        places = np.frombuffer(bytes(self._order), np.uint8).astype(np.int64)
        turns, turns_n = np.array(self.days).T
        return Counted([*self._places], places, turns.repeat(turns_n))

    def _usual(self, *, of_usual_days: bool) -> tuple[Counted, list[Note]]:
        """All of it, or that of its usual kind of day, which the note tells."""
        counted = self.counted()
        usual = usual_days(counted.weekdays) if of_usual_days else None
        return (counted, []) if usual is None else (counted.part(usual.mine), [usual.note])


class YesNoSample(WordSample):
    """Yes and no, neither of which is ever news."""

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """Yes is 1."""
        return [float(word == YES) for word in values]

    def freeze(
        self, *, of_usual_days: bool = False, notes: Sequence[Note] = ()
    ) -> "YesNoReference":
        """The reference that it makes, or that its usual kind of day does."""
        counted, kind = self._usual(of_usual_days=of_usual_days)
        words = [*counted.words, *(word for word in (NO, YES) if word not in counted.words)]
        return YesNoReference.learn(counted._replace(words=words), [*notes, *kind])


def _spread_evenly(counts: Sequence[int]) -> bytes:
    """An order in which nothing follows from what came before."""
    places = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    return places[((np.arange(len(places)) * _GOLDEN_SHARE) % 1).argsort()].tobytes()
