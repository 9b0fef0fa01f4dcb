"""How much observations that follow each other depend on each other, and what it takes away.

The variance of a mean of n dependent observations is that of n / r independent ones. r, the
variance ratio, is estimated by batch means (Alexopoulos & Seila 1998, "Output data analysis"): the
variance of the means of blocks, over what it would be were they independent. Scores divided by the
square root of r keep the promise; where r is not above 1 by a standard error (1.02 sqrt(37.4 / n),
measured on independent values) and by .2, of categories .3, it is left at 1. Where it is, and the
sample is short, it is taken half a standard error greater: one too small costs more than one too
great.
"""

from math import sqrt

import numpy as np

from detectors._contract import MIN_REFERENCE_N, Dependence, Floats, Ints
from detectors._normal import spreads

_BLOCKS_N = (8, 16, 32)
_FEW_BLOCKS = 4
_GROWS = 1.3
_SMALL = 0.2  # measured: a smaller excess leaves the promise kept, and costs delay if divided out
_SMALL_OF_CATEGORIES = 0.3  # as what is watched goes on telling it
_SHORT_BLOCKS = 1.15  # a block shorter than the memory of the series shows too little of it
_SHORT_N = 1_000
_SHORT_BOUND = 0.5  # measured: held to the estimate, references of 500 do not keep the promise
_QUARTERS = 4
_LEAST_QUARTER_N = 64  # measured: up to 256 a day the other blocks see enough of the hours
_LEAST_QUARTERS = 6
_ONE_IN_20 = 1.645
_FREQUENT_N = 10  # rarer categories are one, and show how they follow each other only together


def dependence(
    scores: Floats,
    cycles_n: int | None = None,
    *,
    expected: bool = False,
    small: float = _SMALL,
) -> Dependence:
    """The dependence within a sample's normal scores, in the order in which they came.

    Of several columns the mean ratio is taken, weighed by their variances.

    Where a cycle was learnt from the same sample and taken out, its error comes back with each turn
    of the cycle: as much variance again as `cycles_n` turns leave of their mean. Dependence that is
    `expected` need not show itself beyond chance; another by more than is `small`.
    """
    n, again = len(scores), 1 + 1 / cycles_n if cycles_n else 1.0
    ratios = {block_n: _ratio(scores, block_n) for block_n in _BLOCKS_N if _fits(block_n, n)}
    mean = sum(ratios.values()) / len(ratios) if ratios else 1.0
    by_chance = 1 + max(_error(n), small)
    if not ratios or (mean <= by_chance and not expected):
        return Dependence(again, 1, n / again, promised=n >= MIN_REFERENCE_N)
    block_n, highest, levelled = _plateau(scores)
    measured = max(mean, highest) if block_n >= max(ratios) else mean
    bound = 1 + _SHORT_BOUND * _error(n) if n < _SHORT_N else 1.0
    ratio = again * max(_SHORT_BLOCKS * bound * measured, 1.0)
    effective_n = n / ratio
    return Dependence(ratio, block_n, effective_n, levelled and effective_n >= MIN_REFERENCE_N)


def dependence_of_both(scores: Floats, cycles_n: int | None = None) -> Dependence:
    """The dependence of a sample's scores, and beside it that of their spread scores.

    Each form has its own, and what is promised of a series is promised of both. Where the level
    depends, some dependence of the spread is expected.
    """
    level = dependence(scores, cycles_n)
    spread = dependence(spreads(scores), cycles_n, expected=level.block_n > 1)
    return level._replace(promised=level.promised and spread.promised, spread_ratio=spread.ratio)


def dependence_of_categories(cells: Ints, per_day: float = 0.0) -> Dependence:
    """The dependence within a sample of categories, in the order in which they came.

    The ratio is the mean one of the shares (the design effect of Rao & Scott 1981, "The analysis of
    categorical data from complex sample surveys"). What days have of their own, each by little,
    stays below chance in a sample of a few days: `detectors.overdispersion` goes on measuring it.

    Shares that follow the hour differ by little from one block to the next, where many come
    `per_day`: those are looked at in quarters of a day as well.
    """
    shares = _indicators(cells)
    found = dependence(shares, small=_SMALL_OF_CATEGORIES)
    block_n = int(per_day / _QUARTERS)
    blocks_n = len(cells) // max(block_n, 1)
    if block_n <= _LEAST_QUARTER_N or blocks_n < _LEAST_QUARTERS:
        return found
    ratio = _ratio(shares, block_n)
    if ratio <= found.ratio * (1 + _ONE_IN_20 * sqrt(2 / blocks_n)):
        return found
    effective_n = len(cells) / ratio
    promised = found.promised and effective_n >= MIN_REFERENCE_N
    return Dependence(ratio, block_n, effective_n, promised)


def _indicators(cells: Ints) -> Floats:
    """A column for each frequent category and one for the others, weighing alike."""
    counts = np.bincount(cells)
    frequent = np.flatnonzero(counts >= _FREQUENT_N)
    columns = (cells[:, None] == frequent).astype(np.float64)
    columns = np.column_stack((columns, 1 - columns.sum(axis=1)))
    columns = columns[:, columns.any(axis=0)]
    weighed: Floats = columns / np.sqrt(columns.mean(axis=0))
    return weighed


def _plateau(scores: Floats) -> tuple[int, float, bool]:
    """The block from which the ratio grows no more, the highest ratio, and whether there is one."""
    block_n = _BLOCKS_N[0]
    ratio = _ratio(scores, block_n)
    while _fits(2 * block_n, len(scores)):
        longer = _ratio(scores, 2 * block_n)
        if longer <= _GROWS * ratio:
            return block_n, max(ratio, longer), True
        block_n, ratio = 2 * block_n, longer
    return block_n, ratio, False


def _error(n: int) -> float:
    """The standard error of the ratio of n values, as a share of it."""
    return 1.02 * sqrt(37.4 / max(n, 1))


def _fits(block_n: int, n: int) -> bool:
    return n // block_n >= _FEW_BLOCKS


def _ratio(scores: Floats, block_n: int) -> float:
    blocks = len(scores) // block_n
    means = scores[: blocks * block_n].reshape(blocks, block_n, -1).mean(axis=1)
    variance = float(scores.var(axis=0).sum())
    return block_n * float(means.var(axis=0, ddof=1).sum()) / variance if variance > 0 else 1.0
