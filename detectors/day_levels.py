"""How far local days, and their parts, have levels of their own, and scores without them.

Staff, lists, rooms and weather move a series from day to day by little, and from shift to shift: .1
sd is far below what a block of a few dozen observations shows, and a thousand a day still agree on
it. Each day has then a level of its own, drawn anew, and each quarter of it one about that: the
random effects of a nested layout (Searle, Casella & McCulloch 1992, "Variance Components"). Their
variances are measured from each day, or quarter, and the one before it (`detectors._day_variance`),
so that a change, which comes between two, is not taken for it; and they go on being measured while
the series is watched, since a reference of a few days tells little.

Scores become innovations: each less what the day's scores before it tell of its level, over how far
it may lie from that (Kalman 1960; Harvey 1989, "Forecasting, structural time series models and the
Kalman filter"). In control those are as good as independent of N(0, 1), however much days differ. A
change stands out against the first scores of each day as much as ever, and in the middle of one
more: what is lost is what no monitor can know, whether all of a day's scores are high for the
reason that the day is.

Lists of outpatients and of emergencies, a queue, a resident: the spread of a series differs from
day to day by some percent, too. Days differ by the logarithm of their variances; how far is
measured in the same way. How far squares lie from one is then drawn in, until those of whole days
add up as independent ones would: a change of the spread is believed after as many days as it takes
to stand out from days, and no sooner.
"""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np

from detectors import _day_loops
from detectors._contract import IN_FULL, Floats, Ints, State, StateUnreadable
from detectors._day_loops import PARTS_N
from detectors._day_variance import EXPECTED

SUMS_N = _day_loops.SUMS_N
_FORMAT = 3
_FORMAT_1, _FORMAT_2 = 1, 2  # without spreads, without parts
_LENGTH_2, _SPREADS_LENGTH_2 = 11, 12


class Innovations(NamedTuple):
    """Scores without the levels of days, and what each is worth to a detector: see its `run`."""

    scores: Floats
    shown: Floats
    drawn: Floats


class DayLevels:
    """What days have told so far, and the day that is filling.

    Sums are what outlasts a reference: three of the levels of days (`detectors._day_variance`),
    three of their spreads, three of the levels of their parts, by how much those add to the first,
    and three of the levels of days two apart. `variance_ratio` is that by which scores are known to
    vary within a day beyond independent ones (`detectors.dependence`), `spread_ratio` the same of
    their squares.
    """

    def __init__(
        self, sums: Sequence[float] = (), variance_ratio: float = 1.0, spread_ratio: float = 1.0
    ) -> None:
        self._ratios = np.array([variance_ratio, spread_ratio])
        self._seen = np.zeros(_day_loops.LENGTH)
        self._seen[: len(sums)] = sums
        self._seen[_day_loops.WHEN] = -PARTS_N
        _day_loops.reckon(self._seen, self._ratios)

    @property
    def sums(self) -> list[float]:
        """See the class."""
        sums: list[float] = self._seen[:SUMS_N].tolist()
        return sums

    @property
    def variance(self) -> float:
        """That of the levels of days, over that of scores within a part; 0: none shows."""
        return float(self._seen[_day_loops.OF_DAYS])

    @property
    def variance_of_parts(self) -> float:
        """The same of the levels of parts of a day."""
        return float(self._seen[_day_loops.OF_PARTS])

    @property
    def follows(self) -> float:
        """What part of a day's level is left on the next day."""
        return float(self._seen[_day_loops.FOLLOWS])

    @property
    def ratio(self) -> float:
        """So many scores of whole days are worth as much as an independent one."""
        return _day_loops.level_ratio(self._seen)

    @property
    def spread_ratio(self) -> float:
        """The same of their squares."""
        return float(self._seen[_day_loops.DRAWN]) ** -2

    def innovations(self, scores: Floats, weekhours: Ints) -> Innovations:
        """Those of the next scores, each with its local hour of the week.

        The same bits however scores are cut into calls.
        """
        told = np.empty((3, len(scores)))
        are_others = _day_loops.read(scores, weekhours, self._seen, self._ratios, told)
        found, shown, drawn = told
        return Innovations(found, shown if are_others else IN_FULL, drawn)

    def observations_for(self, independent_n: float, per_day: float) -> float:
        """See the function, by what is known of these days."""
        lasting = _day_loops.lasting_variance(self._seen)
        return observations_for(independent_n, per_day, lasting, self.variance_of_parts)

    def held_against(
        self, sums: Sequence[float], variance_ratio: float, spread_ratio: float
    ) -> "DayLevels":
        """What goes on under another reference: what is known of days, its own sums if more."""
        known = self.sums
        more = sums if len(sums) and sums[EXPECTED] > known[EXPECTED] else known
        return DayLevels(more, variance_ratio, spread_ratio)

    def end_day(self) -> None:
        """What comes is of another day."""
        _day_loops.end_part(self._seen, self._ratios)
        _day_loops.end_day(self._seen, self._ratios)
        _day_loops.expect(self._seen)

    def forget_days(self) -> None:
        """What comes is not to be compared with the day that is filling, or the one before."""
        self._seen[_day_loops.PART :] = 0.0
        _day_loops.expect(self._seen)

    def copy(self) -> "DayLevels":
        """As it is now."""
        other = DayLevels.__new__(DayLevels)
        other._seen, other._ratios = self._seen.copy(), self._ratios
        return other

    def go_back_to(self, earlier: "DayLevels") -> None:
        """Forget what came since."""
        self._seen[:] = earlier._seen

    def state(self) -> State:
        """Plain numbers: the sums, what they tell, two parts, three days, and what is expected."""
        return {"format": _FORMAT, "ratios": self._ratios.tolist(), "seen": self._seen.tolist()}

    @classmethod
    def restore(cls, state: State) -> "DayLevels":
        """Go on by a state. Raises StateUnreadable; format 1 had no spreads, 2 no parts of days."""
        try:
            if state.get("format") in (_FORMAT_1, _FORMAT_2):
                return cls._restore_2(state)
            levels = cls((), *state["ratios"])
            if state.get("format") != _FORMAT or len(state["seen"]) != len(levels._seen):
                raise ValueError("another format")
            levels._seen[:] = state["seen"]
        except (KeyError, TypeError, ValueError) as error:
            raise StateUnreadable("not the levels of days of format 1 to 3") from error
        return levels

    @classmethod
    def _restore_2(cls, state: State) -> "DayLevels":
        """The day that is filling is taken for a part that is over."""
        seen, spreads = state["seen"], state.get("spreads", [1.0] + [0.0] * (_SPREADS_LENGTH_2 - 1))
        if len(seen) != _LENGTH_2 or len(spreads) != _SPREADS_LENGTH_2:
            raise ValueError("another length")
        sums, weekday, day, before = seen[:3], seen[4], seen[5:8], seen[8:]
        levels = cls([*sums, *spreads[1:4]], state["ratio"], spreads[0])
        levels._seen[_day_loops.WHEN] = weekday * PARTS_N
        part = slice(_day_loops.PART, _day_loops.PART + len(day))
        levels._seen[part] = before
        levels.end_day()
        levels._seen[part] = day
        _day_loops.end_part(levels._seen, levels._ratios)
        _day_loops.expect(levels._seen)
        return levels


def day_sums(
    scores: Floats, weekhours: Ints, variance_ratio: float = 1.0, spread_ratio: float = 1.0
) -> list[float]:
    """The sums of a sample, in the order in which it came; each with its local hour of the week."""
    levels = DayLevels((), variance_ratio, spread_ratio)
    levels.innovations(scores, weekhours)
    levels.end_day()
    return levels.sums


def are_sums(sums: Sequence[float]) -> bool:
    """Whether these are sums of days."""
    return len(sums) == SUMS_N and all(0 <= number < inf for number in sums)


def observations_for(
    independent_n: float, per_day: float, of_days: float, of_parts: float = 0.0
) -> float:
    """How many observations after a lasting change tell as much as so many independent ones.

    It comes in the middle of a part, in the middle of a day. k of a block after n others of it are
    worth k (1 + n v) / (1 + (n + k) v), v the variance of levels of blocks.

    >>> round(observations_for(50, 1000, 0.0)), round(observations_for(50, 1000, 0.01))
    (50, 55)
    >>> round(observations_for(500, 1000, 0.01)), round(observations_for(500, 1000, 0.0, 0.01))
    (2583, 1750)
    """
    per_part = per_day / PARTS_N
    if of_parts > 0 and independent_n <= _rest_of(per_part, of_parts)[1]:
        return _within(independent_n, per_part, of_parts)
    ratio = 1 + per_part * of_parts
    wanted, of_days = independent_n * ratio, of_days / ratio
    half, among = _rest_of(per_day, of_days)
    if wanted <= among:
        return _within(wanted, per_day, of_days)
    days, left = divmod(wanted - among, per_day / (1 + per_day * of_days))
    return half + days * per_day + left / (1 - left * of_days)


def _rest_of(block_n: float, variance: float) -> tuple[float, float]:
    """From the middle of a block on: how many are left of it, and what they are worth."""
    half = block_n / 2
    known = 1 + half * variance
    return half, half * known / (known + half * variance)


def _within(independent_n: float, block_n: float, variance: float) -> float:
    known = 1 + block_n / 2 * variance
    return independent_n * known / (known - independent_n * variance)
