"""What a series of numbers is held against, frozen: how unusual is a new value?

A value becomes a normal score: its randomised rank among the reference values, mapped through the
inverse normal distribution, less what the hour of the week adds where the series follows a cycle,
and divided by how far its kind of day spreads and by the square root of the reference's variance
ratio. Whatever the unit or the shape of the data, ties and few distinct values, cycles and
dependence included, scores in control then add up like independent ones of N(0, 1), so one
threshold serves every series.
"""

from math import sqrt
from struct import Struct
from struct import error as StructError
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detectors._compiled import compiled
from detectors._contract import Dependence, Floats, Ints, StateUnreadable, are_finite
from detectors._normal import quantile, quantiles
from detectors.day_levels import SUMS_N, are_sums, day_sums
from detectors.dependence import dependence_of_both
from detectors.seasons import FLAT, HOURS_OF_WEEK, SATURDAY, Profile, season
from detectors.weekend_spread import Spread, spread_by_day

_FLOAT32_MAX = float(np.finfo(np.float32).max)
_HEADER = Struct("<Bdd")  # format, mean, sd: all there is before the values in format 1
_MORE_2 = Struct("<dId?d")  # of format 2, before the profile: the dependence, what is left
_MORE_3 = Struct("<dId?dd")  # of format 3: with the dependence of the spread
_MORE_4 = Struct("<dId?ddd")  # of format 4: what is left on weekdays, and on weekends
_MORE_5 = Struct("<dId?dddddd")  # of format 5: with what days told of their levels
_MORE_6 = Struct("<dId?ddddddddd")  # of format 6: and of their spreads
_MORE = Struct("<dId?dddddddddddddddd")  # of format 7: of parts, and of days two apart
_SUMS_N = {5: 3, 6: 6, 7: SUMS_N}
_FORMAT_5, _FORMAT_6, _FORMAT = 5, 6, 7
_PROFILE_BYTES = 4 * HOURS_OF_WEEK
_WEEKEND = slice(SATURDAY * 24, HOURS_OF_WEEK)

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

    days: list[float]
    """What its days tell of levels of their own: the sums of `detectors.day_levels`."""

    values: Singles
    """The sample, sorted."""

    _profile: Profile
    _left: Spread
    _added: Floats
    _scale: Floats

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
        scores = _scores_among_others(single, uniforms)
        cycle = None if weekhours is None else season(scores, weekhours)
        profile, left, cycles_n = FLAT, Spread(1.0, 1.0), None
        if cycle is not None and weekhours is not None:
            profile, cycles_n = cycle
            scores = scores - profile[weekhours]
            left = Spread(*[float(scores.std())] * 2)
        if weekhours is not None:
            weekend = weekhours >= _WEEKEND.start
            left = spread_by_day(scores, weekend) or left
            scores = scores / np.where(weekend, left.weekends, left.weekdays)
        exact = single.astype(np.float64)
        standard = cls.__new__(cls)
        standard.mean = float(exact.mean())
        standard.sd = float(exact.std(ddof=1)) if len(exact) > 1 else 0.0
        found = dependence_of_both(scores, cycles_n)
        standard._set(np.sort(single), profile, left, found)
        if weekhours is not None:
            standard.days = day_sums(scores, weekhours, found.ratio, found.spread_ratio)
        return standard

    @property
    def n(self) -> int:
        """The number of values."""
        return len(self.values)

    @property
    def strata_n(self) -> int:
        """How many hours of the week are told apart: all, or none from the others."""
        return HOURS_OF_WEEK if self.is_seasonal else 1

    @property
    def is_seasonal(self) -> bool:
        """Whether a cycle of day or week is taken out, of the level or of the spread."""
        return bool(self._profile.any()) or self._left.weekdays != self._left.weekends

    def scores(self, values: Floats, uniforms: Floats, weekhours: Ints | None = None) -> Floats:
        """The normal score of each value, the same bits for one as for many.

        z = Phi^-1((#{ref < x} + V (#{ref = x} + 1)) / (m + 1)): the rank is uniform in
        distribution when x and the reference are exchangeable, ties or not. An hour above 167 is
        not known: it adds nothing, and spreads as weekdays do. ValueError when a value is not
        finite, or hours are needed and not given.
        """
        if not are_finite(values):
            raise ValueError("a value is not finite")
        scores = _scores_against(self.values, values, uniforms)
        if not self.is_seasonal:
            return scores * float(self._scale[0])
        if weekhours is None:
            raise ValueError("a seasonal reference needs the hours of the week")
        scores = (scores - self._added[weekhours]) * self._scale[weekhours]
        return scores

    def to_bytes(self) -> bytes:
        """A versioned record, little-endian, that `from_bytes` reads on any machine."""
        return b"".join(
            (
                _HEADER.pack(_FORMAT, self.mean, self.sd),
                _MORE.pack(*self.dependence, *self._left, *self.days),
                self._profile.astype("<f4").tobytes(),
                self.values.astype("<f4").tobytes(),
            )
        )

    @classmethod
    def from_bytes(cls, record: bytes) -> Self:
        """The standard of a record; StateUnreadable if it is not one of format 1 to 7."""
        try:
            return cls._read(record)
        except (IndexError, ValueError, StructError) as error:
            raise StateUnreadable("not a reference of format 1 to 7") from error

    @classmethod
    def _read(cls, record: bytes) -> Self:
        standard = cls.__new__(cls)
        form, standard.mean, standard.sd = _HEADER.unpack_from(record)
        if form == 1:
            values = _read_singles(record[_HEADER.size :])
            found = Dependence(1.0, 1, float(len(values)), True)
            standard._set(values, FLAT, Spread(1.0, 1.0), found)
            return standard
        more = {
            2: _MORE_2,
            3: _MORE_3,
            4: _MORE_4,
            _FORMAT_5: _MORE_5,
            _FORMAT_6: _MORE_6,
            _FORMAT: _MORE,
        }.get(form)
        if more is None:
            raise ValueError("another format")
        ratio, block_n, effective_n, promised, *told = more.unpack_from(record, _HEADER.size)
        days: list[float] = []
        if form >= _FORMAT_5:
            sums_n = _SUMS_N[form]
            told, days = told[:-sums_n], [*told[-sums_n:], *[0.0] * (SUMS_N - sums_n)]
            if not are_sums(days):
                raise ValueError("no sums of days")
        if form == 2:
            told = [ratio, *told]  # the spread was held to the ratio of the mean
        spread_ratio, left_sd = told[:2]
        left = Spread(left_sd, told[-1])  # up to format 3 all days spread alike
        at = _HEADER.size + more.size
        profile = _read_singles(record[at : at + _PROFILE_BYTES])
        values = _read_singles(record[at + _PROFILE_BYTES :])
        found = Dependence(ratio, block_n, effective_n, promised, spread_ratio)
        standard._set(values, profile, left, found)
        standard.days = days or standard.days
        return standard

    def _set(self, values: Singles, profile: Profile, left: Spread, found: Dependence) -> None:
        if not len(values):
            raise ValueError("a reference needs values")
        self.values, self.dependence, self.days = values, found, [0.0] * SUMS_N
        self._profile, self._left = profile, left
        self._added = np.concatenate((profile.astype(np.float64), np.zeros(256 - HOURS_OF_WEEK)))
        self._scale = np.full(256, 1 / (left.weekdays * sqrt(found.ratio)))
        self._scale[_WEEKEND] = 1 / (left.weekends * sqrt(found.ratio))


@compiled
def _scores_against(reference: Singles, values: Floats, uniforms: Floats) -> Floats:
    scores = np.empty(len(values))
    for place, value in enumerate(values):
        single = np.float32(min(max(value, -_FLOAT32_MAX), _FLOAT32_MAX))
        below = up_to = np.searchsorted(reference, single)
        if below < len(reference) and reference[below] == single:
            up_to = np.searchsorted(reference, single, side="right")
        rank = below + uniforms[place] * (up_to - below + 1)
        scores[place] = quantile(rank / (len(reference) + 1))
    return scores


def _scores_among_others(single: Singles, uniforms: Floats) -> Floats:
    """Each value's score against the rest of the sample."""
    sample = np.sort(single)
    below = sample.searchsorted(single)
    equal = sample.searchsorted(single, side="right") - below  # itself among them
    return quantiles((below + uniforms * equal) / len(sample))


def _singles(values: Floats) -> Singles:
    if not are_finite(values):
        raise ValueError("a value is not finite")
    return values.clip(-_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)


def _read_singles(record: bytes) -> Singles:
    return np.frombuffer(record, dtype="<f4").astype(np.float32)
