"""What one more observation costs: its score and every detector; and what a series weighs.

    python -m bench.detect_cost [--series 5000] [--json]

Hot: one series, rows of 64 observations. Scattered: so many series, each visited in a random
order with a few observations at a time, as they come out of a poll.
"""

import argparse
import json
from collections.abc import Callable
from time import process_time_ns
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import Promise, kinds, make, restore
from detectors.cat_sr import CategoryDetector
from detectors.cells import number_cells
from detectors.standard import Standard
from detectors.uniform import study_key, subject_key, uniforms

PROMISE = Promise(days=1e5, per_day=1_000)
REFERENCE_N = 2_000
HOT_N = 64_000
ROW_N = 64
SCATTERED_VISITS = 10_000
AT_A_TIME = (1, 10, 64)

Floats = NDArray[np.float64]

Costs = dict[str, float]


def ns_each(work: Callable[[], object], n: int) -> float:
    """The best of three, for each of n, in time of this process: others are not counted."""
    times = []
    for _ in range(3):
        begun = process_time_ns()
        work()
        times.append(process_time_ns() - begun)
    return min(times) / n


def detectors_of(standard: Standard) -> dict[str, Any]:
    """One of each kind, new."""
    made: dict[str, Any] = {kind: make(kind, PROMISE, standard.n) for kind in kinds()}
    return made | {"cat_sr": CategoryDetector(PROMISE.days, number_cells(standard).counts)}


def hot(values: Floats, draws: Floats, standard: Standard) -> Costs:
    """ns an observation on one series, in rows."""
    keys = np.array([study_key("north", f"st-{i}") for i in range(HOT_N)], dtype=np.uint64)
    subject, cells = subject_key("a.b"), number_cells(standard)
    scores, days = standard.scores(values, draws), np.full(HOT_N, 1e-3)
    of_cells = cells.cells(values, scores)
    rows = [slice(begin, begin + ROW_N) for begin in range(0, HOT_N, ROW_N)]
    costs = {
        "draws": ns_each(lambda: [uniforms(keys[row], subject) for row in rows], HOT_N),
        "scores": ns_each(
            lambda: [standard.scores(values[row], draws[row]) for row in rows], HOT_N
        ),
        "cells": ns_each(lambda: [cells.cells(values[row], scores[row]) for row in rows], HOT_N),
    }
    for kind, detector in detectors_of(standard).items():
        fed = of_cells if kind == "cat_sr" else scores
        costs[kind] = ns_each(
            lambda d=detector, f=fed: [d.run(f[row], days[row]) for row in rows],  # type: ignore[misc]
            HOT_N,
        )
    return costs


def scattered(values: Floats, draws: Floats, series: int, at_a_time: int) -> Costs:
    """ns an observation over many series in random order."""
    standards = [
        Standard.learn(values[i % 50_000 :][:REFERENCE_N], draws[:REFERENCE_N])
        for i in range(series)
    ]
    visits = np.random.default_rng(3).integers(0, series, size=SCATTERED_VISITS).tolist()
    observations = SCATTERED_VISITS * at_a_time
    some, drawn, days = values[:at_a_time], draws[:at_a_time], np.full(at_a_time, 1e-3)
    scores = standards[0].scores(some, drawn)
    of_cells = number_cells(standards[0]).cells(some, scores)
    costs = {
        "scores": ns_each(lambda: [standards[i].scores(some, drawn) for i in visits], observations)
    }
    for kind in detectors_of(standards[0]):
        made = [detectors_of(standard)[kind] for standard in standards]
        fed = of_cells if kind == "cat_sr" else scores
        costs[kind] = ns_each(
            lambda m=made, f=fed: [m[i].run(f, days) for i in visits],  # type: ignore[misc]
            observations,
        )
    return costs


def weights(values: Floats, draws: Floats, standard: Standard) -> Costs:
    """Bytes of each record, and us to take and to restore a detector's state."""
    scores = standard.scores(values, draws)
    found: Costs = {"standard, bytes": len(standard.to_bytes())}
    for kind in kinds():
        detector = make(kind, PROMISE, REFERENCE_N)
        found[f"{kind}, bytes when new"] = len(msgspec.msgpack.encode(detector.state()))
        detector.run(scores, np.full(HOT_N, 1e-3))
        state = detector.state()
        found[f"{kind}, bytes after {HOT_N}"] = len(msgspec.msgpack.encode(state))
        found[f"{kind}, state us"] = _us_each(detector.state)
        found[f"{kind}, restore us"] = _us_each(
            lambda k=kind, s=state: restore(k, PROMISE, REFERENCE_N, s)  # type: ignore[misc]
        )
    return found


def _us_each(work: Callable[[], Any], n: int = 2_000) -> float:
    return ns_each(lambda: [work() for _ in range(n)], n) / 1_000


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=5_000, help="default: 5000")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    chosen = parser.parse_args()
    rng = np.random.default_rng(1)
    values, draws = rng.normal(size=HOT_N), rng.random(HOT_N)
    standard = Standard.learn(values[:REFERENCE_N], draws[:REFERENCE_N])
    results = {"ns an observation, hot": hot(values, draws, standard)}
    for at_a_time in AT_A_TIME:
        title = f"ns an observation, {chosen.series} series, {at_a_time} at a time"
        results[title] = scattered(values, draws, chosen.series, at_a_time)
    results["one series"] = weights(values, draws, standard)
    if chosen.json:
        print(json.dumps(results, indent=1))
        return
    for title, costs in results.items():
        print(title)
        for name, cost in costs.items():
            print(f"  {name:40} {cost:10,.1f}")


if __name__ == "__main__":
    main()
