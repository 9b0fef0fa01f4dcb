"""Which parts of the data moved: the fewest that explain a change, adjusted for their mix.

Rows have a value and, for each field, the part of the studies that they are of. What each part adds
is fitted on the reference and subtracted, so that a part that merely comes more often is not blamed
(STATISTICS: mix adjustment). Of what is left, {all} and the parts are taken one by one, whichever
explains most, until nothing passes 2 ln(candidates / .01): matching pursuit (Mallat and Zhang 1993)
with the refit of Pati et al. 1993; the threshold is that of Donoho and Johnstone's universal one,
with a chance of .01 over all candidates. What a later choice has made needless is dropped again.
Shares are tested beside it, and said as mix (detectors.mix). Where a part was that the reference
hardly had nobody knows, so it cannot have moved: its rows are left out, and are mix alone.

What all moved alike explains nearly as well blames nobody: the first part must explain more than
{all} does. Of parts that hold the same rows the one that had the fewest in the reference is said:
of a model that is one station only, the station. Numbers are held against their spread; a yes
that hardly ever came, a word that is new, by odds (detectors._gains).
"""

from collections.abc import Sequence
from math import log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Floats, Ints
from detectors._gains import Gains, Known, Numbers, Rare, fitted
from detectors.baseline import ALL, UNKNOWN, Baseline, Candidate, Codes, counts_of
from detectors.mix import other_shares

_CHANCE = 0.01
_LEAST_N = 5
_LEAST_NOW_N = 2
_RARE_N = 10
_MOST_FOUND = 20
_ALIKE_CHANCE = 0.2  # a bound as the other one is: so .99 of what moved all alike blame nobody


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
    of_now = _candidates(counts_of(codes, baseline.counts.shape[1]))
    parts = _parts(baseline, values, codes, [ALL, *of_now])
    threshold = 2 * log(len(parts.candidates) / _CHANCE)
    alike = 2 * log(len(parts.candidates) / _ALIKE_CHANCE)
    chosen = _needed(parts, _pursued(parts, threshold, alike), threshold)
    return Attribution(_found(parts, chosen, baseline.left(values, codes), n), mix)


def strongest(
    baseline: Baseline, values: Floats, codes: Codes, candidates: Sequence[Candidate]
) -> tuple[Found, ...]:
    """Of parts that are known to have moved the one that explains most, chance or not.

    And what others explain beyond it. None where none of them has rows.
    """
    present = [one for one in candidates if _rows_of(one, codes).any()]
    if not present:
        return ()
    parts = _parts(baseline, values, codes, present)
    threshold = 2 * log(len(parts.candidates) / _CHANCE)
    first = int(parts.gains.beyond([]).argmax())
    chosen = _needed(parts, _pursued(parts, threshold, 0, [first]), threshold) or [first]
    return _found(parts, chosen, baseline.left(values, codes), len(values))


class _Parts(NamedTuple):
    """Parts that differ in their rows, these as columns, and what they explain."""

    candidates: list[Candidate]
    rows: Floats
    gains: Gains


def _parts(baseline: Baseline, values: Floats, codes: Codes, candidates: list[Candidate]) -> _Parts:
    candidates = _distinct(baseline, codes, candidates)
    rows = np.column_stack([_rows_of(candidate, codes) for candidate in candidates])
    share, n = baseline.share_of_yes(), baseline.n_of(ALL)
    is_rare = share is not None and n * min(share, 1 - share) < _RARE_N
    if share is not None and is_rare and np.isin(values, (0.0, 1.0)).all():
        return _Parts(candidates, rows, Rare(values, rows, (n * share + 0.5) / (n + 1), n))
    known = Known(
        np.array([baseline.known_n(codes[of_part]) for of_part in rows.T.astype(bool)]),
        np.array([baseline.variance_of(candidate) for candidate in candidates]),
        baseline.variance_of(ALL),
    )
    return _Parts(candidates, rows, Numbers(baseline.left(values, codes), rows, known))


def _distinct(baseline: Baseline, codes: Codes, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Of those that hold the same rows {all}, or else the one that was the least of them."""
    kept: dict[bytes, Candidate] = {}
    for one in candidates:
        rows = _rows_of(one, codes).tobytes()
        other = kept.setdefault(rows, one)
        if other != ALL and baseline.n_of(one) < baseline.n_of(other):
            kept[rows] = one
    return [*kept.values()]


def _pursued(
    parts: _Parts, threshold: float, alike: float, chosen: Sequence[int] = ()
) -> list[int]:
    """The columns that explain what is left, one by one; the first is {all} if none is chosen."""
    chosen = [*chosen]
    while len(chosen) < _MOST_FOUND:
        gains = parts.gains.beyond(chosen)
        gains[chosen] = 0.0
        best = int(gains.argmax())
        if not chosen and gains[best] - gains[0] <= alike:
            best = 0
        if gains[best] <= threshold:
            break
        chosen.append(best)
    return chosen


def _needed(parts: _Parts, chosen: list[int], threshold: float) -> list[int]:
    """Without those that the others explain as well."""
    while chosen:
        needed = parts.gains.needed(chosen)
        least = int(needed.argmin())
        if needed[least] > threshold:
            break
        chosen = [*chosen[:least], *chosen[least + 1 :]]
    return chosen


def _found(parts: _Parts, chosen: list[int], left: Floats, n: int) -> tuple[Found, ...]:
    """The strongest first; of `n` rows."""
    shifts = fitted(left, parts.rows[:, chosen])
    share = parts.rows.sum(axis=0) / n
    found = [
        Found(parts.candidates[part], float(share[part]), float(shift))
        for part, shift in zip(chosen, shifts, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: -abs(one.shift) * sqrt(one.share)))


def _known_parts(baseline: Baseline, codes: Codes) -> NDArray[np.bool_]:
    """The rows of whose parts, one and all, the reference had enough."""
    known = np.ones(len(codes), np.bool_)
    for field, before in enumerate(baseline.counts):
        known &= (before >= _LEAST_N)[codes[:, field]]
    return known


def _candidates(counts: Ints) -> list[Candidate]:
    """The parts that have rows enough now."""
    fields, codes = np.nonzero(counts >= _LEAST_NOW_N)
    return [(int(f), int(c)) for f, c in zip(fields, codes, strict=True) if c != UNKNOWN]


def _rows_of(candidate: Candidate, codes: Codes) -> Floats:
    field, code = candidate
    if candidate == ALL:
        return np.ones(len(codes))
    rows: Floats = (codes[:, field] == code).astype(np.float64)
    return rows
