"""The cycle of day and week that a series follows, learnt from its reference and taken out.

Day and night, week and weekend shift many series by more than any change worth finding. The cycle
is a smooth profile of the hour of the week, four harmonics of the day and, for the weekend, a
level and two harmonics of its own, fitted to normal scores by least squares; some ten numbers from
the whole reference, where references of their own for each stretch of the week would have a few
dozen values each. It is there only where a test shows it and the sample holds enough days.

The weekend's level is not asked that much. A sample of eight days knows it to .1 sd, so a test
that errs once in a thousand misses most levels below .3 sd, and one that is left in comes back each
Saturday as a change. Taken out where there is none, it costs next to nothing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Floats, Ints
from detectors.chi_squared import chi_squared
from detectors.dependence import dependence

HOURS_OF_WEEK = 168
SATURDAY = (
    5  # the first day of the weekend, wherever it lies: days count from the first working one
)
_DAY_HARMONICS = 4
_WEEKEND_HARMONICS = 2
_ONE_IN_1000 = 3.09
_ONE_IN_20 = 1.645

Profile = NDArray[np.float32]
"""What each hour of the week, from the first working day's first, adds to a normal score."""

FLAT: Profile = np.zeros(HOURS_OF_WEEK, dtype=np.float32)


class Season(NamedTuple):
    """A profile, and the number of times that the sample went through its cycle."""

    profile: Profile
    cycles_n: int


def season(scores: Floats, weekhours: Ints) -> Season | None:
    """The cycle in a sample's normal scores, in the order in which they came; None without one.

    `weekhours` are local hours of the week, 0 to 167, the first working day first. What follows the
    day is taken to follow the week as well: its weekend's level needs no test.
    """
    days_n = 1 + int(np.count_nonzero(np.diff(weekhours // 24)))
    found, terms, left = None, np.ones((HOURS_OF_WEEK, 1)), scores - scores.mean()
    for part in _PARTS:
        if days_n < part.least_days:
            break
        more_terms = np.concatenate((terms, part.terms), axis=1)
        seen = more_terms[weekhours]
        weights = np.linalg.lstsq(seen, scores, rcond=None)[0]
        finer = scores - seen @ weights
        more = float((left @ left - finer @ finer) / finer.var())
        by_chance = dependence(finer).ratio * chi_squared(part.terms.shape[1], part.chance)
        if more > by_chance or (found is not None and part is _LEVEL):
            profile = (more_terms @ weights).astype(np.float32)
            found = Season(profile, max(days_n // part.turn_days, 1))
            terms, left = more_terms, finer
    return found


def _harmonics(hours: Floats, n: int) -> Floats:
    turns = [2 * np.pi * k * (hours + 0.5) / 24 for k in range(1, n + 1)]
    return np.stack([wave(turn) for turn in turns for wave in (np.cos, np.sin)], axis=1)


class _Part(NamedTuple):
    """Of a profile: columns over the hours of the week, and when they are taken for there."""

    terms: Floats
    least_days: int
    chance: float
    turn_days: int


_HOURS = np.arange(HOURS_OF_WEEK, dtype=np.float64)
_IS_WEEKEND = (_HOURS >= SATURDAY * 24).astype(np.float64)[:, None]
_DAY = _Part(_harmonics(_HOURS, _DAY_HARMONICS), 4, _ONE_IN_1000, 1)
# Eight days hold a whole day of the weekend. One number of ten: its error comes back with the weeks
# and still need not be counted as often as those of its harmonics (measured: decision 8).
_LEVEL = _Part(_IS_WEEKEND, 8, _ONE_IN_20, 1)
_WEEKEND = _Part(_IS_WEEKEND * _harmonics(_HOURS, _WEEKEND_HARMONICS), 8, _ONE_IN_1000, 7)
_PARTS = (_DAY, _LEVEL, _WEEKEND)
