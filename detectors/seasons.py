"""Hours of the week that are held against references of their own, where a series follows them.

Day and night, week and weekend shift many series by more than any change worth finding. Each
stratum, a stretch of the day on working days, at weekends or on both, then has its own ranks.
Strata are paid for: each reference is smaller. So there are some only where a test shows a cycle,
over enough days to be one, and no stratum has fewer than 250 values.
"""

from collections.abc import Callable
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Floats, Ints
from detectors.dependence import dependence

HOURS_OF_WEEK = 168
LEAST_N = 250
_BLOCK_H = 3
_BLOCKS = 24 // _BLOCK_H
_LEAST_DAYS = 4
_LEAST_DAYS_OF_WEEK = 7
_ONE_IN_1000 = 3.09

Strata = NDArray[np.uint8]
"""The stratum of each hour of the week; all 0 where there is but one."""


def strata(scores: Floats, weekhours: Ints) -> Strata:
    """The strata that a sample shows to be needed: its normal scores, in the order they came.

    `weekhours` are local hours of the week, 0 to 167, Monday first.
    """
    days_n = 1 + int(np.count_nonzero(np.diff(weekhours // 24)))
    chosen, explained = np.zeros(HOURS_OF_WEEK, dtype=np.uint8), 0.0
    candidates: tuple[tuple[int, Callable[[Ints], Strata]], ...] = (
        (_LEAST_DAYS, _by_hour),
        (_LEAST_DAYS_OF_WEEK, _by_hour_and_weekend),
    )
    for least_days, candidate in candidates:
        finer = candidate(weekhours)
        freedom = int(finer.max()) - int(chosen.max())
        if days_n < least_days or freedom < 1:
            continue
        more, ratio = _explained(scores, finer[weekhours])
        if more - explained > ratio * _chi_squared(freedom):
            chosen, explained = finer, more
    return chosen


def _by_hour(weekhours: Ints) -> Strata:
    return _strata_of(_merged(_counts(weekhours, np.zeros(HOURS_OF_WEEK, dtype=bool))))


def _by_hour_and_weekend(weekhours: Ints) -> Strata:
    weekend = np.arange(HOURS_OF_WEEK) >= 5 * 24
    found = _strata_of(_merged(_counts(weekhours, weekend)))
    if np.count_nonzero(weekend[weekhours]) < LEAST_N:
        return found
    at_weekend = _strata_of(_merged(_counts(weekhours, ~weekend))) + found.max() + 1
    return np.where(weekend, at_weekend, found).astype(np.uint8)


def _counts(weekhours: Ints, left_out: NDArray[np.bool_]) -> Ints:
    blocks = weekhours[~left_out[weekhours]] % 24 // _BLOCK_H
    return np.bincount(blocks, minlength=_BLOCKS)


def _merged(counts: Ints) -> list[list[int]]:
    """Blocks of the day, neighbours joined until each group has enough values."""
    groups = [([block], int(n)) for block, n in enumerate(counts)]
    while len(groups) > 1 and min(n for _, n in groups) < LEAST_N:
        least = min(range(len(groups)), key=lambda i: groups[i][1])
        before, after = groups[least - 1], groups[(least + 1) % len(groups)]
        other = (least - 1) % len(groups) if before[1] < after[1] else (least + 1) % len(groups)
        first, second = min(least, other), max(least, other)
        blocks, n = groups.pop(second)
        groups[first] = (groups[first][0] + blocks, groups[first][1] + n)
    return [blocks for blocks, _ in groups]


def _strata_of(groups: list[list[int]]) -> Strata:
    of_block = np.empty(_BLOCKS, dtype=np.uint8)
    for stratum, blocks in enumerate(groups):
        of_block[blocks] = stratum
    return of_block[np.arange(HOURS_OF_WEEK) % 24 // _BLOCK_H]


def _explained(scores: Floats, stratum: Strata) -> tuple[float, float]:
    """Sum of squares between strata, and the variance ratio of what is left within them."""
    n = np.bincount(stratum)
    means = np.bincount(stratum, weights=scores) / np.maximum(n, 1)
    left = scores - means[stratum]
    between = float((n * (means - scores.mean()) ** 2).sum())
    return between / float(left.var()), dependence(left).ratio


def _chi_squared(freedom: int) -> float:
    """What chi-squared exceeds once in a thousand (Wilson & Hilferty 1931)."""
    part = 2 / (9 * freedom)
    return freedom * (1 - part + _ONE_IN_1000 * sqrt(part)) ** 3
