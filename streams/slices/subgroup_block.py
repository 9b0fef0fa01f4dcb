"""What a bet wins on one block of studies: a group is worse than the rest by more than a margin.

The chance of a bad answer is a in the group, b in the rest; a - b <= m is tolerated. The bet is a
likelihood ratio: of a pair (A, B) beyond the margin, to the tolerated pair (b* + m, b*) that is
nearest to it, where the Kullback-Leibler divergence of the block is least. No bet grows faster, and
whatever tolerated pair is true, it wins on average at most its stake: the tolerated pairs are
convex, and the logarithm of what a study wins on average is concave in its chance (Turner, Ly and
Grünwald 2024, "Generic E-variables for exact sequential k-sample tests that allow for optional
stopping"; Turner and Grünwald 2023, "Exact anytime-valid confidence intervals for contingency
tables and beyond"). As it is concave, chances may differ within the block; their means count.

Where a bad answer is read r times as often as a good one, what is read has r times the odds. The
tolerated pairs are not convex then, so the bet is divided by the most that it wins on average.
"""

from math import exp, log
from typing import NamedTuple

import numpy as np

_HALVINGS = 16
_GRID = np.linspace(0.0, 1.0, 201)
_LEAST = 0.002  # no share is bet to be less
_EDGE = 1e-9  # a tolerated share is neither 0 nor 1
_MOST_LOG = 600.0  # as a float holds


class Part(NamedTuple):
    """The group's studies of a block, or the rest's; a bad answer is read `odds` times as often."""

    n: int
    bad: int
    odds: float = 1.0

    def log_won(self, bet: float, fair: float) -> float:
        """The log likelihood ratio of two shares of bad answers among those that are read."""
        return self.bad * log(bet / fair) + (self.n - self.bad) * log((1 - bet) / (1 - fair))


def won(group: Part, rest: Part, expected: float, margin: float, step: float) -> float:
    """How many times its stake a bet wins.

    The rest's share of bad answers is bet to be `expected`; the group's to lie from `margin` beyond
    that `step` of the way to 1. A `step` below 0 is of the way to 0, and a bet on the opposite:
    that it is worse by less. 1 where no share is left to be bet on.
    """
    of_rest = max(expected, _LEAST)
    edge = of_rest + margin
    if edge > 1 - _LEAST:
        return 1.0
    of_group = edge + step * (1 - edge if step > 0 else edge)
    bets = _read(of_group, group.odds), _read(of_rest, rest.odds)
    nearest = _nearest(group, rest, bets, margin, sorted((of_rest, of_group - margin)))
    fair = _read(nearest + margin, group.odds), _read(nearest, rest.odds)
    log_won = group.log_won(bets[0], fair[0]) + rest.log_won(bets[1], fair[1])
    if group.odds != 1 or rest.odds != 1:
        log_won -= _most(group, rest, bets, fair, margin)
    return exp(min(max(log_won, -_MOST_LOG), _MOST_LOG))


def _read(share: float, odds: float) -> float:
    """The share among what is read, where a bad answer is read so many times as often."""
    if odds == 1:
        return share
    return share * odds / (1 - share + share * odds)


def _nearest(
    group: Part, rest: Part, bets: tuple[float, float], margin: float, between: list[float]
) -> float:
    """The rest's share in the pair at the margin from which the bets diverge least."""
    low, high = between
    low, high = max(low, _EDGE), min(high, 1 - margin - _EDGE)
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        other = share + margin
        slope = group.n * (_read(other, group.odds) - bets[0]) / (other * (1 - other))
        slope += rest.n * (_read(share, rest.odds) - bets[1]) / (share * (1 - share))
        if slope < 0:
            low = share
        else:
            high = share
    return (low + high) / 2


def _most(
    group: Part, rest: Part, bets: tuple[float, float], fair: tuple[float, float], margin: float
) -> float:
    """The logarithm of the most that is won on average under any pair at the margin, at least 0.

    Within the margin it is less: worse for the group or better for the rest wins more.
    """
    shares = _GRID * (1 - margin)
    log_mean = np.zeros(len(shares))
    for part, bet, even, true in zip(
        (group, rest), bets, fair, (shares + margin, shares), strict=True
    ):
        chance = true * part.odds / (1 - true + true * part.odds)
        log_mean += part.n * np.log(chance * bet / even + (1 - chance) * (1 - bet) / (1 - even))
    return max(0.0, float(log_mean.max()))
