"""How much local days, and quarters of them, have levels of their own.

Staff, lists, rooms and weather move a series from day to day by little: .1 sd is far below what
blocks of a few dozen observations show, and a thousand of them a day still agree on it. Sums over
days then vary as if there were so many fewer observations, which is the variance ratio of their
means, each weighed by its observations (the design effect of Kish 1965, "Survey sampling", with the
day as the cluster).
"""

from math import sqrt

import numpy as np

from detectors._contract import Floats, Ints
from detectors.chi_squared import chi_squared

_HOURS = (6, 24)
_LEAST_FREEDOM = 5.0
_ONE_IN_20 = 1.645


def ratio_of_days(scores: Floats, weekhours: Ints, expected: float = 1.0) -> float:
    """The variance ratio that days show, or quarters of them; `expected` where it may be chance.

    Scores are in the order in which they came, with their local hours of the week, and without
    their cycle. `expected` is what shorter blocks have shown. What is beyond chance once in 20 is
    taken a standard error greater than it is estimated: one too small costs more than too great.
    """
    return max(_ratio(scores, weekhours // hours, expected) for hours in _HOURS)


def _ratio(scores: Floats, turns: Ints, expected: float) -> float:
    begins = np.flatnonzero(np.diff(turns, prepend=-1))
    sizes = np.diff(begins, append=len(turns))
    weights = sizes / len(turns)
    unevenness = float(weights @ weights)  # 1 / the number of turns, were they alike
    freedom = 1 / unevenness - 1
    variance = float(scores.var())
    if freedom < _LEAST_FREEDOM or variance <= 0:
        return expected
    means = np.add.reduceat(scores, begins) / sizes
    apart = float(weights @ (sizes * (means - scores.mean()) ** 2))
    ratio = apart / variance / (1 - unevenness)
    if ratio <= expected * chi_squared(freedom, _ONE_IN_20) / freedom:
        return expected
    return ratio * (1 + sqrt(2 / freedom))
