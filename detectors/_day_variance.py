"""The variance between days, or parts of them, told by how far each differs from the one before.

Three sums tell it: squared differences, what they would be by chance, and the variance of that,
each difference weighed by how many observations lie behind it (von Neumann 1941, "Distribution of
the ratio of the mean square successive difference to the variance").
"""

from math import sqrt

from detectors._compiled import compiled
from detectors._contract import Floats
from detectors.chi_squared import chi_squared_in_loops

DIFFERENCES, EXPECTED, VARIANCE = range(3)
SUMS_N = 3
_LEAST_FREEDOM = 4.0  # of eight days, of which the first and the last need not be whole
ONE_IN_6, ONE_IN_44 = 1.0, 2.0
_ASSUMED_FREEDOM = 3.0


@compiled
def day_variance(
    sums: Floats, per_day: float, beside: float, assumed: float, seldom: float
) -> float:
    """That of days over that of single observations, where it shows beyond chance that `seldom`.

    `per_day` is how many observations tell of a day, `beside` the ratio of differences to chance
    that is known without it. Taken a standard error greater than it is estimated: one too small
    costs more than one too great. `assumed` is it when the first two days are over, and ever less
    as more come.
    """
    expected, variance = sums[EXPECTED], sums[VARIANCE]
    freedom = 2 * expected * expected / variance if variance > 0 else 0.0
    fading = _ASSUMED_FREEDOM / (_ASSUMED_FREEDOM + freedom)
    assumed = assumed * fading if variance > 0 else 0.0
    if freedom < _LEAST_FREEDOM:
        return assumed
    ratio, error = sums[DIFFERENCES] / expected / beside, sqrt(variance) / expected
    if ratio * freedom <= chi_squared_in_loops(freedom, seldom):
        return assumed
    return max(assumed, float((ratio * (1 + error) - 1) * beside / per_day))


@compiled
def day_n(sums: Floats) -> float:
    """How many observations a day or part has, of those that count; 0 before two are over."""
    expected = sums[EXPECTED]
    return float(sums[VARIANCE] / 3 / expected) if expected > 0 else 0.0
