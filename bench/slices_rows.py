"""Rows of a model's studies with additive effects of site, model and sex, for attribution."""

from typing import NamedTuple

import numpy as np

from detectors.attribution import ALL, Baseline, Candidate, Codes, attribute

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


class Attributed(NamedTuple):
    """Shares of runs: exactly these, anybody blamed, shares of sites said to differ."""

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
        blamed += bool(found.found)
        mix += 0 in found.mix
    return Attributed(exact / runs, blamed / runs, mix / runs)


def _rows(
    rng: np.random.Generator,
    n: int,
    effects: list[np.ndarray[tuple[int], np.dtype[np.float64]]],
    moved: dict[Candidate, float],
    sites: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], Codes]:
    shares = (sites, *_SHARES[1:])
    codes = np.column_stack([rng.choice(len(s), n, p=s) + 1 for s in shares]).astype(np.uint8)
    values = rng.normal(size=n) + moved.get(ALL, 0.0)
    for field, added in enumerate(effects):
        values += added[codes[:, field] - 1]
    for (field, code), shift in moved.items():
        if (field, code) != ALL:
            values += shift * (codes[:, field] == code)
    return values, codes
