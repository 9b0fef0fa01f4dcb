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

_ODDS_RATIOS = (1.5, 3.0, 9.0, 27.0)
NO_EVIDENCE = (0.0,) * len(_ODDS_RATIOS)


def raised(
    evidence: Sequence[float], tolerated: float, answer: bool, days: float = 1.0
) -> list[float]:
    """The evidence of each bet after one more answer; its mean is held against the days promised.

    `tolerated` is the largest share in (0, 1) that is still in order. The bets are on shares with
    1.5, 3, 9 and 27 times its odds, in equal parts: from a slow worsening to an outage.
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
