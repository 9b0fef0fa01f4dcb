"""Bets against a share that is only known within an error: each plausible value has its weight.

A bet against one estimated share breaks the promise wherever the estimate is off, and a bet against
the edge of its interval wastes what the data say meanwhile. So there is one Shiryaev-Roberts bet
against each plausible share, and M is their average, each weighted by how plausible what was
observed leaves its share:

    M = sum_g w_g M_g,    M_g <- (M_g + days) * q_g(y) / p_g(y),    w_g <- w_g p_g(y) / sum(w p(y))

with p_g(y) the chance of the answer y if share g is the true one and nothing changed, q_g(y) if it
changed as is bet on; over several bets M is their mean. What is kept is w_g M_g, never larger than
M: a bet against a share that has become absurd would be astronomic by itself.

M is the likelihood ratio of "changed at some moment" to "nothing changed", both averaged over the
plausible shares, summed over the moments with the days between them as weights. So M minus the days
is a martingale on average over the starting weights, and there is at most one false alarm in `days`
(mixture e-detectors: Shin, Ramdas and Rinaldo 2023; the starting weights are the error of the
reference). With one plausible share, as for a limit, it is a theorem for that share and for all
that are better.

An alarm is one however far M is beyond the threshold, so what an answer would win beyond it is
wasted, and with rare answers that is much. It is won by the other answer instead: M stays fair, is
exactly `days` where it alarms, and gets there sooner (Fischer and Ramdas, Improving the sequential
probability ratio test by avoiding overshoot, 2024).
"""

from collections.abc import Sequence
from math import isfinite, log
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors._contract import State, StateUnreadable

_FORMAT = 1
_DAY_US = 86_400_000_000
_WIDTH_SE = 3.0  # plausible values reach so many standard errors to either side
_POINTS = 13

Floats: TypeAlias = NDArray[np.float64]

CERTAIN = np.ones(1)
"""The weight of the one value of what is not estimated."""


class WeightedBet:
    """Yes or no, observed one by one; the chances of a yes may differ from one to the next.

    `days` is the promise, days between two false alarms; `weights` how plausible each value of
    what is estimated is before anything was observed, and `bets_n` how many changes are bet on.

    >>> bet = WeightedBet(days=100, weights=CERTAIN, bets_n=1)
    >>> tolerated, worse = np.array([0.1]), np.array([[0.5]])
    >>> [bet.update(True, tolerated, worse, at_us) for at_us in range(0, 4 * 10**11, 10**11)]
    [False, False, False, True]
    """

    def __init__(self, days: float, weights: Floats, bets_n: int) -> None:
        if not (isfinite(days) and days > 0):
            raise ValueError("days must be a finite number above 0")
        if not (len(weights) and bets_n and bool(np.all(weights > 0))):
            raise ValueError("there must be a weight, all weights above 0, and a bet")
        self.threshold = days
        self._prior: Floats = weights / weights.sum()
        self._bets_n = bets_n
        self._found: tuple[float, int, int] | None = None
        self._latest_us: int | None = None
        self._evidence: Floats
        self._plausible: Floats
        self._sums: list[float]
        self._since_us: list[int]
        self._begin()

    def update(self, answer: bool, expected: Floats, changed: Floats, at_us: int) -> bool:
        """Whether this answer raised an alarm; the next one then begins anew.

        `expected[g]` is the chance of a yes under plausible value g if nothing changed, in (0, 1);
        `changed[g, b]` if it changed as bet b says. Time that runs backwards does not count.
        """
        if not answer:
            expected, changed = 1 - expected, 1 - changed
        chance_now = float(self._plausible @ expected)
        self._follow((self._plausible @ changed / chance_now).tolist(), at_us)
        staked = self._evidence + self._plausible[:, None] * self._elapsed_days(at_us)
        won = staked * (changed / chance_now)
        self._evidence = won * self._gain(float(staked.sum()), float(won.sum()), chance_now)
        self._plausible = self._plausible * (expected / chance_now)
        self._found = None
        if self.statistic < self.threshold:
            return False
        self._found = (self.statistic, self.strongest, self.changed_us)
        self._begin()
        return True

    @property
    def statistic(self) -> float:
        """M now, or that of the alarm just raised; an alarm means >= `threshold`."""
        return self._found[0] if self._found else float(self._evidence.sum()) / self._bets_n

    @property
    def strongest(self) -> int:
        """The bet with the most evidence."""
        return self._found[1] if self._found else int(self._by_bet().argmax())

    @property
    def changed_us(self) -> int:
        """When the change began, as that bet estimates; never before the last alarm."""
        return self._found[2] if self._found else self._since_us[self.strongest]

    def state(self) -> State:
        """Plain numbers; `restore` resumes from them bit for bit."""
        return {
            "format": _FORMAT,
            "evidence": self._evidence.tolist(),
            "plausible": self._plausible.tolist(),
            "sums": list(self._sums),
            "since_us": list(self._since_us),
            "latest_us": self._latest_us,
            "found": list(self._found) if self._found else None,
        }

    @classmethod
    def restore(cls, days: float, weights: Floats, bets_n: int, state: State) -> Self:
        """Resume; new `days` change the threshold and keep the evidence.

        Raises StateUnreadable when this code cannot read the state.
        """
        if state.get("format") != _FORMAT:
            raise StateUnreadable("written by another version")
        bet = cls(days, weights, bets_n)
        evidence = np.array(state["evidence"], dtype=np.float64)
        if evidence.shape != bet._evidence.shape:
            raise StateUnreadable("written for other bets")
        bet._evidence = evidence
        bet._plausible = np.array(state["plausible"], dtype=np.float64)
        bet._sums, bet._since_us = list(state["sums"]), list(state["since_us"])
        bet._latest_us = state["latest_us"]
        found = state["found"]
        bet._found = (found[0], found[1], found[2]) if found else None
        return bet

    def _begin(self) -> None:
        self._evidence = np.zeros((len(self._prior), self._bets_n))
        self._plausible = self._prior
        self._sums = [0.0] * self._bets_n
        self._since_us = [0] * self._bets_n

    def _gain(self, staked: float, won: float, chance_now: float) -> float:
        """How many times as much this answer wins, for what the other had won in vain."""
        kept = chance_now * won
        in_vain = staked - kept - (1 - chance_now) * self.threshold * self._bets_n
        return 1 + in_vain / kept if in_vain > 0 else 1.0

    def _by_bet(self) -> Floats:
        by_bet: Floats = self._evidence.sum(axis=0)
        return by_bet

    def _elapsed_days(self, at_us: int) -> float:
        latest_us = at_us if self._latest_us is None else self._latest_us
        self._latest_us = max(latest_us, at_us)
        return (self._latest_us - latest_us) / _DAY_US

    def _follow(self, ratios: list[float], at_us: int) -> None:
        """A change is dated to where a bet's sum of log ratios last was not above zero (Page)."""
        for bet, ratio in enumerate(ratios):
            if self._sums[bet] <= 0:
                self._sums[bet], self._since_us[bet] = 0.0, at_us
            self._sums[bet] += log(ratio)


def plausible(points: int = _POINTS) -> tuple[Floats, Floats]:
    """Steps in standard errors from an estimate, and the weight of each: a normal error."""
    steps: Floats = np.linspace(-_WIDTH_SE, _WIDTH_SE, points)
    return steps, np.exp(-steps * steps / 2)


def chance(log_odds: Floats) -> Floats:
    """What has these log odds; within +-30 it is neither 0 nor 1."""
    chances: Floats = 1 / (1 + np.exp(-log_odds))
    return chances


def raised(expected: Floats, odds_ratios: Sequence[float]) -> Floats:
    """The chances when the odds are so many times those expected: a column for each.

    >>> raised(np.array([0.5]), [3.0])
    array([[0.75]])
    """
    odds = (expected / (1 - expected))[:, None] * np.asarray(odds_ratios)
    shares: Floats = odds / (1 + odds)
    return shares
