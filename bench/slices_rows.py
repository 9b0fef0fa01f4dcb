"""Rows for attribution: numbers with additive effects of site, model and sex; calls of scanners."""

from typing import NamedTuple

import numpy as np

from detectors._contract import Floats
from detectors.attribution import attribute
from detectors.baseline import ALL, Baseline, Candidate, Codes

REFERENCE_N, CURRENT_N = 2_000, 1_000
WIDTH = 33
_SITES = np.array([0.05, *[0.95 / 11] * 11])
_SHARES = (_SITES, np.array([0.5, 0.3, 0.2]), np.array([0.5, 0.5]))
_EFFECTS_SD = (0.3, 0.3, 0.2)

WORLDS: dict[str, dict[Candidate, float]] = {
    "site with 5 % +1 sd": {(0, 1): 1.0},
    "site +1 sd and model +.5 sd": {(0, 1): 1.0, (1, 3): 0.5},
    "everything +.5 sd": {ALL: 0.5},
    "mix alone": {},
    "no change": {},
}
_OTHER_MIX = "mix alone"

_RARE = np.array([0.3, *[0.03] * 11])  # one scanner is for those who are worst off
CALLS: dict[str, tuple[Floats, dict[Candidate, float]]] = {
    "calls of a scanner .1 to .3": (np.full(12, 0.1), {(0, 7): 0.3}),
    "calls of a scanner .1 to none": (np.full(12, 0.1), {(0, 7): 0.0}),
    "calls of a scanner .03 to .15, one has .3": (_RARE, {(0, 7): 0.15}),
    "calls of a scanner .3 to .03": (_RARE, {(0, 1): 0.03}),
    "calls of all .1 to .2": (np.full(12, 0.1), {ALL: 0.2}),
    "calls .03, of one scanner .3": (_RARE, {}),
    "calls .03, of one scanner .3, which comes thrice as often": (_RARE, {}),
}
_MORE_OFTEN = "comes thrice"


class Attributed(NamedTuple):
    """Shares of runs: exactly these, anybody else blamed, other shares of the first field said."""

    exact: float
    blamed: float
    mix: float


def attributed(name: str, runs: int) -> Attributed:
    """A world, with another reference each time."""
    moved, sites = WORLDS[name], _SITES.copy()
    if name == _OTHER_MIX:
        sites[0] = 0.3
    exact = blamed = mix = 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        effects = [rng.normal(0, sd, len(s)) for s, sd in zip(_SHARES, _EFFECTS_SD, strict=True)]
        baseline = Baseline.learn(*_rows(rng, REFERENCE_N, effects, {}, _SITES), WIDTH)
        now = _rows(rng, CURRENT_N, effects, moved, sites / sites.sum())
        found = attribute(baseline, *now)
        exact += {one.candidate for one in found.found} == set(moved)
        blamed += bool({one.candidate for one in found.found} - set(moved))
        mix += 0 in found.mix
    return Attributed(exact / runs, blamed / runs, mix / runs)


def attributed_calls(name: str, runs: int) -> Attributed:
    """A world of calls in which scanners, and no more, have shares of their own."""
    base, moved = CALLS[name]
    even, now_shares = np.full(12, 1 / 12), np.full(12, 1 / 12)
    if _MORE_OFTEN in name:
        now_shares[0] *= 3
    exact = blamed = mix = 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        baseline = Baseline.learn(*_calls(rng, REFERENCE_N, base, {}, even), WIDTH)
        found = attribute(baseline, *_calls(rng, CURRENT_N, base, moved, now_shares))
        exact += {one.candidate for one in found.found} == set(moved)
        blamed += bool({one.candidate for one in found.found} - set(moved))
        mix += 0 in found.mix
    return Attributed(exact / runs, blamed / runs, mix / runs)


def _calls(
    rng: np.random.Generator,
    n: int,
    base: Floats,
    moved: dict[Candidate, float],
    shares: Floats,
) -> tuple[Floats, Codes]:
    """Twelve scanners of three models."""
    scanner = rng.choice(12, n, p=shares / shares.sum())
    sex = rng.integers(2, size=n)
    codes = np.column_stack([scanner + 1, scanner % 3 + 1, sex + 1]).astype(np.uint8)
    yes = base[scanner]
    for candidate, share in moved.items():
        yes = np.where((candidate == ALL) | (codes[:, candidate[0]] == candidate[1]), share, yes)
    return (rng.random(n) < yes).astype(np.float64), codes


def _rows(
    rng: np.random.Generator,
    n: int,
    effects: list[Floats],
    moved: dict[Candidate, float],
    sites: Floats,
) -> tuple[Floats, Codes]:
    shares = (sites, *_SHARES[1:])
    codes = np.column_stack([rng.choice(len(s), n, p=s) + 1 for s in shares]).astype(np.uint8)
    values = rng.normal(size=n) + moved.get(ALL, 0.0)
    for field, added in enumerate(effects):
        values += added[codes[:, field] - 1]
    for (field, code), shift in moved.items():
        if (field, code) != ALL:
            values += shift * (codes[:, field] == code)
    return values, codes
