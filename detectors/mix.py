"""Whether the parts of the data come in other shares than before.

By two-sample G (Sokal and Rohlf, "Biometry").
"""

import numpy as np

from detectors._contract import Floats, Ints
from detectors._normal import quantiles
from detectors.chi_squared import chi_squared

_LEAST_EXPECTED = 5.0


def other_shares(before: Ints, now: Ints, chance: float) -> tuple[int, ...]:
    """The fields whose shares differ between two samples, beyond a chance over all of them.

    By field and code: how many rows each has.
    """
    return tuple(
        field
        for field in range(len(before))
        if _differ(before[field].astype(float), now[field].astype(float), chance / len(before))
    )


def _differ(before: Floats, now: Floats, chance: float) -> bool:
    """Two-sample G over the values that are expected often enough; the rest are one."""
    total = before + now
    often = total * min(before.sum(), now.sum()) / max(total.sum(), 1.0) >= _LEAST_EXPECTED
    table = np.array([[*row[often], row[~often].sum()] for row in (before, now)])
    table = table[:, table.sum(axis=0) > 0]
    degrees = table.shape[1] - 1
    if degrees < 1 or not table.sum(axis=1).all():
        return False
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    seen = table > 0
    g = 2 * float((table[seen] * np.log(table[seen] / expected[seen])).sum())
    return g > chi_squared(degrees, float(quantiles(np.array([1 - chance]))[0]))
