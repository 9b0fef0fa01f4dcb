"""Whether a fresh sample shows no difference from a reference: has a series returned? At 1 %."""

from collections.abc import Mapping, Sequence
from math import erf, log, sqrt
from typing import TypeVar

import numpy as np

from detectors.chi_squared import chi_squared
from detectors.weekend_spread import LEAST_N
from streams.series.seen import Floats

_KOLMOGOROV_99 = 1.63
_NORMAL_99_TWO_SIDED = 2.576
_NORMAL_99 = 2.326
_NORMAL_95 = 1.645
_LEAST_EXPECTED = 5.0
_Cell = TypeVar("_Cell", str, int)


def scores_agree(scores: Floats, reference_n: float, fresh_n: float) -> bool:
    """Whether fresh scores look like normal ones: those of the reference that they were made with.

    Their distribution (Kolmogorov and Smirnov), their mean and their spread: what the votes look
    at, so that a difference that keeps raising alarms is not called a return. Both `n` count
    independent values; the reference's own error is in the doubt.
    """
    doubt = sqrt(1 / reference_n + 1 / fresh_n)
    shift = float(scores.mean())
    widening = (float((scores**2).mean()) - 1) / sqrt(2)
    return greatest_gap(scores) <= _KOLMOGOROV_99 * doubt and all(
        abs(moved) <= _NORMAL_99_TWO_SIDED * doubt for moved in (shift, widening)
    )


def greatest_gap(scores: Floats) -> float:
    """How far the scores' distribution function is from the normal one at most: 0 to 1."""
    shares = np.array([(1 + erf(score / sqrt(2))) / 2 for score in np.sort(scores).tolist()])
    steps = np.arange(len(scores) + 1) / len(scores)
    return float(max((steps[1:] - shares).max(), (shares - steps[:-1]).max()))


def days_differ(
    weekdays: Sequence[int], weekends: Sequence[int], variance_ratio: float = 1.0
) -> bool:
    """Whether there is enough of both kinds of days, and their shares differ: at one in twenty.

    Where they do and it does not show, the difference is small, and so is what it raises.
    """
    if min(sum(weekdays), sum(weekends)) < LEAST_N:
        return False
    kinds = dict(enumerate(weekdays)), dict(enumerate(weekends))
    return not counts_agree(*kinds, variance_ratio, quantile=_NORMAL_95)


def counts_agree(
    reference: Mapping[_Cell, int],
    fresh: Mapping[_Cell, int],
    variance_ratio: float = 1.0,
    *,
    quantile: float = _NORMAL_99,
) -> bool:
    """Whether two counts of words may be of one mixture: the G test (Sokal & Rohlf, "Biometry").

    Words too rare for it are counted together. Where words depend on each other it is divided by
    their variance ratio (Rao & Scott 1981). `quantile`: that of a normal score, at 1 % by default.
    """
    totals = sum(reference.values()), sum(fresh.values())
    least = _LEAST_EXPECTED * sum(totals) / min(totals)
    pairs, rest = [], (0, 0)
    for word in {**reference, **fresh}:
        pair = reference.get(word, 0), fresh.get(word, 0)
        if sum(pair) >= least:
            pairs.append(pair)
        else:
            rest = rest[0] + pair[0], rest[1] + pair[1]
    if sum(rest):
        pairs.append(rest)
    if len(pairs) < 2:
        return True
    return _g(pairs, totals) <= variance_ratio * chi_squared(len(pairs) - 1, quantile)


def shares_apart(reference: Mapping[str, int], fresh: Mapping[str, int]) -> float:
    """The total variation between two mixtures: 0 to 1."""
    totals = sum(reference.values()), sum(fresh.values())
    words = {**reference, **fresh}
    return (
        sum(
            abs(reference.get(word, 0) / totals[0] - fresh.get(word, 0) / totals[1])
            for word in words
        )
        / 2
    )


def _g(pairs: list[tuple[int, int]], totals: tuple[int, int]) -> float:
    both = sum(totals)
    return 2 * sum(
        n * log(n * both / (sum(pair) * total))
        for pair in pairs
        for n, total in zip(pair, totals, strict=True)
        if n
    )
