"""How far a series spreads on weekends, where that is not as on weekdays.

Other scanners, patients and habits at weekends widen a series or narrow it as well as they shift
it. A profile of the hour takes the shift out (`detectors.seasons`); a spread that is left in would
come back each Saturday as a change. It is asked as little as the weekend's level: a difference that
is not there costs next to nothing once taken out, one that is missed raises alarms for ever.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Floats
from detectors.chi_squared import chi_squared
from detectors.dependence import dependence

_ONE_IN_20 = 1.645
LEAST_N = 50
"""Observations of a kind of day, weekdays or weekends, that tell what it is like."""


class Spread(NamedTuple):
    """The standard deviations of scores on weekdays, and on weekends."""

    weekdays: float
    weekends: float


def spread_by_day(scores: Floats, weekend: NDArray[np.bool_]) -> Spread | None:
    """Those of a sample, in the order in which it came; None where they do not differ.

    Scores are without their cycle. Squares are compared as means are, at one in twenty, with the
    dependence among them divided out.
    """
    weekends_n = int(np.count_nonzero(weekend))
    if min(weekends_n, len(scores) - weekends_n) < LEAST_N:
        return None
    squares = scores**2
    kinds = squares[~weekend], squares[weekend]
    apart = float(kinds[1].mean() - kinds[0].mean())
    error = sum(float(kind.var()) / len(kind) for kind in kinds)
    left = squares - np.where(weekend, kinds[1].mean(), kinds[0].mean())
    if not all(kind.any() for kind in kinds):
        return None
    if apart**2 <= error * dependence(left).ratio * chi_squared(1, _ONE_IN_20):
        return None
    return Spread(*(float(np.sqrt(kind.mean())) for kind in kinds))
