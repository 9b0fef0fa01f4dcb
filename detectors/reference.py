"""The frozen reference: what a series looked like, and how unusual a new value is against it.

A value becomes a normal score: its randomised rank among the reference values, mapped through the
inverse normal distribution. Whatever the unit or the shape of the data, ties and few distinct
values included, scores in control are close to N(0, 1), so one threshold serves every series.
The randomness is a hash of the study and the series (`uniform`), so that a replay scores alike.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from math import copysign, erf, isfinite, sqrt
from statistics import NormalDist
from struct import Struct
from typing import Self

import numpy as np

from detectors._contract import StateUnreadable

_normal_quantile = NormalDist().inv_cdf
_pack, _unpack = Struct("f").pack, Struct("f").unpack
_FLOAT32_MAX = 3.4028234663852886e38
_BELOW_ONE = 1 - 2**-53
_HEADER = Struct("<Bdd")
_FORMAT = 1
_BATCH_MIN = 16


class Reference:
    """A sorted sample that never changes, four bytes a value. `mean` and `sd` are in raw units.

    Values are held and compared as float32: equal raw values stay equal, and what differs by less
    than 6e-8 of itself is the same. ValueError when a value is not finite or there are none.

    >>> reference = Reference([1.0, 2.0, 2.0, 3.0])
    >>> round(reference.score(2.5, uniform=0.5), 3)
    0.524
    """

    __slots__ = ("_sample", "mean", "sd")

    def __init__(self, values: Iterable[float]) -> None:
        self._sample = array("f", sorted(map(_float32, values)))
        if not self._sample:
            raise ValueError("a reference needs values")
        exact = np.array(self._sample, dtype=np.float64)
        self.mean = float(exact.mean())
        self.sd = float(exact.std(ddof=1)) if self.n > 1 else 0.0

    @property
    def n(self) -> int:
        """The number of values."""
        return len(self._sample)

    @property
    def values(self) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
        """The values, sorted; a view, not to be written to."""
        return np.frombuffer(self._sample, dtype=np.float32)

    def score(self, value: float, uniform: float) -> float:
        """The normal score of a value; `uniform` in (0, 1) places it among its equals.

        z = Phi^-1((#{ref < x} + V (#{ref = x} + 1)) / (m + 1)): uniform in distribution when x
        and the reference are exchangeable, ties or not.
        """
        sample, single = self._sample, _float32(value)
        below, equal, n = bisect_left(sample, single), 0, len(sample)
        if below < n and sample[below] == single:
            equal = bisect_right(sample, single, below) - below
        return _normal_score(below, equal, uniform, n)

    def scores(self, values: Sequence[float], uniforms: Sequence[float]) -> list[float]:
        """`score` of each value, the same bits, faster for many."""
        if len(values) < _BATCH_MIN:
            return [self.score(v, u) for v, u in zip(values, uniforms, strict=True)]
        exact = np.asarray(values, dtype=np.float64)
        if not np.isfinite(exact).all():
            raise ValueError("a value is not finite")
        single = exact.clip(-_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)
        sample = np.frombuffer(self._sample, dtype=np.float32)
        below = sample.searchsorted(single)
        equal = sample.searchsorted(single, side="right") - below
        n = self.n
        return [
            _normal_score(b, e, u, n)
            for b, e, u in zip(below.tolist(), equal.tolist(), uniforms, strict=True)
        ]

    def to_bytes(self) -> bytes:
        """A versioned record, little-endian, that `from_bytes` reads on any machine."""
        sample = np.array(self._sample, dtype="<f4").tobytes()
        return _HEADER.pack(_FORMAT, self.mean, self.sd) + sample

    @classmethod
    def from_bytes(cls, record: bytes) -> Self:
        """The reference of a record; StateUnreadable if it is not one of this format."""
        if len(record) < _HEADER.size + 4 or record[0] != _FORMAT:
            raise StateUnreadable("not a reference of format 1")
        reference = cls.__new__(cls)
        _, reference.mean, reference.sd = _HEADER.unpack_from(record)
        sample = np.frombuffer(record, dtype="<f4", offset=_HEADER.size).astype(np.float32)
        reference._sample = array("f", sample.tobytes())
        return reference


def spread(score: float) -> float:
    """The normal score of how far out a normal score lies, to either side: watches the variance.

    Phi^-1(|2u - 1|) with u = Phi(score); again N(0, 1) in control.

    >>> spread(3.0) > 2 and spread(-3.0) > 2 and spread(0.01) < -2
    True
    """
    return _normal_quantile(min(max(abs(erf(score / sqrt(2))), 2**-53), _BELOW_ONE))


def _normal_score(below: int, equal: int, uniform: float, n: int) -> float:
    share = (below + uniform * (equal + 1)) / (n + 1)
    return _normal_quantile(share if share < 1 else _BELOW_ONE)


def _float32(value: float) -> float:
    single: float = _unpack(_pack(value))[0]
    if isfinite(single):
        return single
    if not isfinite(value):
        raise ValueError("a value is not finite")
    return copysign(_FLOAT32_MAX, value)
