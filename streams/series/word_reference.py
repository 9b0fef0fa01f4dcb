"""The frozen reference of a series of words, or of yes and no: their shares.

Where those of weekends are others than those of weekdays, words are held against their own kind of
day. A share of 10 % on weekdays and 15 % on weekends, a thousand a day, came back each Saturday as
a change, or as a dependence that hid every other one.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple, Protocol, Self, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

import detectors
from detectors import Dependence, StateUnreadable
from detectors.categories import Categories
from detectors.day_levels import DayLevels
from detectors.dependence import dependence_of_categories
from detectors.overdispersion import are_sums, overdispersion_of, ratio_told, together
from detectors.weekend_spread import LEAST_N
from schemas.series import Note
from streams.series.agreement import counts_agree, days_differ, shares_apart
from streams.series.seen import (
    NO_STATES,
    Counts,
    Floats,
    Moved,
    Readings,
    Sample,
    Seen,
    States,
    Vote,
)
from streams.series.vote_by_day import CellBasis, told
from streams.series.votes import MIXTURE, Basis, word_votes
from streams.series.week import is_weekend

YES, NO = "yes", "no"
_FORMAT = 4  # after those of Categories, for a reference without kinds of days


class Counted(NamedTuple):
    """Words in the order in which they came: the place of each in `words`, its day of the week."""

    words: Sequence[str]
    places: NDArray[np.int64]
    weekdays: NDArray[np.int64]

    def part(self, mine: NDArray[np.bool_]) -> "Counted":
        """Some of them."""
        return Counted(self.words, self.places[mine], self.weekdays[mine])

    @property
    def per_day(self) -> float:
        """How many came on a day, on average."""
        turns_n = 1 + np.count_nonzero(np.diff(self.weekdays))
        return len(self.weekdays) / turns_n

    def counts(self) -> dict[str, int]:
        """How often each word came; those that did not come included."""
        counts = np.bincount(self.places, minlength=len(self.words)).tolist()
        return dict(zip(self.words, counts, strict=True))

    def by_day(self) -> "tuple[Counted, Counted]":
        """Those of weekdays, and those of weekends."""
        weekend = is_weekend(self.weekdays)
        return self.part(~weekend), self.part(weekend)


class _Part(msgspec.Struct, array_like=True, frozen=True):
    """Of one kind of day: how often each cell of all days came, and what was measured of it."""

    counts: list[int]
    dependence: Dependence
    overdispersion: list[list[float]]

    @property
    def basis(self) -> CellBasis:
        """For its vote."""
        return CellBasis(self.counts, self.dependence.ratio, self.overdispersion)


_Parts = tuple[_Part, _Part]
"""Of weekdays, and of weekends."""


class _Record(msgspec.Struct, array_like=True):
    format: int
    of_all: bytes
    by_day: _Parts


class WordReference:
    """Words are held against their shares. They are drawn as the share of the usual one."""

    usual: str

    def __init__(
        self, categories: Categories, notes: Iterable[Note] = (), by_day: _Parts | None = None
    ) -> None:
        self._categories = categories
        self._by_day = by_day
        parts = [part.dependence for part in by_day or ()] or [categories.dependence]
        self.ratio = max(dependence.ratio for dependence in parts)
        self._counts = cast(dict[str, int], categories.as_counts())
        self.notes = tuple(notes)
        self.n = sum(self._counts.values())
        self.usual = next(iter(self._counts))

    @classmethod
    def learn(cls, counted: Counted, notes: Iterable[Note] = ()) -> Self:
        """Of a sample; by kinds of days where those show a difference."""
        dependence = dependence_of_categories(counted.places, counted.per_day)
        overdispersion = overdispersion_of(counted.places, counted.weekdays)
        categories = Categories.from_counts(counted.counts(), dependence, overdispersion)
        by_day = _by_day(categories, counted)
        notes = [*notes]
        if by_day is None and not dependence.promised:
            notes.append("not_promised")
        return cls(categories, notes, by_day)

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each word came."""
        return self._counts

    @property
    def mean(self) -> float:
        """The share of the usual word."""
        return self._counts[self.usual] / self.n

    def moved(self, counts: Counts) -> Moved | None:
        """The word of the cell whose share differs most."""
        known_n, since_n = map(sum, counts)
        if not known_n or not since_n:
            return None
        shares = [(then / known_n, now / since_n) for then, now in zip(*counts, strict=True)]
        cell = max(range(len(shares)), key=lambda each: abs(shares[each][1] - shares[each][0]))
        return Moved(cast(str | None, self._categories.value(cell)), *shares[cell])

    def moved_in(self, sample: Sample) -> Moved | None:
        """The same of a sample, on the kind of day that it has more of."""
        known, now = self._categories.counts, cast(_Countable, sample).counted()
        if self._by_day is not None:
            kinds = zip(self._by_day, now.by_day(), strict=True)
            part, now = max(kinds, key=lambda kind: len(kind[1].places))
            known = tuple(part.counts)
        return self.moved((known, _cell_counts(self._categories, now)))

    def mean_of(self, sample: Sample) -> float:
        """The share of the usual word in a sample."""
        counts = cast(_Countable, sample).counted().counts()
        return counts.get(self.usual, 0) / sample.n

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
        return Readings(scores=None, cells=cells, weekhours=seen.weekhours.astype(np.int64))

    def arm(
        self, promise: detectors.Promise, states: States, levels: DayLevels | None = None
    ) -> dict[str, Vote]:
        """One vote, on the mixture."""
        known, dependence = self._categories, self._categories.dependence
        cells = CellBasis(known.counts, dependence.ratio, known.overdispersion)
        by_day = self._by_day and (self._by_day[0].basis, self._by_day[1].basis)
        return word_votes(promise, Basis(self.n, cells, dependence, by_day), states)

    def levels(self, known: DayLevels | None) -> None:
        """CatSR has a measure of its own."""

    def levelled(self, readings: Readings, levels: DayLevels | None) -> Readings:
        """As they are."""
        return readings

    def tell(self, sample: Sample, levels: DayLevels | None, *, again: bool) -> None:
        """CatSR is fed nothing while it relearns."""

    def agrees(
        self, fresh: Sample, levels: DayLevels | None = None, states: States = NO_STATES
    ) -> bool:
        """Whether a fresh sample shows no difference, on either kind of day."""
        counted = cast(_Countable, fresh).counted()
        days = told(states.get(MIXTURE, {}))
        days_ratio = max([1.0, *(ratio_told(sums, self._categories.counts) for sums in days)])
        if self._by_day is None:
            return counts_agree(self._counts, counted.counts(), max(self.ratio, days_ratio))
        return all(
            counts_agree(
                dict(enumerate(part.counts)),
                dict(enumerate(_cell_counts(self._categories, now))),
                max(part.dependence.ratio, days_ratio),
            )
            for part, now in zip(self._by_day, counted.by_day(), strict=True)
            if len(now.places)
        )

    def apart(self, fresh: Sample) -> float:
        """By total variation."""
        return shares_apart(self._counts, cast(_Countable, fresh).counted().counts())

    def to_bytes(self) -> bytes:
        """The categories' own format, or one with both kinds of days."""
        of_all = self._categories.to_bytes()
        if self._by_day is None:
            return of_all
        return msgspec.msgpack.encode(_Record(_FORMAT, of_all, self._by_day))

    @classmethod
    def read(cls, record: bytes, notes: Iterable[Note]) -> Self:
        """The reference of a record. Raises StateUnreadable."""
        try:
            read = msgspec.msgpack.decode(record, type=_Record)
        except msgspec.MsgspecError:
            return cls(Categories.from_bytes(record), notes)
        categories = Categories.from_bytes(read.of_all)
        if read.format != _FORMAT or not all(_is_sound(categories, one) for one in read.by_day):
            raise StateUnreadable("not a record of words by kinds of days")
        return cls(categories, notes, read.by_day)


class YesNoReference(WordReference):
    """Yes and no are drawn as the share of yes."""

    def __init__(
        self, categories: Categories, notes: Iterable[Note] = (), by_day: _Parts | None = None
    ) -> None:
        super().__init__(categories, notes, by_day)
        self.usual = YES

    def unseen(self, values: Floats | Sequence[str]) -> list[int]:
        """Neither is ever news."""
        return []

    def moved(self, counts: Counts) -> None:
        """Its mean says it."""


class _Countable(Protocol):
    def counted(self) -> Counted:
        """The words of a sample, with their days."""


def _by_day(categories: Categories, counted: Counted) -> _Parts | None:
    """Both kinds of days, if there is enough of each and their shares differ."""
    if (counted.weekdays < 0).any() or any(len(one.places) < LEAST_N for one in counted.by_day()):
        return None
    weekdays, weekends = (_part(categories, one) for one in counted.by_day())
    sums = together([weekdays.overdispersion, weekends.overdispersion])
    of_days = ratio_told(sums, categories.counts)
    ratio = max(weekdays.dependence.ratio, weekends.dependence.ratio, of_days)
    measured = weekdays.dependence.promised and weekends.dependence.promised
    differ = days_differ(weekdays.counts, weekends.counts, ratio)
    return (weekdays, weekends) if measured and differ else None


def _part(categories: Categories, counted: Counted) -> _Part:
    dependence = dependence_of_categories(counted.places, counted.per_day)
    overdispersion = overdispersion_of(counted.places, counted.weekdays)
    return _Part(_cell_counts(categories, counted), dependence, overdispersion)


def _cell_counts(categories: Categories, counted: Counted) -> list[int]:
    cells = categories.cells(counted.words)[counted.places]
    counts: list[int] = np.bincount(cells, minlength=len(categories.counts)).tolist()
    return counts


def _is_sound(categories: Categories, part: _Part) -> bool:
    return (
        len(part.counts) == len(categories.counts)
        and min(part.counts) >= 0
        and sum(part.counts) > 0
        and 1 <= part.dependence.ratio < inf
        and are_sums(part.overdispersion)
    )
