"""Does a score still mean what it meant? An e-detector for calibration.

After Arnold, Henzi and Ziegel, "Sequentially valid tests for forecast calibration", Annals of
Applied Statistics 2023. The score is recalibrated on the reference, logit p = a + b logit(score),
and frozen. Then the bets are that a finding has come to be present with other log odds than that:
logit q = logit p + s, s = +-.25, +-.5, +-1. The error of the recalibration is carried along as
plausible values of a and b (detectors.weighted_bet), each with the weight that its error gives it.

Scores are counted in bins of a quarter of a log odd, in the reference and after, so that what is
kept of a reference is one small table.
"""

from collections.abc import Mapping
from math import floor, log
from typing import NamedTuple

import numpy as np

from detectors.weighted_bet import Floats, chance, plausible

Histogram = Mapping[int, tuple[int, int]]
"""For each bin of scores: how many, and in how many of them the finding was present."""

SHIFTS = (0.25, 0.5, 1.0, -0.25, -0.5, -1.0)
"""In log odds, up: more often present than the score says."""

_BIN = 0.25
_BINS = 40  # to either side: scores beyond 1e-4.3 from 0 or 1 are as good as certain
_EDGE = 30.0  # log odds beyond which floats cannot tell a chance from 0 or 1
_STEPS_MAX = 50
_RIDGE = 1e-3  # a reference without a slope to be fitted keeps the score's own
_SLOPES = 3


def bin_of(score: float) -> int:
    """The bin of a score in [0, 1].

    >>> bin_of(0.5), bin_of(0.6), bin_of(0.0), bin_of(1.0)
    (0, 2, -40, 40)
    """
    if not 0 < score < 1:
        return _BINS if score >= 1 else -_BINS
    return max(-_BINS, min(_BINS, floor(log(score / (1 - score)) / _BIN + 0.5)))


class Calibration(NamedTuple):
    """Log odds of presence: `level` at the score's log odds `centre`, and `slope` from there.

    Around the centre the errors of level and slope are independent.
    """

    centre: float
    level: float
    slope: float
    level_se: float
    slope_se: float

    def expected(self, bin_: int) -> Floats:
        """The chance that the finding is present, for each plausible level and slope."""
        levels, _ = plausible()
        slopes, _ = plausible(_SLOPES)
        at = bin_ * _BIN - self.centre
        level = self.level + levels * self.level_se
        slope = self.slope + slopes * self.slope_se
        return chance(np.clip(np.add.outer(level, slope * at).ravel(), -_EDGE, _EDGE))


WEIGHTS: Floats = np.multiply.outer(plausible()[1], plausible(_SLOPES)[1]).ravel()
"""How plausible each of them is."""


def calibrated(histogram: Histogram) -> Calibration:
    """The recalibration of a reference, by maximum likelihood.

    Raises ValueError where the finding was never or always present.
    """
    bins = sorted(histogram)
    counts = np.array([histogram[bin_] for bin_ in bins], dtype=np.float64)
    n, present = counts[:, 0], counts[:, 1]
    if not 0 < present.sum() < n.sum():
        raise ValueError("the finding must be present in some and absent in others")
    x = np.array(bins) * _BIN
    share = present.sum() / n.sum()
    level, slope, centre = log(share / (1 - share)), 1.0, float((n @ x) / n.sum())
    for _ in range(_STEPS_MAX):  # Newton's steps, on a centre that keeps them apart
        p = chance(np.clip(level + slope * (x - centre), -_EDGE, _EDGE))
        weight = n * p * (1 - p)
        moved = float(weight @ x / weight.sum())
        level, centre = level + slope * (moved - centre), moved
        offset = x - centre
        information = float(weight @ (offset * offset)) + _RIDGE
        up = float((present - n * p).sum() / weight.sum())
        tilt = (float((present - n * p) @ offset) + _RIDGE * (1 - slope)) / information
        level, slope = level + max(-1.0, min(1.0, up)), slope + max(-1.0, min(1.0, tilt))
        if abs(up) + abs(tilt) < 1e-9:
            break
    return Calibration(centre, level, slope, float(weight.sum()) ** -0.5, information**-0.5)


def shifted(expected: Floats) -> Floats:
    """The chances that the bets are on: a column for each of SHIFTS."""
    odds = (expected / (1 - expected))[:, None] * np.exp(np.array(SHIFTS))
    shares: Floats = odds / (1 + odds)
    return shares
