"""What a series of numbers is held against, frozen: how unusual is a new value?

A value becomes a normal score: its randomised rank among the reference values of its stratum of
the week, mapped through the inverse normal distribution, and divided by the square root of the
variance ratio of the reference. Whatever the unit or the shape of the data, ties and few distinct
values, a daily cycle and dependence included, scores in control then add up like independent ones
of N(0, 1), so one threshold serves every series.
"""

from math import sqrt
from struct import Struct
from struct import error as StructError
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Dependence, Floats, Ints, StateUnreadable
from detectors._normal import quantiles
from detectors.dependence import dependence
from detectors.seasons import HOURS_OF_WEEK, Strata, strata

_FLOAT32_MAX = float(np.finfo(np.float32).max)
_HEADER = Struct("<Bdd")  # format, mean, sd: all there is before the values in format 1
_MORE = Struct("<dId?B")  # of format 2: the dependence, the number of strata
_FORMAT = 2
_ONE_STRATUM = np.zeros(HOURS_OF_WEEK, dtype=np.uint8)

Singles = NDArray[np.float32]


class Standard:
    """A sample that never changes, four bytes a value. `mean` and `sd` are in raw units.

    Values are held and compared as float32: equal raw values stay equal, and what differs by less
    than 6e-8 of itself is the same.
    """

    mean: float
    sd: float
    dependence: Dependence
    """Of the sample's own scores."""

    _samples: list[Singles]
    _strata: Strata
    _shrunk: float

    @classmethod
    def learn(cls, values: Floats, uniforms: Floats, weekhours: Ints | None = None) -> Self:
        """Freeze a sample, given in the order in which it came.

        `uniforms` place values among their equals (`detectors.uniform`); `weekhours` are local
        hours of the week, 0 to 167, Monday first. ValueError when a value is not finite or there
        are none.

        >>> standard = Standard.learn(np.array([1.0, 2, 2, 3]), np.full(4, 0.5))
        >>> standard.scores(np.array([2.5]), np.array([0.5])).round(3)
        array([0.524])
        """
        if not len(values):
            raise ValueError("a reference needs values")
        single = _singles(values)
        week, of_week = _ONE_STRATUM, np.zeros(len(values), dtype=np.uint8)
        scores = _scored_by_the_others(single, uniforms, of_week)
        if weekhours is not None:
            week = strata(scores, weekhours)
            of_week = week[weekhours]
            scores = _scored_by_the_others(single, uniforms, of_week)
        exact = single.astype(np.float64)
        standard = cls.__new__(cls)
        standard.mean = float(exact.mean())
        standard.sd = float(exact.std(ddof=1)) if len(exact) > 1 else 0.0
        samples = [np.sort(single[of_week == stratum]) for stratum in range(int(week.max()) + 1)]
        standard._set(samples, week, dependence(scores))
        return standard

    @property
    def n(self) -> int:
        """The number of values."""
        return sum(map(len, self._samples))

    @property
    def strata_n(self) -> int:
        """The number of strata of the week; 1 for a series that follows none."""
        return len(self._samples)

    @property
    def values(self) -> Singles:
        """All values, sorted."""
        return np.sort(np.concatenate(self._samples))

    def scores(self, values: Floats, uniforms: Floats, weekhours: Ints | None = None) -> Floats:
        """The normal score of each value, the same bits for one as for many.

        z = Phi^-1((#{ref < x} + V (#{ref = x} + 1)) / (m + 1)) / sqrt(ratio): the rank is uniform
        in distribution when x and the reference are exchangeable, ties or not. An hour above 167
        is not known: such values are held against the first stratum. ValueError when a value is not
        finite, or hours are needed and not given.
        """
        single = _singles(values)
        if self.strata_n == 1:
            return quantiles(_shares(self._samples[0], single, uniforms)) * self._shrunk
        if weekhours is None:
            raise ValueError("a reference with strata needs the hours of the week")
        of_week, shares = self._stratum_of[weekhours], np.empty(len(single))
        for stratum in np.unique(of_week).tolist():
            inside = of_week == stratum
            shares[inside] = _shares(self._samples[stratum], single[inside], uniforms[inside])
        return quantiles(shares) * self._shrunk

    def to_bytes(self) -> bytes:
        """A versioned record, little-endian, that `from_bytes` reads on any machine."""
        sizes = np.array([len(sample) for sample in self._samples], dtype="<u4")
        return b"".join(
            (
                _HEADER.pack(_FORMAT, self.mean, self.sd),
                _MORE.pack(*self.dependence, self.strata_n),
                self._strata.tobytes(),
                sizes.tobytes(),
                np.concatenate(self._samples).astype("<f4").tobytes(),
            )
        )

    @classmethod
    def from_bytes(cls, record: bytes) -> Self:
        """The standard of a record; StateUnreadable if it is not one of format 1 or 2."""
        if len(record) < _HEADER.size + 4 or record[0] not in (1, _FORMAT):
            raise StateUnreadable("not a reference of format 1 or 2")
        standard = cls.__new__(cls)
        form, standard.mean, standard.sd = _HEADER.unpack_from(record)
        if form == 1:
            sample = np.frombuffer(record, dtype="<f4", offset=_HEADER.size).astype(np.float32)
            standard._set([sample], _ONE_STRATUM, Dependence(1.0, 1, float(len(sample)), True))
            return standard
        try:
            standard._read(record[_HEADER.size :])
        except (ValueError, StructError) as error:
            raise StateUnreadable("a reference cut short") from error
        return standard

    def _read(self, record: bytes) -> None:
        *found, strata_n = _MORE.unpack_from(record)
        at = _MORE.size + HOURS_OF_WEEK
        week = np.frombuffer(record, dtype=np.uint8, count=HOURS_OF_WEEK, offset=_MORE.size)
        sizes = np.frombuffer(record, dtype="<u4", count=strata_n, offset=at)
        values = np.frombuffer(record, dtype="<f4", offset=at + sizes.nbytes).astype(np.float32)
        if len(values) != sizes.sum():
            raise ValueError("another number of values than said")
        self._set(np.split(values, np.cumsum(sizes)[:-1]), week, Dependence(*found))

    def _set(self, samples: list[Singles], week: Strata, found: Dependence) -> None:
        self._samples, self._strata, self.dependence = samples, week, found
        self._stratum_of = np.concatenate((week, np.zeros(256 - HOURS_OF_WEEK, dtype=np.uint8)))
        self._shrunk = 1 / sqrt(found.ratio)


def _scored_by_the_others(single: Singles, uniforms: Floats, of_week: Strata) -> Floats:
    """Each value's score against the rest of its stratum."""
    shares = np.empty(len(single))
    for stratum in np.unique(of_week).tolist():
        inside = of_week == stratum
        values = single[inside]
        sample = np.sort(values)
        below = sample.searchsorted(values)
        equal = sample.searchsorted(values, side="right") - below  # itself among them
        shares[inside] = (below + uniforms[inside] * equal) / len(sample)
    return quantiles(shares)


def _shares(sample: Singles, single: Singles, uniforms: Floats) -> Floats:
    below = sample.searchsorted(single)
    equal = sample.searchsorted(single, side="right") - below
    shares: Floats = (below + uniforms * (equal + 1)) / (len(sample) + 1)
    return shares


def _singles(values: Floats) -> Singles:
    if not np.isfinite(values).all():
        raise ValueError("a value is not finite")
    return values.clip(-_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)
