"""Numbers of few values: what a greater part of the promise for CatSR wins, and what it costs.

    python -m bench.few_values [--references N]

Slice thicknesses of five values. `as it is`: the parts of detectors.votes; `the other way round`:
MeanSR's and CatSR's exchanged, where the reference shows neither dependence nor a cycle. Delays
until a fifth of the 1 mm slices are 2 mm, at a promise of 100,000; false alarms in units of a
promise of 10,000, where thicknesses are alike in a row, or each day, or each hour of it, has a
mixture of its own. Everything else is as in bench.calibration.
"""

import argparse
import sys
from collections.abc import Callable
from multiprocessing import Pool
from statistics import fmean, stdev

import numpy as np

from bench.calibration import ARL, DELAY_ARL, FOLLOWED_N, IN_CONTROL_N, Watch
from bench.calibration_data import (
    CHANGES,
    FIRST_HOUR,
    INDEPENDENT,
    PER_DAY,
    Floats,
    Stream,
    of_no_cycle,
)
from detectors.standard import Standard
from detectors.votes import VOTES

CHANGE, REFERENCES_N = "a fifth of 1 mm slices now 2", (500, 2_000)
EXCHANGED = {**VOTES, "mean_sr": VOTES["cat_sr"], "cat_sr": VOTES["mean_sr"]}
PARTS = {"as it is": VOTES, "the other way round": EXCHANGED, "CatSR alone": {"cat_sr": 1.0}}
_MM, _SHARES = np.array([1, 1.5, 2, 3, 5]), np.array([0.35, 0.05, 0.3, 0.2, 0.1])


def alike(rng: np.random.Generator, n: int, times: int) -> Floats:
    """So many times each, in a row."""
    once: Floats = INDEPENDENT["slices"](rng, -(-n // times))
    return np.repeat(once, times)[:n]


def days(rng: np.random.Generator, n: int, most: float) -> Floats:
    """Each day has up to so many studies more of 1 mm, or less, and less or more of 2 mm."""
    day = (_hours(n) // 24).astype(np.int64)
    return _thicknesses(rng, rng.uniform(-most, most, day[-1] + 1)[day])


def hours(rng: np.random.Generator, n: int, most: float) -> Floats:
    """So has the hour of the day."""
    return _thicknesses(rng, most * np.sin(_hours(n) * 2 * np.pi / 24))


WORLDS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "independent": lambda rng, n: alike(rng, n, 1),
    "2 alike": lambda rng, n: alike(rng, n, 2),
    "4 alike": lambda rng, n: alike(rng, n, 4),
    "each day +- 5 of 100": lambda rng, n: days(rng, n, 0.05),
    "each day +- 10 of 100": lambda rng, n: days(rng, n, 0.1),
    "each hour +- 10 of 100": lambda rng, n: hours(rng, n, 0.1),
}


def false_alarms(task: tuple[str, str, int, int]) -> int:
    """In a world in which nothing changes, on one reference."""
    world, name, reference_n, seed = task
    rng = np.random.default_rng([seed, reference_n])
    n = reference_n + int(ARL)
    whole = Stream(WORLDS[world](rng, n), _hours(n).astype(np.int64) % 168)
    return len(_watch(whole, name, reference_n, ARL, seed))


def delay(task: tuple[str, int, int]) -> int:
    """Observations until the change is told; FOLLOWED_N if it is not."""
    name, reference_n, seed = task
    rng = np.random.default_rng([seed, reference_n, 77])
    draw, moved = CHANGES[CHANGE]
    values = np.asarray(draw(rng, reference_n + IN_CONTROL_N + FOLLOWED_N), np.float64)
    values[-FOLLOWED_N:] = moved(rng, values[-FOLLOWED_N:])
    alarms = _watch(of_no_cycle(values), name, reference_n, DELAY_ARL, seed)
    return next((at - IN_CONTROL_N + 1 for at in alarms if at >= IN_CONTROL_N), FOLLOWED_N)


def _watch(whole: Stream, name: str, reference_n: int, arl: float, seed: int) -> list[int]:
    reference, parts = whole.part(0, reference_n), PARTS[name]
    if parts is EXCHANGED and not _shows_nothing(reference, seed):
        parts = VOTES
    return Watch(reference, parts, arl, seed).alarms(whole.part(reference_n))


def _shows_nothing(reference: Stream, seed: int) -> bool:
    draws = np.random.default_rng([seed, 99]).random(len(reference.values))
    standard = Standard.learn(reference.values, draws, reference.weekhours)
    return standard.dependence.ratio == 1 and not standard.is_seasonal


def _thicknesses(rng: np.random.Generator, thinner: Floats) -> Floats:
    shares = np.tile(_SHARES, (len(thinner), 1))
    shares[:, 0] += thinner
    shares[:, 2] -= thinner
    drawn = rng.random(len(thinner))[:, None] > shares.cumsum(axis=1)
    thicknesses: Floats = _MM[drawn.sum(axis=1).clip(max=len(_MM) - 1)]
    return thicknesses


def _hours(n: int) -> Floats:
    return np.arange(n) * 24 / PER_DAY + FIRST_HOUR


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--references", type=int, default=100, help="of each setting")
    repeats = parser.parse_args().references
    with Pool(2) as pool:
        for m in REFERENCES_N:
            for name in PARTS:
                told = pool.map(delay, [(name, m, seed) for seed in range(repeats)])
                _show(name, m, "delay", told)
                for world in WORLDS:
                    tasks = [(world, name, m, seed) for seed in range(repeats)]
                    _show(name, m, f"false alarms, {world}", pool.map(false_alarms, tasks))
    return 0


def _show(name: str, reference_n: int, what: str, told: list[int]) -> None:
    error = stdev(told) / len(told) ** 0.5
    print(f"{name:20} {reference_n:5}  {what:38} {fmean(told):8.2f} +- {error:.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
