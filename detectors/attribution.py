"""Which parts of the data moved: the fewest that explain a change, adjusted for their mix.

Rows have a value and, for each field, the part of the studies that they are of. What each part adds
is fitted on the reference and subtracted, so that a part that merely comes more often is not blamed
(STATISTICS: mix adjustment). Of what is left, {all} and the parts are taken one by one, whichever
explains most, until nothing passes 2 ln(candidates / .01): matching pursuit (Mallat and Zhang 1993)
with the refit of Pati et al. 1993; the threshold is that of Donoho and Johnstone's universal one,
with a chance of .01 over all candidates. What a later choice has made needless is dropped again.
Shares are tested beside it, and said as mix (detectors.mix). Where a part was that the reference
hardly had nobody knows, so it cannot have moved: its rows are left out, and are mix alone.

A part is held against the spread that it had in the reference, as in a score test (Rao 1948): that
of a rare yes grows with its share, and would hide what moved it. Where the present rows spread
less, against theirs; and never against less than the spread of all that is left, since a part may
stand still.
"""

from math import log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Floats, Ints
from detectors.baseline import ALL, UNKNOWN, Baseline, Candidate, Codes, counts_of
from detectors.mix import other_shares

_CHANCE = 0.01
_LEAST_N = 5
_MOST_FOUND = 20


class Found(NamedTuple):
    """A part that moved: its share of the current rows, its shift in sd of the reference."""

    candidate: Candidate
    share: float
    shift: float


class Attribution(NamedTuple):
    """What moved, the strongest first; and the fields whose values come in other shares."""

    found: tuple[Found, ...]
    mix: tuple[int, ...]


def attribute(baseline: Baseline, values: Floats, codes: Codes) -> Attribution:
    """What moved in these rows against the reference; nothing where there are none."""
    counts = counts_of(codes, baseline.counts.shape[1])
    mix, n = other_shares(baseline.counts, counts, _CHANCE), len(values)
    known_parts = _known_parts(baseline, codes)
    values, codes = values[known_parts], codes[known_parts]
    if not len(values):
        return Attribution((), mix)
    counts = counts_of(codes, baseline.counts.shape[1])
    candidates = [ALL, *_candidates(counts)]
    rows = np.column_stack([_rows_of(candidate, codes) for candidate in candidates])
    known = _Known(
        np.array([baseline.n_of(candidate) for candidate in candidates]),
        np.array([baseline.variance_of(candidate) for candidate in candidates]),
        baseline.variance_of(ALL),
    )
    chosen, shifts = _pursue(baseline.left(values, codes), rows, known)
    share = rows.sum(axis=0) / n
    pairs = zip(chosen, shifts, strict=True)
    found = [Found(candidates[c], float(share[c]), shift) for c, shift in pairs]
    strongest = sorted(found, key=lambda one: -abs(one.shift) * sqrt(one.share))
    return Attribution(tuple(strongest), mix)


def shift_of(baseline: Baseline, values: Floats, codes: Codes, candidate: Candidate) -> Found:
    """How far one part moved, whether or not that is more than chance."""
    rows = _rows_of(candidate, codes).astype(bool)
    left = baseline.left(values, codes)[rows]
    return Found(candidate, float(rows.mean()), float(left.mean()) if len(left) else 0.0)


class _Known(NamedTuple):
    """Of each candidate the reference's rows and their variance; the variance of all of them."""

    n: Floats
    variances: Floats
    variance: float


def _pursue(left: Floats, rows: Floats, known: _Known) -> tuple[list[int], list[float]]:
    """The columns that explain what is left, and by how much each."""
    threshold = 2 * log(rows.shape[1] / _CHANCE)
    totals = rows.sum(axis=0)
    chosen: list[int] = []
    unexplained = left
    while len(chosen) < _MOST_FOUND:
        means = rows.T @ unexplained / totals
        variances = _variances(unexplained, rows, totals, means, known)
        gains = means * means / (variances * (1 / totals + 1 / known.n))
        gains[chosen] = 0.0
        best = int(gains.argmax())
        if gains[best] <= threshold:
            break
        chosen.append(best)
        unexplained = left - rows[:, chosen] @ _fit(left, rows[:, chosen])
    return _needed(left, rows, known, chosen, threshold)


def _needed(
    left: Floats, rows: Floats, known: _Known, chosen: list[int], threshold: float
) -> tuple[list[int], list[float]]:
    """Without those that the others explain as well."""
    while chosen:
        columns = rows[:, chosen]
        shifts = _fit(left, columns)
        variance = _variance(left - columns @ shifts, known)
        uncertain = np.diag(np.linalg.pinv(columns.T @ columns)) + 1 / known.n[chosen]
        gains = shifts * shifts / (variance * uncertain)
        least = int(gains.argmin())
        if gains[least] > threshold:
            return chosen, shifts.tolist()
        chosen = [*chosen[:least], *chosen[least + 1 :]]
    return [], []


def _variances(left: Floats, rows: Floats, totals: Floats, means: Floats, known: _Known) -> Floats:
    """That each candidate has without having moved: the lesser one of before and now."""
    squares: Floats = rows.T @ (left * left)
    now = squares / totals - means * means
    return np.minimum(known.variances, now).clip(_variance(left, known))


def _variance(left: Floats, known: _Known) -> float:
    """That of all rows, never less than the reference's."""
    return max(float(left.var()), known.variance)


def _fit(left: Floats, columns: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(columns, left, rcond=None)[0], np.float64)


def _known_parts(baseline: Baseline, codes: Codes) -> NDArray[np.bool_]:
    """The rows of whose parts, one and all, the reference had enough."""
    known = np.ones(len(codes), np.bool_)
    for field, before in enumerate(baseline.counts):
        known &= (before >= _LEAST_N)[codes[:, field]]
    return known


def _candidates(counts: Ints) -> list[Candidate]:
    """The parts that have rows enough."""
    fields, codes = np.nonzero(counts >= _LEAST_N)
    return [(int(f), int(c)) for f, c in zip(fields, codes, strict=True) if c != UNKNOWN]


def _rows_of(candidate: Candidate, codes: Codes) -> Floats:
    field, code = candidate
    if candidate == ALL:
        return np.ones(len(codes))
    rows: Floats = (codes[:, field] == code).astype(np.float64)
    return rows
