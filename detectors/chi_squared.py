"""The upper quantiles of chi-squared, nearly: Wilson and Hilferty 1931."""

from math import sqrt

from detectors._compiled import compiled


def chi_squared(freedom: float, normal: float) -> float:
    """What it exceeds as often as a standard normal variable exceeds `normal`.

    >>> round(chi_squared(1, 2.326), 2), round(chi_squared(10, 2.326), 2)
    (6.58, 23.24)
    """
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + normal * sqrt(part)) ** 3)


chi_squared_in_loops = compiled(chi_squared)
"""The same, for compiled loops."""
