"""The loop of CatSR over observations and starts: see `detectors.cat_sr`."""

import numpy as np

from detectors._compiled import compiled
from detectors._contract import Floats, Ints
from detectors._starts import BORN_N, CHUNK_N, EVERY_N, ROOM_N, N, Starts, thin, wait
from detectors.overdispersion import add, end_blocks, filling_at, is_due, ratio_of

PRIORS_N = (5.0, 20.0, 100.0)
PSEUDO_COUNT = 0.5
_PRIOR_PARTS = np.array([0.1, 0.45, 0.45])  # what is bold finds a new value at once anyway
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
    filling, pseudo_n = filling_at(cells_n), PSEUDO_COUNT * cells_n
    m, moved, since, since_n, ratio, near = np.empty((6, ROOM_N))
    for place, cell in enumerate(cells):
        if is_due(seen, weekdays[place]):
            end_blocks(seen, shares, weekdays[place])
            totals[-1] = 1 / max(least_ratio, ratio_of(seen))
        add(seen, filling, cell)
        wait(starts, days[place], totals, _PRIOR_PARTS, threshold)
        born_n, n = int(clock[BORN_N]), clock[N]
        if place == 0 or n % EVERY_N == 0:
            least, most = _extremes(totals_then, cells_n, born_n)
        now, usual = totals[cell], reference[cell]
        known, known_n = usual * least + PSEUDO_COUNT, reference_n * least + pseudo_n
        share_now = (now * least + known) / (n * least + known_n)
        for start in range(born_n):
            then = totals_then[cell, start] * least
            moved[start] = (then + known) / ((began[start] * least + known_n) * share_now)
            since[start] = (now * least - then) / share_now
            since_n[start] = (n - began[start]) * least
            m[start] = 0.0
        if least < most:
            _weigh_each(moved, since, since_n, starts, cell, now, n, usual, reference_n)
        for prior, prior_n in enumerate(PRIORS_N):
            for start in range(born_n):
                ratio[start] = (moved[start] * prior_n + since[start]) / (since_n[start] + prior_n)
            if least < 1:
                _raise_each(ratio[:born_n], totals_then[cells_n], near[:born_n], least == most)
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
def _extremes(totals_then: Floats, cells_n: int, born_n: int) -> tuple[float, float]:
    """The least and the most that a start counts of an observation."""
    least, most = 1.0, 0.0
    for start in range(born_n):
        least = min(least, totals_then[cells_n, start])
        most = max(most, totals_then[cells_n, start])
    return least, most


@compiled
def _weigh_each(
    moved: Floats,
    since: Floats,
    since_n: Floats,
    starts: Starts,
    cell: int,
    now: float,
    n: float,
    usual: float,
    usual_n: float,
) -> None:
    """The same where starts count different parts of an observation."""
    clock, began, totals_then, _ = starts
    cells_n = len(totals_then) - 1
    for start in range(int(clock[BORN_N])):
        counted = totals_then[cells_n, start]
        known, known_n = usual * counted + PSEUDO_COUNT, usual_n * counted + PSEUDO_COUNT * cells_n
        share_now = (now * counted + known) / (n * counted + known_n)
        then = totals_then[cell, start] * counted
        moved[start] = (then + known) / ((began[start] * counted + known_n) * share_now)
        since[start] = (now * counted - then) / share_now
        since_n[start] = (n - began[start]) * counted


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
