"""Is a share larger than what is tolerated? A bet that is fair only as long as it is not.

Shiryaev-Roberts by betting: M <- (1 + M) L after each yes or no, alarm when M >= ARL. L is the
likelihood ratio of a larger share against the tolerated one. While the chance of a yes, given all
that came before, is at most the tolerated share, E[L] <= 1, so M_n - n is a supermartingale and
there is on average at most one false alarm in ARL observations (Shin, Ramdas, Rinaldo 2023,
"E-detectors"). No reference, nothing estimated.
"""

from collections.abc import Sequence
from functools import cache
from math import isfinite
from typing import Self

from detectors._contract import State, StateUnreadable

_FORMAT = 1
_ODDS_RATIOS = (1.5, 3.0, 9.0, 27.0)
NO_EVIDENCE = (0.0,) * len(_ODDS_RATIOS)


class RateBet:
    """One-sided, upwards; `tolerated` is the largest share in (0, 1) that is still in order.

    The bets are on shares with 1.5, 3, 9 and 27 times the tolerated odds, in equal parts: from a
    slow worsening to an outage.

    >>> bet = RateBet(tolerated=0.05, arl=1e4)
    >>> bet.run([True] * 20)
    4
    """

    def __init__(self, tolerated: float, arl: float) -> None:
        if not 0 < tolerated < 1:
            raise ValueError("tolerated must lie between 0 and 1")
        if not (isfinite(arl) and arl >= 1):
            raise ValueError("arl must be a finite number of at least 1")
        self.threshold = arl
        self._tolerated = tolerated
        self._evidence = list(NO_EVIDENCE)
        self._found: float | None = None

    def run(self, answers: Sequence[bool]) -> int | None:
        """Feed answers in order. The index of the one that alarmed, the last one read, or None.

        An alarm ends what was watched: the next answer begins anew.
        """
        for index, answer in enumerate(answers):
            if self.update(answer):
                return index
        return None

    def update(self, answer: bool) -> bool:
        """Whether this answer raised an alarm."""
        evidence = raised(self._evidence, self._tolerated, answer)
        mean = sum(evidence) / len(evidence)
        alarm = mean >= self.threshold
        self._found = mean if alarm else None
        self._evidence = list(NO_EVIDENCE) if alarm else evidence
        return alarm

    @property
    def statistic(self) -> float:
        """The evidence now, or that of the alarm just raised; an alarm means >= `threshold`."""
        return sum(self._evidence) / len(self._evidence) if self._found is None else self._found

    def state(self) -> State:
        """Plain numbers; `restore` resumes from them bit for bit."""
        return {"format": _FORMAT, "evidence": self._evidence, "found": self._found}

    @classmethod
    def restore(cls, tolerated: float, arl: float, state: State) -> Self:
        """Resume; a new `arl` changes the threshold and keeps the evidence.

        Raises StateUnreadable when this code cannot read the state.
        """
        if state.get("format") != _FORMAT:
            raise StateUnreadable("written by another version")
        bet = cls(tolerated, arl)
        bet._evidence, bet._found = list(state["evidence"]), state["found"]
        return bet


def raised(evidence: Sequence[float], tolerated: float, answer: bool) -> list[float]:
    """The evidence of each bet after one more answer; its mean is what `arl` is held against.

    >>> raised(NO_EVIDENCE, 0.5, True)
    [1.2, 1.5, 1.8, 1.9285714285714286]
    """
    ratios = _likelihood_ratios(tolerated)[not answer]
    return [(1 + m) * ratio for m, ratio in zip(evidence, ratios, strict=True)]


@cache
def _likelihood_ratios(tolerated: float) -> tuple[list[float], list[float]]:
    odds = tolerated / (1 - tolerated)
    larger = [ratio * odds / (1 + ratio * odds) for ratio in _ODDS_RATIOS]
    if_yes = [share / tolerated for share in larger]
    if_no = [(1 - share) / (1 - tolerated) for share in larger]
    return if_yes, if_no
