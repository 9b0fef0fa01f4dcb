"""Which parts of the data moved: the fewest that explain a change, adjusted for their mix.

Rows have a value and, for each field, the part of the studies that they are of. What each part adds
is fitted on the reference and subtracted, so that a part that merely comes more often is not blamed
(STATISTICS: mix adjustment). Of what is left, {all} and the parts are taken one by one, whichever
explains most, until nothing passes 2 ln(candidates / .01): matching pursuit (Mallat and Zhang 1993)
with the refit of Pati et al. 1993; the threshold is that of Donoho and Johnstone's universal one,
with a chance of .01 over all candidates. What a later choice has made needless is dropped again.
Shares are tested beside it by two-sample G (Sokal and Rohlf), and said as mix.
"""

from math import log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Floats, Ints
from detectors._normal import quantiles

UNKNOWN = 0
"""The code of a row of whose part nothing is known, or that shares it with all the rest."""

ALL = (-1, 0)
"""The candidate that everything moved."""

_KNOTS_N = 512
_CHANCE = 0.01
_RIDGE_N = 1.0
_SWEEPS_N = 20
_LEAST_N = 5
_LEAST_EXPECTED = 5.0
_MOST_FOUND = 20

Codes = NDArray[np.uint8]
Candidate = tuple[int, int]
"""A field and the code of one of its values, or ALL."""


class Found(NamedTuple):
    """A part that moved: its share of the current rows, its shift in sd of the reference."""

    candidate: Candidate
    share: float
    shift: float


class Attribution(NamedTuple):
    """What moved, the strongest first; and the fields whose values come in other shares."""

    found: tuple[Found, ...]
    mix: tuple[int, ...]


class Baseline:
    """What is to be known of a reference: how values rank in it, what each part adds, how often.

    `effects[field][code]` are in sd of the reference's scores, `counts[field][code]` its rows.
    """

    def __init__(
        self, knots: Floats, level: tuple[float, float], effects: Floats, counts: Ints, sd: float
    ) -> None:
        self.knots = knots
        self.level = level
        self.effects = effects
        self.counts = counts
        self.sd = sd

    @classmethod
    def learn(cls, values: Floats, codes: Codes, width: int) -> "Baseline":
        """Of the reference's rows; codes are below `width`. ValueError for no rows.

        >>> codes = np.array([[1], [2], [1], [2]], np.uint8)
        >>> Baseline.learn(np.array([0.0, 9.0, 1.0, 8.0]), codes, 3).counts
        array([[0, 2, 2]])
        """
        if not len(values):
            raise ValueError("a reference needs rows")
        ordered = np.sort(values)
        places = np.linspace(0, len(ordered) - 1, min(len(ordered), _KNOTS_N)).round().astype(int)
        knots = ordered[places]
        raw = _ranked(knots, values)
        spread = float(raw.std())
        level = (float(raw.mean()), spread if spread > 0 else 1.0)
        scores = (raw - level[0]) / level[1]
        counts = _counts(codes, width)
        effects = _additive(scores, codes, counts)
        left = scores - _added(effects, codes)
        sd = float(left.std())
        return cls(knots, level, effects, counts, sd if sd > 0 else 1.0)

    def left(self, values: Floats, codes: Codes) -> Floats:
        """How far each value is from what its parts add up to, in sd of the reference."""
        scores = (_ranked(self.knots, values) - self.level[0]) / self.level[1]
        return scores - _added(self.effects, codes)

    @property
    def n(self) -> int:
        """The reference's rows, where all have a code of the first field, known or not."""
        return int(self.counts[0].sum()) if len(self.counts) else len(self.knots)


def attribute(baseline: Baseline, values: Floats, codes: Codes) -> Attribution:
    """What moved in these rows against the reference; nothing where there are none."""
    if not len(values):
        return Attribution((), ())
    counts = _counts(codes, baseline.counts.shape[1])
    candidates = [ALL, *_candidates(counts)]
    rows = np.column_stack([_rows_of(candidate, codes) for candidate in candidates])
    known_n = np.array([_known_n(baseline, candidate) for candidate in candidates])
    left = baseline.left(values, codes)
    chosen, shifts = _pursue(left, rows, known_n, baseline.sd)
    share = rows.mean(axis=0)
    pairs = zip(chosen, shifts, strict=True)
    found = [Found(candidates[c], float(share[c]), shift) for c, shift in pairs]
    strongest = sorted(found, key=lambda one: -abs(one.shift) * sqrt(one.share))
    return Attribution(tuple(strongest), _mix(baseline.counts, counts))


def shift_of(baseline: Baseline, values: Floats, codes: Codes, candidate: Candidate) -> Found:
    """How far one part moved, whether or not that is more than chance."""
    rows = _rows_of(candidate, codes).astype(bool)
    left = baseline.left(values, codes)[rows]
    return Found(candidate, float(rows.mean()), float(left.mean()) if len(left) else 0.0)


def _pursue(
    left: Floats, rows: Floats, known_n: Floats, sd: float
) -> tuple[list[int], list[float]]:
    """The columns that explain what is left, and by how much each."""
    threshold = 2 * log(rows.shape[1] / _CHANCE)
    totals = rows.sum(axis=0)
    chosen: list[int] = []
    unexplained = left
    while len(chosen) < _MOST_FOUND:
        means = rows.T @ unexplained / totals
        noise = _variances(unexplained, rows, totals, means, sd) * (1 / totals + 1 / known_n)
        gains = means * means / noise
        gains[chosen] = 0.0
        best = int(gains.argmax())
        if gains[best] <= threshold:
            break
        chosen.append(best)
        unexplained = left - rows[:, chosen] @ _fit(left, rows[:, chosen])
    return _needed(left, rows, known_n, sd, chosen, threshold)


def _needed(
    left: Floats, rows: Floats, known_n: Floats, sd: float, chosen: list[int], threshold: float
) -> tuple[list[int], list[float]]:
    """Without those that the others explain as well."""
    while chosen:
        columns = rows[:, chosen]
        shifts = _fit(left, columns)
        unexplained = left - columns @ shifts
        variance = max(float(unexplained.var()), sd * sd)
        uncertain = np.diag(np.linalg.pinv(columns.T @ columns)) + 1 / known_n[chosen]
        gains = shifts * shifts / (variance * uncertain)
        least = int(gains.argmin())
        if gains[least] > threshold:
            return chosen, shifts.tolist()
        chosen = [*chosen[:least], *chosen[least + 1 :]]
    return [], []


def _variances(left: Floats, rows: Floats, totals: Floats, means: Floats, sd: float) -> Floats:
    """Of the rows of each candidate, never less than the reference's: a part may stand still."""
    squares: Floats = rows.T @ (left * left)
    return (squares / totals - means * means).clip(sd * sd)


def _fit(left: Floats, columns: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(columns, left, rcond=None)[0], np.float64)


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


def _known_n(baseline: Baseline, candidate: Candidate) -> float:
    """The reference's rows of a part; of one that it did not have hardly anything is known."""
    if candidate == ALL:
        return float(baseline.n)
    return float(max(baseline.counts[candidate], 1))


def _ranked(knots: Floats, values: Floats) -> Floats:
    """Normal scores of the middle ranks."""
    ranks = (knots.searchsorted(values) + knots.searchsorted(values, side="right")) / 2
    return quantiles((ranks + 0.5) / (len(knots) + 1))


def _counts(codes: Codes, width: int) -> Ints:
    fields_n = codes.shape[1]
    counts: Ints = np.zeros((fields_n, width), np.int64)
    for field in range(fields_n):
        counts[field] = np.bincount(codes[:, field], minlength=width)[:width]
    return counts


def _additive(scores: Floats, codes: Codes, counts: Ints) -> Floats:
    """What each part adds, shrunk as if by one more row of nothing: backfitting (Buja et al.)."""
    effects: Floats = np.zeros(counts.shape)
    left = scores
    for _ in range(_SWEEPS_N):
        for field, in_field in enumerate(counts):
            own = effects[field][codes[:, field]]
            sums = np.bincount(codes[:, field], weights=left + own, minlength=len(in_field))
            new = sums / (in_field + _RIDGE_N)
            left = left + own - new[codes[:, field]]
            effects[field] = new
    return effects


def _added(effects: Floats, codes: Codes) -> Floats:
    added: Floats = np.zeros(len(codes))
    for field, of_field in enumerate(effects):
        added += of_field[codes[:, field]]
    return added


def _mix(before: Ints, now: Ints) -> tuple[int, ...]:
    """The fields whose shares differ between the two samples."""
    return tuple(
        field
        for field in range(len(before))
        if _differ(before[field].astype(float), now[field].astype(float), _CHANCE / len(before))
    )


def _differ(before: Floats, now: Floats, chance: float) -> bool:
    """Two-sample G over the values that are expected often enough; the rest are one."""
    total = before + now
    often = total * min(before.sum(), now.sum()) / max(total.sum(), 1.0) >= _LEAST_EXPECTED
    table = np.array([[*row[often], row[~often].sum()] for row in (before, now)])
    table = table[:, table.sum(axis=0) > 0]
    degrees = table.shape[1] - 1
    if degrees < 1 or not table.sum(axis=1).all():
        return False
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    seen = table > 0
    g = 2 * float((table[seen] * np.log(table[seen] / expected[seen])).sum())
    return g > _chi_squared(degrees, chance)


def _chi_squared(degrees: int, chance: float) -> float:
    """Its upper quantile (Wilson and Hilferty 1931)."""
    normal = float(quantiles(np.array([1 - chance]))[0])
    part = 2 / (9 * degrees)
    return float(degrees * (1 - part + normal * sqrt(part)) ** 3)
