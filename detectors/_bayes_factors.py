"""Bayes factors of a shift and of another spread since each start, against everything before it.

Both depend only on what an unknown level, or an unknown spread, cannot touch (maximal invariants):
the difference of two means, and the share of the sum of squares that came since the start. The
reference counts as so many scores of mean 0 and variance 1. So in control each is a martingale of
mean 1 for normal scores of unknown level and spread (Pollak & Siegmund 1991, "Sequential detection
of a change in a normal mean when the initial value is unknown").

What a change may be is drawn from a few sizes, each to either side. A size with part w costs
ln(1 / w) / KL observations more than if it were known, KL being what one observation says of it:
shift^2 / 2, or (r - 1 - ln r) / 2 of a variance r times as great. Parts are great where changes are
wanted soon; a normal prior gives two fifths of itself to shifts that nobody finds (decision 9).

Of a level not every score shows a lasting shift in full: one that shows the part a of it, times a,
is worth a^2 scores that do. The sums of what scores are worth stand for their numbers there.
"""

from math import exp, log

import numpy as np

from detectors._compiled import compiled
from detectors._contract import Floats
from detectors._starts import BORN_N, N, Starts

LEVEL, SPREAD, WORTH = range(3)
_SHIFTS_SD = np.array([0.125, 0.25, 0.5, 1.0, 2.0])  # each twice the one before
_SHIFT_PARTS = np.array([0.05, 0.20, 0.55, 0.15, 0.05])
_SPREADS = np.array([1.2, 1.5, 1 / 1.2, 1 / 1.5])  # the sd, times this
_SPREAD_PARTS = np.array([0.3, 0.2, 0.3, 0.2])
_LOG_VARIANCES = 2 * np.log(_SPREADS)
_GREATEST_VARIANCE = _SPREADS.max() ** 2
_SHRINKS = 1 - 1 / _SPREADS**2


@compiled
def growth(
    score: float, shown: float, square: float, starts: Starts, totals: Floats, reference_n: int
) -> float:
    """By no more than this will any logarithm of `bayes_factors` grow with the next score.

    It shows the part a of a shift, at most 1; `square` is its own; `totals` are those before it. A
    shift d takes part with w = d a b / (T + a^2), and adds at most w |y| - w^2 / 2, y being how far
    the score lies from what it shows of the mean of all. A
    variance adds what depends only on how many times as great its mean then is as that of all; the
    best such number is the square over the mean square.
    """
    all_n = starts.clock[N] + reference_n
    y, greatest = abs(score - shown * (totals[LEVEL] / totals[WORTH])), _SHIFTS_SD[-1]
    of_level = y * y / 2 if y < greatest else greatest * (y - greatest / 2)
    share = square / (totals[SPREAD] + reference_n)
    times = min(max(all_n * share, 1 / _GREATEST_VARIANCE), _GREATEST_VARIANCE)
    of_spread = all_n * log(times) - (all_n + 1) * log((times + share) / (1 + share))
    return float(max(of_level, of_spread / 2))


@compiled
def log_bounds(starts: Starts, totals: Floats, reference_n: int, bounds: Floats) -> None:
    """By form and start, into `bounds`: no less than the logarithms of `bayes_factors`.

    Those of the likeliest size, as cosh x is at most e^|x|.
    """
    clock, began, totals_then, _ = starts
    all_n = clock[N] + reference_n
    worth, one_of_squares = totals[WORTH], 1 / (totals[SPREAD] + reference_n)
    one_of_all = 1 / worth
    for start in range(int(clock[BORN_N])):
        before_share = totals_then[WORTH, start] * one_of_all
        since_n = clock[N] - began[start]
        x = abs(totals_then[LEVEL, start] - before_share * totals[LEVEL])
        known_n, highest = (worth - totals_then[WORTH, start]) * before_share, -np.inf
        for shift in _SHIFTS_SD:
            highest = max(highest, shift * (x - shift * known_n / 2))
        bounds[LEVEL, start] = highest
        share = (totals[SPREAD] - totals_then[SPREAD, start]) * one_of_squares
        lowest = np.inf
        for size, log_variance in enumerate(_LOG_VARIANCES):
            lowest = min(lowest, all_n * log(1 - share * _SHRINKS[size]) + since_n * log_variance)
        bounds[SPREAD, start] = -lowest / 2


@compiled
def bayes_factors(starts: Starts, totals: Floats, reference_n: int, factors: Floats) -> None:
    """By form and start, into `factors`.

    With observations worth s since a start, b before it, T = s + b and J = s b / T: x is the sum of
    those before, less b / T of the sum of all. A shift d to either side has exp(-d^2 J / 2)
    cosh(d x). Of the sum of squares the share R came since, with s of T by number; a variance r
    times as great has r^(-s/2) (1 - R (1 - 1 / r))^(-T/2).
    """
    clock, began, totals_then, _ = starts
    all_n, worth = clock[N] + reference_n, totals[WORTH]
    for start in range(int(clock[BORN_N])):
        before_share = totals_then[WORTH, start] / worth
        since_n = clock[N] - began[start]
        x = abs(totals_then[LEVEL, start] - before_share * totals[LEVEL])
        known_n, factor = (worth - totals_then[WORTH, start]) * before_share, 0.0
        other_side = exp(-2 * _SHIFTS_SD[0] * x)
        for size, shift in enumerate(_SHIFTS_SD):
            one_side = _SHIFT_PARTS[size] * exp(shift * (x - shift * known_n / 2))
            factor += one_side * (1 + other_side)
            other_side *= other_side  # of twice the shift, which is the next
        factors[LEVEL, start] = factor / 2
        since = totals[SPREAD] - totals_then[SPREAD, start]
        share, factor = since / (totals[SPREAD] + reference_n), 0.0
        for size, part in enumerate(_SPREAD_PARTS):
            twice = all_n * log(1 - share * _SHRINKS[size]) + since_n * _LOG_VARIANCES[size]
            factor += part * exp(-twice / 2)
        factors[SPREAD, start] = factor
