"""A mixture held against that of its own kind of day: weekdays, or weekends.

Each kind has a CatSR of its own with the whole promise, and is fed the time of its own days: a day
counts for one of them, and so their false alarms together are those of one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import detectors
from detectors.cat_sr import CategoryDetector
from detectors.overdispersion import Sums, more_of, sums_of
from streams.series.seen import NO_COUNTS, Counts, Floats, Readings
from streams.series.week import alike_n, is_weekend

_FORMAT = 1
TOLD = "told"
"""What blocks have told, in a state of which nothing else means anything any more."""
_TURNS_KEPT = 60  # of half a year


class CellBasis(NamedTuple):
    """What is known of the cells of a mixture."""

    counts: Sequence[int]
    """How often each occurred."""
    ratio: float
    overdispersion: Sequence[Sequence[float]] = ()
    """What blocks of them told."""
    per_day: float = 0.0
    """About how many come on one."""

    def detector(self, days: float, state: detectors.State | None = None) -> CategoryDetector:
        """With this promise; StateUnreadable if the state is not one of it."""
        counts, ratio, told, per_day = self
        if state is None:
            return CategoryDetector(days, counts, ratio, told, per_day)
        return CategoryDetector.restore(days, counts, state, ratio, told, per_day)

    def knowing(self, told: Sums) -> "CellBasis":
        """What blocks told under another reference goes on, unless those of this one told more."""
        return self._replace(overdispersion=more_of(self.overdispersion, told))


ByDay = tuple[CellBasis, CellBasis]
"""Of weekdays, and of weekends."""


def told(state: detectors.State) -> list[Sums]:
    """What blocks have told by a state of either kind of vote: of all days, or of each kind."""
    if TOLD in state:
        return [*state[TOLD]]
    return [sums_of(one["blocks"]) for one in state.get("by_day", [state]) if "blocks" in one]


def carried(states: Mapping[str, detectors.State]) -> dict[str, detectors.State]:
    """What of states means something under any reference: what blocks have told."""
    return {kind: {TOLD: told(state)} for kind, state in states.items() if told(state)}


class _Turn(NamedTuple):
    weekend: bool
    n: int


class VoteByDay:
    """A vote: see streams.series.seen.Vote."""

    def __init__(self, days: float, by_day: ByDay) -> None:
        self.threshold = days
        self._detectors = tuple(basis.detector(days) for basis in by_day)
        self._turns: list[_Turn] = []
        self._found: CategoryDetector | None = None

    @classmethod
    def resume(cls, days: float, by_day: ByDay, state: detectors.State | None) -> "VoteByDay":
        """One with a readable state goes on, another begins anew."""
        if state is not None and len(known := state.get(TOLD, ())) == len(by_day):
            weekdays, weekends = (
                one.knowing(sums) for one, sums in zip(by_day, known, strict=True)
            )
            by_day = weekdays, weekends
        vote = cls(days, by_day)
        if state is None or state.get("format") != _FORMAT or "by_day" not in state:
            return vote
        with suppress(detectors.StateUnreadable):
            vote._detectors = tuple(
                basis.detector(days, told)
                for basis, told in zip(by_day, state["by_day"], strict=True)
            )
            vote._turns = [_Turn(*turn) for turn in state["turns"]]
        return vote

    def run(self, readings: Readings, days: Floats) -> int | None:
        """See streams.series.seen.Vote."""
        for start, stop, weekend in _turns(readings):
            part, detector = readings.part(start, stop), self._detectors[weekend]
            index = detector.run(part.cells, days[start:stop], part.weekdays)
            self._take(_Turn(weekend, stop - start if index is None else index + 1))
            if index is not None:
                self._found = detector
                return start + index
        return None

    @property
    def statistic(self) -> float:
        """Of the days that say more."""
        return max(detector.statistic for detector in self._detectors)

    @property
    def changed_n(self) -> int:
        """Those of other days in between are counted, too."""
        if self._found is None:
            return 0
        own_n, weekend, n = self._found.changed_n, self._found is self._detectors[True], 0
        for turn in reversed(self._turns):
            if own_n <= 0:
                break
            if turn.weekend == weekend:
                n, own_n = n + min(turn.n, own_n), own_n - turn.n
            else:
                n += turn.n
        return n

    @property
    def counts(self) -> Counts:
        """Those of the days that alarmed."""
        return NO_COUNTS if self._found is None else self._found.counts

    def learnt(self) -> detectors.State:
        """What blocks of observations have told, of both."""
        for detector in self._detectors:
            detector.begin_anew()
        self._turns, self._found = [], None
        return self.state()

    def state(self) -> detectors.State:
        """See streams.series.seen.Vote."""
        return {
            "format": _FORMAT,
            "by_day": [detector.state() for detector in self._detectors],
            "turns": [[*turn] for turn in self._turns],
        }

    def _take(self, turn: _Turn) -> None:
        if self._turns and self._turns[-1].weekend == turn.weekend:
            turn = _Turn(turn.weekend, self._turns.pop().n + turn.n)
        self._turns = [*self._turns[1 - _TURNS_KEPT :], turn]


def _turns(readings: Readings) -> Iterator[tuple[int, int, bool]]:
    """From where to before where the days are of one kind, and of which."""
    weekend = is_weekend(readings.weekdays)
    start = 0
    while start < len(weekend):
        stop = start + alike_n(weekend[start:])
        yield start, stop, bool(weekend[start])
        start = stop
