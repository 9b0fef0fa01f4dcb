"""Random draws that are the same on every machine and every Python.

Only `Random.random()` is promised never to change, so everything is made from it.
"""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from statistics import NormalDist
from typing import Generic, TypeVar

T = TypeVar("T")

_STANDARD_NORMAL = NormalDist()


def to_ms_us(seconds: float) -> int:
    """Microseconds of a length in seconds, to the millisecond: libraries differ in the last bit.

    >>> to_ms_us(1.23456)
    1235000
    """
    return round(seconds * 1000) * 1000


def normal(rng: Random) -> float:
    """A standard normal value, from one draw."""
    return _STANDARD_NORMAL.inv_cdf(0.5 + (rng.random() - 0.5) * 0.999_999)  # never 0 or 1


def one_of(values: Sequence[T], rng: Random) -> T:
    """One of the values, all as likely."""
    return values[int(rng.random() * len(values))]


class Weighted(Generic[T]):
    """Values that are not all as likely."""

    def __init__(self, values: Sequence[T], weights: Sequence[float]) -> None:
        self._values = values
        self._sums = list(accumulate(weights))

    def draw(self, rng: Random) -> T:
        """One of the values, from one draw."""
        return self._values[bisect(self._sums, rng.random() * self._sums[-1])]
