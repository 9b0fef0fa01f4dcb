"""The loops of `detectors.day_levels`: scores to innovations, and what parts and days have told.

One array holds it all: the sums that outlast a reference, the variances that they tell, and what
fills: the part of a day and the one before it, the day and the two before it, and what those tell
of the next scores.
"""

from math import log, sqrt

from detectors._compiled import compiled
from detectors._contract import Floats, Ints
from detectors._day_variance import (
    DIFFERENCES,
    EXPECTED,
    ONE_IN_6,
    ONE_IN_44,
    VARIANCE,
    day_n,
    day_variance,
)
from detectors._day_variance import SUMS_N as _PAIRS_N

PARTS_N = 4
HOURS_N = 24 // PARTS_N
_LEVELS = slice(0, _PAIRS_N)
_SPREADS = slice(_LEVELS.stop, _LEVELS.stop + _PAIRS_N)
_PARTS = slice(_SPREADS.stop, _SPREADS.stop + _PAIRS_N)
_BY_PARTS = _PARTS.stop  # by how much levels of parts would add to the differences of days
_TWO_APART = slice(_BY_PARTS + 1, _BY_PARTS + 1 + _PAIRS_N)  # of each day and the last but one
SUMS_N = _TWO_APART.stop
OF_DAYS, OF_PARTS, FOLLOWS, DRAWN, WHEN = range(SUMS_N, SUMS_N + 5)
_N, _SUM, _SQUARES, _OF_PARTS_N = range(4)
PART = WHEN + 1
_PART = slice(PART, PART + 3)
_PART_BEFORE = slice(_PART.stop, _PART.stop + 3)
DAY = _PART_BEFORE.stop
_DAY = slice(DAY, DAY + 4)
_DAY_BEFORE = slice(_DAY.stop, _DAY.stop + 4)
_DAY_BEFORE_THAT = slice(_DAY_BEFORE.stop, _DAY_BEFORE.stop + 4)
WEIGHT = _DAY_BEFORE_THAT.stop
_WEIGHED, _CARRIED, _CARRIED_KNOWN, _CARRIED_SHIFT = range(WEIGHT + 1, WEIGHT + 5)
_LEVEL, _VARIANCE, _SHOWN = range(_CARRIED_SHIFT + 1, _CARRIED_SHIFT + 4)
LENGTH = _SHOWN + 1
_ASSUMED = 0.05**2  # of the variance of single scores, not of what they are worth
_ASSUMED_OF_SPREADS = 0.05**2  # of that of single squares: days that differ by 3.5 %
_ROUNDED = 1e-9
_OF_BOTH = 5 / 3  # pairs of days one apart and two apart have days in common
_MOST, _DOUBTED_FREEDOM = 0.8, 6.0  # how far days may follow each other, and how slowly it is told


@compiled
def read(scores: Floats, weekhours: Ints, seen: Floats, ratios: Floats, told: Floats) -> bool:
    """Fill rows of innovations, what they show and what is drawn; whether any is not its score.

    `ratios` are those by which scores, and squares, vary within a day beyond independent ones.
    """
    found, shown, drawn = told[0], told[1], told[2]
    are_others = False
    for place, score in enumerate(scores):
        when = weekhours[place] // HOURS_N
        if seen[WHEN] != when:
            end_part(seen, ratios)
            if seen[WHEN] // PARTS_N != when // PARTS_N:
                end_day(seen, ratios)
            seen[WHEN] = when
            expect(seen)
        variance, n = seen[_VARIANCE], seen[PART + _N]
        found[place], shown[place], drawn[place] = score, 1.0, seen[DRAWN]
        if variance > 0:
            left = 1 / (1 + n * variance)
            within = 1 / (1 + seen[OF_DAYS] + seen[OF_PARTS])
            sd = sqrt(within * (1 + ratios[0] * variance * left))
            found[place] = (score - left * (seen[_LEVEL] + variance * seen[PART + _SUM])) / sd
            shown[place] = min(seen[_SHOWN] * left / sd, 1.0)
            are_others = True
        seen[PART + _N] += 1
        seen[PART + _SUM] += score
        seen[PART + _SQUARES] += score * score
    return are_others


@compiled
def expect(seen: Floats) -> None:
    """What is known of the level of a part: by the parts of the day before it, and the day before.

    What is carried from the day before is its level, by how much that makes the variance of this
    day's smaller, and what it has of a lasting shift.
    """
    of_day = seen[OF_DAYS] - seen[_CARRIED_KNOWN]
    left = 1 / (1 + of_day * seen[WEIGHT])
    seen[_LEVEL] = left * (seen[_CARRIED] + of_day * seen[_WEIGHED])
    seen[_VARIANCE] = of_day * left + seen[OF_PARTS]
    seen[_SHOWN] = left * (1 - seen[_CARRIED_SHIFT])


@compiled
def end_part(seen: Floats, ratios: Floats) -> None:
    """A part is full: how far its mean differs from that of the one before it on the same day."""
    part, before, day = seen[_PART], seen[_PART_BEFORE], seen[_DAY]
    n = part[_N]
    if n == 0:
        return
    _add_pair(seen[_PARTS], part, before, ratios[0])
    day[:_OF_PARTS_N] += part
    day[_OF_PARTS_N] += n * n
    weight = n / (1 + n * seen[OF_PARTS])
    seen[WEIGHT] += weight
    seen[_WEIGHED] += weight * part[_SUM] / n
    before[:] = part
    part[:] = 0.0


@compiled
def end_day(seen: Floats, ratios: Floats) -> None:
    """A day is full, its last part ended: how far it differs from the one before it."""
    day, before = seen[_DAY], seen[_DAY_BEFORE]
    if day[_N] == 0:
        return
    weight = _add_pair(seen[_LEVELS], day, before, ratios[0])
    if weight > 0:
        by_parts = day[_OF_PARTS_N] / day[_N] ** 2 + before[_OF_PARTS_N] / before[_N] ** 2
        seen[_BY_PARTS] += weight * weight * by_parts / 2
    _add_pair(seen[_TWO_APART], day, seen[_DAY_BEFORE_THAT], ratios[0])
    _add_spreads(seen[_SPREADS], day, before, ratios[1])
    seen[_DAY_BEFORE_THAT] = before
    before[:] = day
    day[:] = 0.0
    seen[_PART_BEFORE] = 0.0
    _carry(seen, ratios)


@compiled
def _carry(seen: Floats, ratios: Floats) -> None:
    """Weigh days anew, and what the one that is over tells of the next."""
    expect(seen)
    variance = seen[_VARIANCE] - seen[OF_PARTS]
    reckon(seen, ratios)
    follows = seen[FOLLOWS]
    seen[_CARRIED] = follows * seen[_LEVEL]
    seen[_CARRIED_KNOWN] = follows**2 * max(seen[OF_DAYS] - variance, 0.0)
    seen[_CARRIED_SHIFT] = follows * (1 - seen[_SHOWN])
    seen[WEIGHT] = seen[_WEIGHED] = 0.0


@compiled
def reckon(seen: Floats, ratios: Floats) -> None:
    """The variances that the sums tell, and how far days follow each other."""
    levels, spreads = seen[_LEVELS], seen[_SPREADS]
    seen[OF_PARTS] = day_variance(seen[_PARTS], day_n(seen[_PARTS]), 1.0, 0.0, ONE_IN_44)
    beside, assumed = 1.0, _ASSUMED / ratios[0]
    if levels[EXPECTED] > 0:
        beside += seen[OF_PARTS] * seen[_BY_PARTS] / levels[EXPECTED]
    both = levels + seen[_TWO_APART]
    if seen[_TWO_APART][EXPECTED] > 0:
        both[VARIANCE] *= _OF_BOTH
    seen[OF_DAYS] = day_variance(both, day_n(levels), beside, assumed, ONE_IN_6)
    seen[FOLLOWS] = 0.0
    if seen[OF_DAYS] > assumed:
        follows = _follows(levels, seen[_TWO_APART], beside)
        seen[OF_DAYS] /= 1 - (follows + follows**2) / 2
        seen[FOLLOWS] = follows
    of_spreads = day_variance(spreads, day_n(spreads), 1.0, _ASSUMED_OF_SPREADS, ONE_IN_44)
    seen[DRAWN] = 1 / sqrt(1 + of_spreads * day_n(spreads))


@compiled
def _follows(levels: Floats, two_apart: Floats, beside: float) -> float:
    """How far the level of a day is that of the day before, drawn towards not at all.

    If by f, levels of days one apart differ by twice the variance times 1 - f, two apart times 1 -
    f^2. As many days tell of it as there are, less where most of what they differ by is chance.
    """
    if two_apart[EXPECTED] == 0:
        return 0.0
    one = levels[DIFFERENCES] / levels[EXPECTED]
    two = two_apart[DIFFERENCES] / two_apart[EXPECTED]
    told = min(max(two - one, 0.0) / max(one - beside, _ROUNDED), _MOST)
    no_chance = max(1 - 2 * beside / (one + two), 0.0)
    freedom = no_chance**2 * 2 * levels[EXPECTED] * levels[EXPECTED] / levels[VARIANCE]
    return float(told * freedom / (freedom + _DOUBTED_FREEDOM))


@compiled
def lasting_variance(seen: Floats) -> float:
    """That of days which do not follow each other, as many of which would tell as little."""
    return float(seen[OF_DAYS] * (1 + seen[FOLLOWS]) / (1 - seen[FOLLOWS]))


@compiled
def level_ratio(seen: Floats) -> float:
    """So many scores of whole days are worth as much as an independent one."""
    of_parts = seen[OF_PARTS] * day_n(seen[_PARTS])
    return float(1 + of_parts + lasting_variance(seen) * day_n(seen[_LEVELS]))


@compiled
def _add_pair(sums: Floats, block: Floats, before: Floats, within_ratio: float) -> float:
    """How far the mean of a block differs from that of the one before; what the pair weighs.

    Chance is that of dealing out all that came in both, so whatever they spread by now; the
    variance of the square is that of dealing out, and of the pair before, which shares a block.
    """
    n = block[_N] + before[_N]
    if block[_N] == 0 or before[_N] == 0 or n <= 2:
        return 0.0
    mean = (block[_SUM] + before[_SUM]) / n
    spread = (block[_SQUARES] + before[_SQUARES] - n * mean * mean) / (n - 1)
    if spread <= 0:
        return 0.0
    weight = 2 * block[_N] * before[_N] / n
    apart = block[_SUM] / block[_N] - before[_SUM] / before[_N]
    sums[DIFFERENCES] += weight * apart * apart * weight / (within_ratio * spread * 2)
    sums[EXPECTED] += weight
    sums[VARIANCE] += 3 * weight * weight * (n - 2) / (n + 1)
    return float(weight)


@compiled
def _add_spreads(sums: Floats, day: Floats, before: Floats, within_ratio: float) -> None:
    """How far the logarithm of a day's variance differs from that of the day before.

    By chance that of n scores varies by 2 / (n - 1) + 2 / (n - 1)^2 (the trigamma function of half
    the freedom).
    """
    spread, spread_before = _spread(day), _spread(before)
    if spread > 0 and spread_before > 0:
        n, before_n = day[_N] - 1, before[_N] - 1
        weight = 2 * n * before_n / (n + before_n)
        by_chance = 2 / n + 2 / n**2 + 2 / before_n + 2 / before_n**2
        apart = log(spread / spread_before)
        sums[DIFFERENCES] += weight * apart * apart / (within_ratio * by_chance)
        sums[EXPECTED] += weight
        sums[VARIANCE] += 3 * weight * weight


@compiled
def _spread(day: Floats) -> float:
    """0 of fewer than two scores, or where rounding is all there is."""
    if day[_N] < 2:
        return 0.0
    left = day[_SQUARES] - day[_SUM] * day[_SUM] / day[_N]
    return float(left / (day[_N] - 1)) if left > _ROUNDED * day[_SQUARES] else 0.0
