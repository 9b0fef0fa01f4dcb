"""The loop of CatSR over observations and starts: see `detectors.cat_sr`.

Tempered evidence is that of a likelihood to the power p, integrated over the shares (O'Hagan 1995,
"Fractional Bayes factors for model comparison"): a product of ratios of gamma functions, in which
the order of observations does not matter. Were the shares that are foreseen raised to p instead, a
start would foretell the rest of a patient or a day from its first observations.
"""

import numpy as np

from detectors._compiled import compiled
from detectors._contract import Floats, Ints
from detectors._starts import BORN_N, CHUNK_N, EVERY_N, ROOM_N, N, Starts, thin, wait
from detectors.overdispersion import add, end_blocks, filling_at, is_due, ratio_of

PRIORS_N = (5.0, 40.0)
PSEUDO_COUNT = 0.5
_PRIOR_PARTS = np.array([0.1, 0.9])  # what is bold finds a new value at once anyway
_NEAR = 0.1


@compiled
def read(  # noqa: C901 - a call for each of its loops costs more than the loops
    cells: Ints,
    days: Floats,
    weekdays: Ints,
    starts: Starts,
    totals: Floats,
    seen: Floats,
    against: Floats,
    least_ratio: float,
    per_day: float,
    threshold: float,
) -> tuple[int, float]:
    """The place of the cell that alarmed, the last one read, and M then; -1 where none does.

    The ratio by which an observation multiplies evidence: the share of its cell after a change,
    with a prior of so many observations at the share before the start, over its share in all that
    came. Short loops over the starts, as each becomes one of vector instructions. The last of
    `totals` is what a start that begins counts of an observation, 1 / variance ratio. `against` has
    how often each cell occurred in the reference, and its share there (`frequent_shares`).
    """
    clock, began, totals_then, evidence = starts
    reference, shares = against
    cells_n, reference_n, least, most = len(reference), reference.sum(), 0.0, 0.0
    filling, pseudo_n, counted = filling_at(cells_n), PSEUDO_COUNT * cells_n, totals_then[-1]
    m, moved, since, since_n, ratio, near, rest = np.empty((7, ROOM_N))
    counts = np.empty((4, ROOM_N))
    changed, changed_n, usual, usual_n = counts
    for place, cell in enumerate(cells):
        if is_due(seen, weekdays[place]):
            end_blocks(seen, shares, weekdays[place])
            totals[-1] = 1 / max(least_ratio, ratio_of(seen, shares, per_day))
        add(seen, filling, cell)
        wait(starts, days[place], totals, _PRIOR_PARTS, threshold)
        born_n, n = int(clock[BORN_N]), clock[N]
        if place == 0 or n % EVERY_N == 0:
            least, most = counted[:born_n].min(), counted[:born_n].max()
        now, known = totals[cell], reference[cell]
        for start in range(born_n):
            part, then = counted[start], totals_then[cell, start]
            before = (known + then) * part + PSEUDO_COUNT
            before_n = (reference_n + began[start]) * part + pseudo_n
            moved[start] = before / before_n
            since[start], since_n[start] = (now - then) * part, (n - began[start]) * part
            usual[start], usual_n[start] = before + since[start], before_n + since_n[start]
            m[start] = 0.0
        for prior, prior_n in enumerate(PRIORS_N):
            for start in range(born_n):
                changed[start] = moved[start] * prior_n + since[start]
                changed_n[start] = since_n[start] + prior_n
                ratio[start] = changed[start] * usual_n[start] / (changed_n[start] * usual[start])
            if least < 1:
                _temper(ratio[:born_n], counts, counted, near, rest, least == most)
            for start in range(born_n):
                evidence[prior, start] *= ratio[start]
                m[start] += evidence[prior, start]
        total = m[:born_n].sum()
        totals[cell] += 1
        clock[N] += 1
        if total >= threshold:
            return place, total
        if clock[N] % CHUNK_N == 0:
            thin(starts)
    return -1, 0.0


@compiled
def _temper(
    ratios: Floats, counts: Floats, parts: Floats, near: Floats, rest: Floats, are_even: bool
) -> None:
    """The same where starts count parts of an observation: a ratio of ratios of gamma functions.

    gamma(x + p) / gamma(x) is x / (x + p) * (x + (1 + p) / 2)^p, exact for p = 1 (Tricomi & Erdelyi
    1951, "The asymptotic expansion of a ratio of gamma functions", after one step of recurrence):
    never more, and less by 2.3 % at x = 0, .5 % at 1, .05 % at 5. `near` and `rest` are room.
    """
    changed, changed_n, usual, usual_n = counts
    for start in range(len(ratios)):
        p, half = parts[start], (1 + parts[start]) / 2
        x, x_n, y, y_n = changed[start], changed_n[start], usual[start], usual_n[start]
        ratios[start] = (x + half) * (y_n + half) / ((x_n + half) * (y + half))
        rest[start] = x * (x_n + p) * (y + p) * y_n / ((x + p) * x_n * y * (y_n + p))
    _raise_each(ratios, parts, near, are_even)
    for start in range(len(ratios)):
        ratios[start] *= rest[start]


@compiled
def _raise(ratios: Floats, exponent: float, near: Floats) -> None:
    """Each ratio to the power. Near 1, where nearly all are, by the binomial series.

    That is off by less than 1e-8, and a tenth of the time; `near` has room for it.
    """
    second, third = (exponent - 1) / 2, (exponent - 2) / 3
    fourth, fifth, sixth = (exponent - 3) / 4, (exponent - 4) / 5, (exponent - 5) / 6
    for place in range(len(ratios)):
        x = ratios[place] - 1
        series = 1 + fourth * x * (1 + fifth * x * (1 + sixth * x))
        near[place] = 1 + exponent * x * (1 + second * x * (1 + third * x * series))
    for place in range(len(ratios)):
        is_near = 1 - _NEAR < ratios[place] < 1 + _NEAR
        ratios[place] = near[place] if is_near else ratios[place] ** exponent


@compiled
def _raise_each(ratios: Floats, exponents: Floats, near: Floats, are_even: bool) -> None:
    """The same for each stretch of starts with the same power; at once if all have one."""
    start = 0
    for stop in range(len(ratios) if are_even else 1, len(ratios) + 1):
        if stop == len(ratios) or exponents[stop] != exponents[start]:
            if exponents[start] < 1:
                _raise(ratios[start:stop], exponents[start], near[start:stop])
            start = stop
