"""Is a share larger than what is tolerated? A bet that is fair only as long as it is not.

Shiryaev-Roberts by betting: M <- (M + days since the answer before) L after each yes or no, alarm
when M >= the days promised. L is the likelihood ratio of a larger share against the tolerated one.
While the chance of a yes, given all that came before, is at most the tolerated share, E[L] <= 1, so
M less the days gone by is a supermartingale and there is on average at most one false alarm in so
many days, at any pace (Shin, Ramdas, Rinaldo 2023, "E-detectors", with time for the count of
observations). No reference, nothing estimated.
"""

from collections.abc import Sequence
from functools import cache
from typing import Self

from detectors._contract import Promise, State, StateUnreadable, check_promise

_FORMAT = 1
_ODDS_RATIOS = (1.5, 3.0, 9.0, 27.0)
NO_EVIDENCE = (0.0,) * len(_ODDS_RATIOS)


class RateBet:
    """One-sided, upwards; `tolerated` is the largest share in (0, 1) that is still in order.

    The bets are on shares with 1.5, 3, 9 and 27 times the tolerated odds, in equal parts: from a
    slow worsening to an outage.

    >>> bet = RateBet(tolerated=0.05, days=100.0)
    >>> bet.run([True] * 20, [0.01] * 20)
    4
    """

    def __init__(self, tolerated: float, days: float) -> None:
        if not 0 < tolerated < 1:
            raise ValueError("tolerated must lie between 0 and 1")
        check_promise(Promise(days, 1.0))
        self.threshold = days
        self._tolerated = tolerated
        self._evidence = list(NO_EVIDENCE)
        self._found: float | None = None

    def run(self, answers: Sequence[bool], days: Sequence[float]) -> int | None:
        """Feed answers in order. The index of the one that alarmed, the last one read, or None.

        An alarm ends what was watched: the next answer begins anew.
        """
        for index, (answer, since) in enumerate(zip(answers, days, strict=True)):
            if self.update(answer, since):
                return index
        return None

    def update(self, answer: bool, days: float) -> bool:
        """Whether this answer, so many days after the one before it, raised an alarm."""
        evidence = raised(self._evidence, self._tolerated, answer, days)
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
    def restore(cls, tolerated: float, days: float, state: State) -> Self:
        """Resume; a new promise changes the threshold and keeps the evidence.

        Raises StateUnreadable when this code cannot read the state.
        """
        if state.get("format") != _FORMAT:
            raise StateUnreadable("written by another version")
        bet = cls(tolerated, days)
        bet._evidence, bet._found = list(state["evidence"]), state["found"]
        return bet


def raised(
    evidence: Sequence[float], tolerated: float, answer: bool, days: float = 1.0
) -> list[float]:
    """The evidence of each bet after one more answer; its mean is held against the days promised.

    `days` is the time since the answer before. Left out, the promise is one of answers, not days.

    >>> raised(NO_EVIDENCE, 0.5, True)
    [1.2, 1.5, 1.8, 1.9285714285714286]
    """
    ratios = _likelihood_ratios(tolerated)[not answer]
    return [(m + days) * ratio for m, ratio in zip(evidence, ratios, strict=True)]


@cache
def _likelihood_ratios(tolerated: float) -> tuple[list[float], list[float]]:
    odds = tolerated / (1 - tolerated)
    larger = [ratio * odds / (1 + ratio * odds) for ratio in _ODDS_RATIOS]
    if_yes = [share / tolerated for share in larger]
    if_no = [(1 - share) / (1 - tolerated) for share in larger]
    return if_yes, if_no
