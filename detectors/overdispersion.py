"""How much more the shares of blocks differ than those of independent observations would.

Measured as observations come, from each block and the one before it (von Neumann 1941,
"Distribution of the ratio of the mean square successive difference to the variance"), so that a
change is not taken for dependence: it comes between two blocks. Blocks are 16 observations in a
row, which shows patients and sittings, and local days, which have shares of their own where lists,
rooms and readers have. The excess is that of Rao & Scott (1981, "The analysis of categorical data
from complex sample surveys"): the mean one of the shares.

A reference of a few days cannot tell what days do; what is watched goes on telling it.
"""

from collections.abc import Sequence
from math import inf

import numpy as np

from detectors._compiled import compiled
from detectors._contract import Floats, Ints
from detectors.chi_squared import chi_squared_in_loops

BLOCK_N = 16
Sums = Sequence[Sequence[float]]
"""Of both kinds of blocks: squared differences, what they would be by chance, its variance."""
_BLOCKS, _DAYS = range(2)
_DIFFERENCES, _EXPECTED, _VARIANCE, _N, _WEEKDAY, _HEAD_N = range(6)
_FREQUENT_N = 10  # rarer cells follow chance so far from a normal one that they tell nothing
_LEAST_FREEDOM = 1.0  # of three days, of which the first and the last need not be whole
_ONE_IN_44 = 2.0
_ASSUMED_LOGIT = 0.1  # of a half it is .025, as the .05 sd of numbers are
_ASSUMED_DAY_N = 1_000.0  # what comes faster would be all but deaf until days are known
_ASSUMED_FREEDOM = 3.0


def nothing_seen(cells_n: int, sums: Sums = ()) -> Floats:
    """Before the first observation, with what a reference tells.

    A row for each kind of block, those of 16 observations and days: squared differences, what they
    would be by chance and the variance of that; how many observations are in the block that is
    filling, their day of the week, -1 before any; how often each cell came in the block before
    it, and in it.
    """
    seen = np.zeros((2, _HEAD_N + 2 * cells_n))
    seen[:, _WEEKDAY] = -1
    if len(sums):
        seen[:, :_N] = sums
    return seen


def overdispersion_of(cells: Ints, weekdays: Ints) -> list[list[float]]:
    """The sums of a sample, in the order in which it came; each with its local day of the week."""
    counts = np.bincount(cells).astype(np.float64)
    seen = nothing_seen(len(counts))
    _add_all(seen, frequent_shares(counts), cells, weekdays)
    _end(seen, frequent_shares(counts), _DAYS)
    sums: list[list[float]] = seen[:, :_N].tolist()
    return sums


def frequent_shares(counts: Floats) -> Floats:
    """The share of each cell in a reference; 0 for one that is too rare to tell anything."""
    shares: Floats = np.where(counts >= _FREQUENT_N, counts, 0.0) / counts.sum()
    return shares


def sums_of(seen: Sums) -> list[list[float]]:
    """The sums in what was written of all that was seen."""
    return [[*row[:_N]] for row in seen]


def more_of(one: Sums, other: Sums) -> Sums:
    """Those of two that know more of days."""
    is_more = len(other) and (not len(one) or other[_DAYS][_EXPECTED] > one[_DAYS][_EXPECTED])
    return other if is_more else one


def together(parts: Sequence[Sums]) -> Sums:
    """The sums of all parts: of weekdays, and of weekends."""
    return [
        [sum(numbers) for numbers in zip(*rows, strict=True)] for rows in zip(*parts, strict=True)
    ]


def ratio_told(sums: Sums, counts: Sequence[int]) -> float:
    """See `ratio_of`; of cells that came so often."""
    shares = frequent_shares(np.array(counts, dtype=np.float64))
    return float(ratio_of(nothing_seen(len(counts), sums), shares, 0.0))


def are_sums(sums: Sums) -> bool:
    """Whether these are sums of both kinds of blocks."""
    return [len(row) for row in sums] in ([], [_N, _N]) and all(
        0 <= number < inf for row in sums for number in row
    )


@compiled
def is_due(seen: Floats, weekday: float) -> bool:
    """Whether a block ends before an observation of this day of the week."""
    return bool(seen[_BLOCKS, _N] == BLOCK_N or seen[_DAYS, _WEEKDAY] != weekday)


@compiled
def end_blocks(seen: Floats, shares: Floats, weekday: float) -> None:
    """End those that end before an observation of this day of the week."""
    if seen[_BLOCKS, _N] == BLOCK_N:
        _end(seen, shares, _BLOCKS)
    if seen[_DAYS, _WEEKDAY] != weekday:
        _end(seen, shares, _DAYS)
        seen[_DAYS, _WEEKDAY] = weekday


@compiled
def add(seen: Floats, filling: int, cell: int) -> None:
    """One observation more; `filling` is the place after the counts of the blocks before."""
    for kind in range(2):
        seen[kind, _N] += 1
        seen[kind, filling + cell] += 1


@compiled
def filling_at(cells_n: int) -> int:
    """Where the counts of the blocks that are filling begin."""
    return _HEAD_N + cells_n


@compiled
def ratio_of(seen: Floats, shares: Floats, per_day: float) -> float:
    """So many observations are worth as much as one independent one; 1 where it may be chance.

    The greater one of both kinds of blocks. Above 1 only where chance alone would show so much
    once in 44, and then by a standard error more than it
    is estimated: one too small costs more than one too great. Of days it is the mean ratio of the
    shares; where a mixture of three or more moves, it moves along fewer ways than it has, for which
    it counts twice. Until days have told enough they are taken to differ by a tenth in the logit.
    """
    highest = 1.0
    for kind in range(2):
        expected, variance = seen[kind, _EXPECTED], seen[kind, _VARIANCE]
        freedom = 2 * expected * expected / variance if variance > 0 else 0.0
        if kind == _DAYS:
            fading = _ASSUMED_FREEDOM / (_ASSUMED_FREEDOM + freedom)
            highest = max(highest, 1 + fading * _assumed(seen, shares, per_day))
        if freedom < _LEAST_FREEDOM:
            continue
        ratio, error = seen[kind, _DIFFERENCES] / expected, np.sqrt(variance) / expected
        if ratio * freedom > chi_squared_in_loops(freedom, _ONE_IN_44):
            ways = 2 if kind == _DAYS and (shares > 0).sum() > 2 else 1
            highest = max(highest, 1 + ways * (ratio * (1 + error) - 1))
    return highest


@compiled
def _assumed(seen: Floats, shares: Floats, per_day: float) -> float:
    """By how much the ratio of days is above 1 if all shares have logits of their own by the day.

    A share p then varies by (_ASSUMED_LOGIT p (1 - p))^2. A day has as many as the last that ended,
    `per_day` before one has, but no more than a thousand.
    """
    day_n, cells_n, varies, weight = 0.0, len(shares), 0.0, 0.0
    for cell in range(cells_n):
        day_n += seen[_DAYS, _HEAD_N + cell]
        rest = 1 - shares[cell]
        if 0 < shares[cell] < 1:
            varies += shares[cell] * rest * rest
            weight += rest
    if weight <= 0:
        return 0.0
    day_n = min(day_n if day_n > 0 else per_day, _ASSUMED_DAY_N)
    return day_n * _ASSUMED_LOGIT * _ASSUMED_LOGIT * varies / weight


@compiled
def _add_all(seen: Floats, shares: Floats, cells: Ints, weekdays: Ints) -> None:
    for place, cell in enumerate(cells):
        if is_due(seen, weekdays[place]):
            end_blocks(seen, shares, weekdays[place])
        add(seen, filling_at(len(shares)), cell)


@compiled
def _end(seen: Floats, shares: Floats, kind: int) -> None:
    """A block is full: how far it differs from the one before, weighed by their sizes.

    Chance is that of dealing out what came in both of them (hypergeometric), so whatever the shares
    are by now; those of the reference weigh cells alone.
    """
    cells_n, before_n, n = len(shares), 0.0, seen[kind, _N]
    for cell in range(cells_n):
        before_n += seen[kind, _HEAD_N + cell]
    if before_n > 0 and n > 0:
        together_n, weight = before_n + n, 2 * before_n * n / (before_n + n)
        difference, expected, variance = 0.0, 0.0, 0.0
        for cell in range(cells_n):
            before, filling = seen[kind, _HEAD_N + cell], seen[kind, _HEAD_N + cells_n + cell]
            share, k = shares[cell], before + filling
            if 0 < share < 1 and 0 < k < together_n:
                apart = filling / n - before / before_n
                by_chance = k / together_n * (1 - k / together_n) / share
                difference += apart * apart / share
                expected += by_chance
                rest = (1 - 1 / k) * (1 - 1 / (together_n - k))
                variance += by_chance * by_chance * rest / (1 - share)
        seen[kind, _DIFFERENCES] += weight * weight * difference / 2 * (1 - 1 / together_n)
        seen[kind, _EXPECTED] += weight * expected
        seen[kind, _VARIANCE] += 3 * weight * weight * variance  # 2, and 1 with the pair before
    for cell in range(cells_n):
        seen[kind, _HEAD_N + cell] = seen[kind, _HEAD_N + cells_n + cell]
        seen[kind, _HEAD_N + cells_n + cell] = 0.0
    seen[kind, _N] = 0.0
