"""Do the detectors keep their promise, and how soon do they find a shift?

    python -m bench.calibration [--kinds adwin page_hinkley] [--quick] [--json]

False alarms: values that never change, scored against a frozen reference of the same distribution,
watched for one ARL each; counted in units of what is promised (1 = one alarm in ARL observations).
Delays: a shift after 1,000 observations in control, in observations from the shift to the alarm.
Seeds are fixed: the same numbers each time. Exit status 1 when a rate is above 1 by more than three
standard errors, which no longer is chance.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing import Pool
from statistics import fmean, median, stdev
from typing import Any

import numpy as np

import detectors
from detectors.reference import Reference

PROCESSES = 2
IN_CONTROL_N = 1_000
FOLLOWED_N = 15_000
DELAY_ARL = 1e5
SHIFTS_SD = (0.25, 0.5, 1.0)

Draw = Callable[[np.random.Generator, int], Any]

# Scores are ranks, so all continuous distributions give the same: one stands for all of them.
DATA: dict[str, Draw] = {
    "continuous": lambda rng, n: rng.lognormal(sigma=1.0, size=n),
    "rounded": lambda rng, n: rng.normal(scale=3.0, size=n).round(),
    "slices": lambda rng, n: rng.choice([1, 1.5, 2, 3, 5], p=[0.35, 0.05, 0.3, 0.2, 0.1], size=n),
    "yes in 5 %": lambda rng, n: rng.random(n) < 0.05,
}


@dataclass(frozen=True)
class Cell:
    """One setting: so many references of `reference_n`, each watched for one ARL."""

    data: str
    reference_n: int
    arl: float
    references: int


@dataclass(frozen=True)
class Rate:
    """False alarms in units of those promised."""

    kind: str
    cell: Cell
    rate: float
    standard_error: float

    @property
    def broken(self) -> bool:
        """Whether the promise is broken by more than chance explains."""
        return self.rate - 3 * self.standard_error > 1


@dataclass(frozen=True)
class Delay:
    """Observations from a shift to its alarm; the mean counts what is not found as the longest."""

    kind: str
    reference_n: int
    shift_sd: float
    repeats: int
    mean: float
    standard_error: float
    median: float
    found_share: float


def scored(seed: list[int], draw: Draw, reference_n: int, n: int) -> list[float]:
    """Scores of n values from the distribution of their reference."""
    rng = np.random.default_rng(seed)
    reference = Reference(draw(rng, reference_n).astype(float).tolist())
    return reference.scores(draw(rng, n).astype(float).tolist(), rng.random(n).tolist())


def false_alarms(task: tuple[list[str], Cell, int]) -> list[int]:
    """Of each kind, on one reference's stream."""
    kinds, cell, seed = task
    scores = scored([seed, cell.reference_n], DATA[cell.data], cell.reference_n, int(cell.arl))
    return [_alarms(kind, cell, scores) for kind in kinds]


def _alarms(kind: str, cell: Cell, scores: list[float]) -> int:
    detector = detectors.make(kind, cell.arl, cell.reference_n)
    alarms, begin = 0, 0
    while (index := detector.run(scores[begin:])) is not None:
        alarms, begin = alarms + 1, begin + index + 1
    return alarms


def delays(task: tuple[list[str], int, float, int]) -> list[int | None]:
    """Of each kind, for one reference; None when nothing was found in FOLLOWED_N observations."""
    kinds, reference_n, shift_sd, seed = task
    rng = np.random.default_rng([seed, reference_n, 77])
    reference = Reference(rng.normal(size=reference_n).tolist())
    values = rng.normal(size=IN_CONTROL_N + FOLLOWED_N)
    values[IN_CONTROL_N:] += shift_sd
    scores = reference.scores(values.tolist(), rng.random(len(values)).tolist())
    return [_delay(kind, reference_n, scores) for kind in kinds]


def _delay(kind: str, reference_n: int, scores: list[float]) -> int | None:
    detector = detectors.make(kind, DELAY_ARL, reference_n)
    begin = 0
    while (index := detector.run(scores[begin:IN_CONTROL_N])) is not None:
        begin += index + 1
    index = detector.run(scores[IN_CONTROL_N:])
    return None if index is None else index + 1


def rates(pool: Any, kinds: list[str], cells: list[Cell]) -> list[Rate]:
    """Each kind in each cell."""
    measured = []
    for cell in cells:
        tasks = [(kinds, cell, seed) for seed in range(cell.references)]
        counts = pool.map(false_alarms, tasks, chunksize=4)
        for kind, alarms in zip(kinds, zip(*counts, strict=True), strict=True):
            error = stdev(alarms) / len(alarms) ** 0.5
            measured.append(Rate(kind, cell, fmean(alarms), error))
    return measured


def all_delays(pool: Any, kinds: list[str], references: list[int], repeats: int) -> list[Delay]:
    """Each kind, reference and shift."""
    measured = []
    for reference_n in references:
        for shift_sd in SHIFTS_SD:
            tasks = [(kinds, reference_n, shift_sd, seed) for seed in range(repeats)]
            by_kind = zip(*pool.map(delays, tasks, chunksize=4), strict=True)
            for kind, found in zip(kinds, by_kind, strict=True):
                capped = [FOLLOWED_N if n is None else n for n in found]
                measured.append(
                    Delay(
                        kind,
                        reference_n,
                        shift_sd,
                        repeats,
                        mean=fmean(capped),
                        standard_error=stdev(capped) / repeats**0.5,
                        median=median(capped),
                        found_share=1 - found.count(None) / repeats,
                    )
                )
    return measured


def plan(quick: bool) -> tuple[list[Cell], list[int], int]:
    """The cells, the references of the delays, and their repeats."""
    if quick:
        cells = [Cell(data, 500, 1e4, 60) for data in ("continuous", "yes in 5 %")]
        return [*cells, Cell("continuous", 50, 1e3, 300)], [500], 24
    cells = [
        Cell(data, reference_n, arl, references)
        for arl, references in ((1e4, 400), (1e5, 150))
        for reference_n in (500, 2000)
        for data in DATA
    ]
    corners = [Cell("continuous", 50, 1e3, 4000), Cell("continuous", 100, 1e4, 800)]
    return cells + corners, [500, 2000], 300


def show(found: list[Rate], late: list[Delay]) -> None:
    """Two tables."""
    print(f"{'detector':14} {'data':12} {'m':>5} {'ARL':>7}  false alarms (promise 1)")
    for r in found:
        cell = f"{r.cell.data:12} {r.cell.reference_n:5} {r.cell.arl:7.0e}"
        broken = "  BROKEN" if r.broken else ""
        print(f"{r.kind:14} {cell}  {r.rate:.2f} +- {r.standard_error:.2f}{broken}")
    print(
        f"\n{'detector':14} {'m':>5} {'shift':>6} {'mean':>7} {'+-':>5} {'median':>7} {'found':>6}"
    )
    for d in late:
        numbers = f"{d.mean:7.0f} {d.standard_error:5.0f} {d.median:7.0f} {d.found_share:6.0%}"
        print(f"{d.kind:14} {d.reference_n:5} {d.shift_sd:6} {numbers}")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=detectors.kinds(),
        default=["adwin", "page_hinkley"],
        help="default: the two that vote in the pipeline",
    )
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of minutes")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    chosen = parser.parse_args()
    cells, references, repeats = plan(chosen.quick)
    with Pool(PROCESSES) as pool:
        found = rates(pool, chosen.kinds, cells)
        late = all_delays(pool, chosen.kinds, references, repeats)
    if chosen.json:
        print(
            json.dumps({"rates": [*map(asdict, found)], "delays": [*map(asdict, late)]}, indent=1)
        )
    else:
        show(found, late)
    return int(any(rate.broken for rate in found))


if __name__ == "__main__":
    sys.exit(main())
