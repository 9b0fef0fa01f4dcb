"""What is known of a reference in parts: what each part adds to a value, and how much it varies.

Rows have a value and, for each field, the part of the studies that they are of. Values are held
against each other by their ranks, as normal scores, so that one scale serves every unit and shape.
What parts add is fitted by backfitting (Buja, Hastie and Tibshirani 1989), and drawn to nothing as
far as the parts of their field are alike: as if by so many more rows as the variance of a row is
times that between parts, by moments (Efron and Morris 1975). Where scanners do not differ, what is
known of one is what is known of all.
"""

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Floats, Ints
from detectors._normal import quantiles

UNKNOWN = 0
"""The code of a row of whose part nothing is known, or that shares it with all the rest."""

ALL = (-1, 0)
"""The candidate that everything moved."""

_KNOTS_N = 512
_RIDGE_N = 1.0
_LEAST_RIDGE_N = 1e-9  # what a part adds to settings that never vary is as good as known
_LEAST_SD = 0.02  # and still known no better: below it is what fitting leaves, nobody's shift
_SWEEPS_N = 20

Codes = NDArray[np.uint8]
Candidate = tuple[int, int]
"""A field and the code of one of its values, or ALL."""


class Baseline:
    """What is to be known of a reference: how values rank in it, what each part adds, how often.

    `effects[field][code]` are in sd of the reference's scores, `counts[field][code]` its rows,
    `variances[field][code]` of what is left of these, 0 where it is not known; `sd` is that of all.
    `more_n[field]`: what is known of a part is as if it had so many rows more, or up to one fewer.
    """

    def __init__(
        self,
        knots: Floats,
        level: tuple[float, float],
        effects: Floats,
        counts: Ints,
        variances: Floats,
        sd: float,
        more_n: Floats,
    ) -> None:
        self.knots = knots
        self.level = level
        self.effects = effects
        self.counts = counts
        self.variances = variances
        self.sd = sd
        self.more_n = more_n

    @classmethod
    def learn(cls, values: Floats, codes: Codes, width: int) -> "Baseline":
        """Of the reference's rows; codes are below `width`. ValueError for no rows.

        >>> codes = np.array([[1], [2], [1], [2]], np.uint8)
        >>> Baseline.learn(np.array([0.0, 9.0, 1.0, 8.0]), codes, 3).counts
        array([[0, 2, 2]])
        """
        if not len(values):
            raise ValueError("a reference needs rows")
        ordered = np.sort(values)
        places = np.linspace(0, len(ordered) - 1, min(len(ordered), _KNOTS_N)).round().astype(int)
        knots = ordered[places]
        raw = _ranked(knots, values)
        spread = float(raw.std())
        level = (float(raw.mean()), spread if spread > 0 else 1.0)
        scores = (raw - level[0]) / level[1]
        counts = counts_of(codes, width)
        more_n = np.zeros(len(counts))
        effects = _additive(scores, codes, counts, more_n)
        more_n = _more_n(effects, counts, float((scores - _added(effects, codes)).var()))
        effects = _additive(scores, codes, counts, more_n)
        left = scores - _added(effects, codes)
        sd = float(left.std())
        variances = _variances_by_part(left, codes, counts)
        return cls(knots, level, effects, counts, variances, sd if spread > 0 else 1.0, more_n)

    def left(self, values: Floats, codes: Codes) -> Floats:
        """How far each value is from what its parts add up to, in sd of the reference."""
        scores = (_ranked(self.knots, values) - self.level[0]) / self.level[1]
        return scores - _added(self.effects, codes)

    def share_of_yes(self) -> float | None:
        """Of a reference of 1 (yes) and 0 (no) the share of 1; None for one of other values.

        >>> codes = np.ones((4, 1), np.uint8)
        >>> Baseline.learn(np.array([0.0, 0.0, 1.0, 0.0]), codes, 2).share_of_yes()
        0.25
        """
        if not np.isin(self.knots, (0.0, 1.0)).all():
            return None
        no, yes = _ranked(self.knots, np.array([0.0, 1.0]))
        return round(float((self.level[0] - no) / (yes - no)), 9)

    @property
    def mean(self) -> float:
        """Of the reference's rows; of numbers as its quantiles tell it."""
        share = self.share_of_yes()
        return float(self.knots.mean()) if share is None else share

    def n_of(self, candidate: Candidate) -> float:
        """The reference's rows of a part; of one that it did not have hardly anything is known."""
        if candidate == ALL:
            # All have a code of the first field, known or not.
            return float(self.counts[0].sum()) if len(self.counts) else float(len(self.knots))
        return float(max(self.counts[candidate], 1))

    def known_n(self, codes: Codes) -> float:
        """As by so many rows is the mean of such rows known, in the field that says least of it."""
        now = counts_of(codes, self.counts.shape[1])
        known = (self.counts + self.more_n[:, None]).clip(1)
        uncertain = (now * now / known).sum(axis=1)
        return (
            len(codes) ** 2 / float(uncertain.max()) if len(uncertain) else float(len(self.knots))
        )

    def variance_of(self, candidate: Candidate) -> float:
        """What was left of the reference's rows of a part varied so much."""
        sd = max(self.sd, _LEAST_SD)
        return sd * sd if candidate == ALL else float(self.variances[candidate])


def counts_of(codes: Codes, width: int) -> Ints:
    """The rows of each part, by field and code."""
    fields_n = codes.shape[1]
    counts: Ints = np.zeros((fields_n, width), np.int64)
    for field in range(fields_n):
        counts[field] = np.bincount(codes[:, field], minlength=width)[:width]
    return counts


def _ranked(knots: Floats, values: Floats) -> Floats:
    """Normal scores of the middle ranks."""
    ranks = (knots.searchsorted(values) + knots.searchsorted(values, side="right")) / 2
    return quantiles((ranks + 0.5) / (len(knots) + 1))


def _additive(scores: Floats, codes: Codes, counts: Ints, more_n: Floats) -> Floats:
    """What each part adds, shrunk as if by rows of nothing, one and `more_n`: backfitting."""
    effects: Floats = np.zeros(counts.shape)
    left = scores
    for _ in range(_SWEEPS_N):
        for field, in_field in enumerate(counts):
            own = effects[field][codes[:, field]]
            sums = np.bincount(codes[:, field], weights=left + own, minlength=len(in_field))
            new = sums / (in_field + _RIDGE_N + more_n[field])
            left = left + own - new[codes[:, field]]
            effects[field] = new
    return effects


def _more_n(effects: Floats, counts: Ints, variance: float) -> Floats:
    """As many rows of nothing as the parts of each field are alike, at most all there are."""
    n = counts.sum(axis=1)
    between = (counts * effects * effects).sum(axis=1)
    by_chance = ((counts > 0).sum(axis=1) - 1) * variance
    apart = np.maximum(between - by_chance, variance) / n
    more_n: Floats = np.divide(variance, apart, out=np.ones(len(n)), where=apart > 0) - _RIDGE_N
    return more_n.clip(_LEAST_RIDGE_N - _RIDGE_N)


def _variances_by_part(left: Floats, codes: Codes, counts: Ints) -> Floats:
    variances: Floats = np.zeros(counts.shape)
    for field, in_field in enumerate(counts):
        n = in_field.clip(1)
        means = np.bincount(codes[:, field], left, len(n)) / n
        variances[field] = np.bincount(codes[:, field], left * left, len(n)) / n - means * means
    return variances


def _added(effects: Floats, codes: Codes) -> Floats:
    added: Floats = np.zeros(len(codes))
    for field, of_field in enumerate(effects):
        added += of_field[codes[:, field]]
    return added
