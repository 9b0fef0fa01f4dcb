"""Whether a fresh sample shows no difference from a reference: has a series returned? At 1 %."""

from collections.abc import Mapping
from math import erf, log, sqrt

import numpy as np

from detectors.chi_squared import chi_squared
from streams.seen import Floats

_KOLMOGOROV_99 = 1.63
_NORMAL_99_TWO_SIDED = 2.576
_NORMAL_99 = 2.326
_LEAST_EXPECTED = 5.0


def scores_agree(scores: Floats, reference_n: float, fresh_n: float) -> bool:
    """Whether fresh scores look like normal ones: those of the reference that they were made with.

    Their distribution (Kolmogorov and Smirnov), their mean and their spread: what the votes look
    at, so that a difference that keeps raising alarms is not called a return. Both `n` count
    independent values; the reference's own error is in the doubt.
    """
    doubt = sqrt(1 / reference_n + 1 / fresh_n)
    shift = float(scores.mean())
    widening = (float((scores**2).mean()) - 1) / sqrt(2)
    return _greatest_gap(scores) <= _KOLMOGOROV_99 * doubt and all(
        abs(moved) <= _NORMAL_99_TWO_SIDED * doubt for moved in (shift, widening)
    )


def _greatest_gap(scores: Floats) -> float:
    """How far the scores' distribution function is from the normal one at most."""
    shares = np.array([(1 + erf(score / sqrt(2))) / 2 for score in np.sort(scores).tolist()])
    steps = np.arange(len(scores) + 1) / len(scores)
    return float(max((steps[1:] - shares).max(), (shares - steps[:-1]).max()))


def counts_agree(
    reference: Mapping[str, int], fresh: Mapping[str, int], variance_ratio: float = 1.0
) -> bool:
    """Whether two counts of words may be of one mixture: the G test (Sokal & Rohlf, "Biometry").

    Words too rare for it are counted together. Where words depend on each other it is divided by
    their variance ratio (Rao & Scott 1981).
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
    return _g(pairs, totals) <= variance_ratio * chi_squared(len(pairs) - 1, _NORMAL_99)


def _g(pairs: list[tuple[int, int]], totals: tuple[int, int]) -> float:
    both = sum(totals)
    return 2 * sum(
        n * log(n * both / (sum(pair) * total))
        for pair in pairs
        for n, total in zip(pair, totals, strict=True)
        if n
    )
