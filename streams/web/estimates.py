"""What models are worth by the reports: shares with their interval and n. Pure."""

from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

from streams.web.view_series import Key, Line

MEASURES = {
    "ppv": "positive calls that reports confirm (PPV)",
    "for": "negative calls that reports contradict (FOR)",
    "npv": "negative calls that reports confirm (NPV)",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "present": "prevalence by the reports",
}
_BLOCKS = 20
_Z = 1.959964  # of 95 %


class Estimate(NamedTuple):
    """A share over the newest blocks, with its 95 % interval."""

    site: str
    model: str
    finding: str
    measure: str
    share: float
    low: float
    high: float
    n: int
    until_us: int


def performance(series: Iterable[tuple[Key, Line]]) -> list[Estimate]:
    """The estimates of all series that are such shares."""
    found = []
    for (site, model, subject), line in series:
        finding, _, measure = subject.rpartition(".")
        newest = line.points[-_BLOCKS:]
        if measure in MEASURES and model and newest:
            n = sum(point.n for point in newest)
            share = sum(point.mean * point.n for point in newest) / n
            low, high = wilson(share, n)
            told = MEASURES[measure]
            found.append(
                Estimate(site, model, finding, told, share, low, high, n, newest[-1].at_us)
            )
    return found


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, JASA 22, 1927).

    >>> [round(end, 3) for end in wilson(0.9, 100)]
    [0.826, 0.945]
    """
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)
