"""The cycle of day and week that a series follows, learnt from its reference and taken out.

Day and night, week and weekend shift many series by more than any change worth finding. The cycle
is a smooth profile of the hour of the week, four harmonics of the day and, for the weekend, a
level and two harmonics of its own, fitted to normal scores by least squares; some ten numbers from
the whole reference, where references of their own for each stretch of the week would have a few
dozen values each. It is there only where a test shows it and the sample holds enough days.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Floats, Ints
from detectors.dependence import dependence

HOURS_OF_WEEK = 168
_DAY_HARMONICS = 4
_WEEKEND_HARMONICS = 2
_LEAST_DAYS = 4
_LEAST_DAYS_OF_WEEK = 7
_ONE_IN_1000 = 3.09

Profile = NDArray[np.float32]
"""What each hour of the week, from Monday's first, adds to a normal score."""

FLAT: Profile = np.zeros(HOURS_OF_WEEK, dtype=np.float32)


class Season(NamedTuple):
    """A profile, and the number of times that the sample went through its cycle."""

    profile: Profile
    cycles_n: int


def season(scores: Floats, weekhours: Ints) -> Season | None:
    """The cycle in a sample's normal scores, in the order in which they came; None without one.

    `weekhours` are local hours of the week, 0 to 167, Monday first.
    """
    days_n = 1 + int(np.count_nonzero(np.diff(weekhours // 24)))
    found, left, used = None, scores - scores.mean(), 1
    cycles = ((_LEAST_DAYS, _DAY, days_n), (_LEAST_DAYS_OF_WEEK, _WEEK, max(days_n // 7, 1)))
    for least_days, terms, cycles_n in cycles:
        if days_n < least_days:
            break
        seen = terms[weekhours]
        weights = np.linalg.lstsq(seen, scores, rcond=None)[0]
        finer = scores - seen @ weights
        more = float((left @ left - finer @ finer) / finer.var())
        if more > dependence(finer).ratio * _chi_squared(terms.shape[1] - used):
            profile = (terms @ weights).astype(np.float32)
            found, left, used = Season(profile, cycles_n), finer, terms.shape[1]
    return found


def _harmonics(hours: Floats, n: int) -> list[Floats]:
    turns = [2 * np.pi * k * (hours + 0.5) / 24 for k in range(1, n + 1)]
    return [wave(turn) for turn in turns for wave in (np.cos, np.sin)]


def _chi_squared(freedom: int) -> float:
    """What chi-squared exceeds once in a thousand (Wilson & Hilferty 1931)."""
    part = 2 / (9 * freedom)
    return freedom * (1 - part + _ONE_IN_1000 * sqrt(part)) ** 3


_HOURS = np.arange(HOURS_OF_WEEK, dtype=np.float64)
_DAY = np.stack([np.ones(HOURS_OF_WEEK), *_harmonics(_HOURS, _DAY_HARMONICS)], axis=1)
_WEEKEND = (_HOURS >= 5 * 24).astype(np.float64)
_WEEK = np.concatenate(
    [
        _DAY,
        _WEEKEND[:, None],
        np.stack([_WEEKEND * wave for wave in _harmonics(_HOURS, _WEEKEND_HARMONICS)], axis=1),
    ],
    axis=1,
)
