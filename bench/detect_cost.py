"""What one more observation costs: its score, ADWIN, Page-Hinkley; and what a series weighs.

    python -m bench.detect_cost [--series 20000] [--json]

Hot: one series, many observations. Scattered: so many series, each visited in a random order with
a few observations at a time, as they come out of a poll; then memory, not arithmetic, is the cost.
"""

import argparse
import json
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import msgspec
import numpy as np

from detectors import kinds, make, restore
from detectors.reference import Reference, uniform

ARL = 1e8
REFERENCE_N = 2_000
HOT_N = 200_000
SCATTERED_VISITS = 40_000
AT_A_TIME = (1, 10)

Costs = dict[str, float]


def ns_each(work: Callable[[], object], n: int) -> float:
    """The best of three, for each of n."""
    times = []
    for _ in range(3):
        begun = perf_counter_ns()
        work()
        times.append(perf_counter_ns() - begun)
    return min(times) / n


def hot(values: list[float], uniforms: list[float], reference: Reference) -> Costs:
    """ns an observation on one series."""
    studies = [f"st-{index}" for index in range(HOT_N)]
    scores = reference.scores(values, uniforms)
    costs = {
        "uniform, a new study": ns_each(
            lambda: [uniform("north", study, "a.b") for study in studies], HOT_N
        ),
        "uniform, the next series of a study": ns_each(
            lambda: [uniform("north", "st-1", "a.b") for _ in studies], HOT_N
        ),
        "score, one by one": ns_each(lambda: [*map(reference.score, values, uniforms)], HOT_N),
        "scores, all at once": ns_each(lambda: reference.scores(values, uniforms), HOT_N),
    }
    for kind in kinds():
        detector = make(kind, ARL, REFERENCE_N)
        costs[f"{kind}, all at once"] = ns_each(lambda d=detector: d.run(scores), HOT_N)  # type: ignore[misc]
    return costs


def scattered(values: list[float], uniforms: list[float], series: int, at_a_time: int) -> Costs:
    """ns an observation over many series in random order."""
    references = [Reference(values[i % 50_000 : i % 50_000 + REFERENCE_N]) for i in range(series)]
    visits = np.random.default_rng(3).integers(0, series, size=SCATTERED_VISITS).tolist()
    observations = SCATTERED_VISITS * at_a_time
    some, draws = values[:at_a_time], uniforms[:at_a_time]
    scores = references[0].scores(some, draws)
    costs = {
        f"scores, {at_a_time} at a time": ns_each(
            lambda: [references[i].scores(some, draws) for i in visits], observations
        )
    }
    for kind in kinds():
        detectors = [make(kind, ARL, REFERENCE_N) for _ in range(series)]
        costs[f"{kind}, {at_a_time} at a time"] = ns_each(
            lambda d=detectors: [d[i].run(scores) for i in visits],  # type: ignore[misc]
            observations,
        )
    return costs


def weights(scores: list[float], reference: Reference) -> Costs:
    """Bytes of each record, and us to take and to restore a detector's state."""
    found: Costs = {"reference, bytes": len(reference.to_bytes())}
    for kind in kinds():
        detector = make(kind, ARL, REFERENCE_N)
        found[f"{kind}, bytes when new"] = len(msgspec.msgpack.encode(detector.state()))
        detector.run(scores)
        state = detector.state()
        found[f"{kind}, bytes after {HOT_N}"] = len(msgspec.msgpack.encode(state))
        found[f"{kind}, state us"] = _us_each(detector.state)
        found[f"{kind}, restore us"] = _us_each(
            lambda k=kind, s=state: restore(k, ARL, REFERENCE_N, s)  # type: ignore[misc]
        )
    return found


def _us_each(work: Callable[[], Any], n: int = 2_000) -> float:
    return ns_each(lambda: [work() for _ in range(n)], n) / 1_000


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=20_000, help="default: 20000")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    chosen = parser.parse_args()
    rng = np.random.default_rng(1)
    values, uniforms = rng.normal(size=HOT_N).tolist(), rng.random(HOT_N).tolist()
    reference = Reference(values[:REFERENCE_N])
    results = {"ns an observation, hot": hot(values, uniforms, reference)}
    for at_a_time in AT_A_TIME:
        title = f"ns an observation, {chosen.series} series, {at_a_time} at a time"
        results[title] = scattered(values, uniforms, chosen.series, at_a_time)
    results["one series"] = weights(reference.scores(values, uniforms), reference)
    if chosen.json:
        print(json.dumps(results, indent=1))
        return
    for title, costs in results.items():
        print(title)
        for name, cost in costs.items():
            print(f"  {name:40} {cost:10,.1f}")


if __name__ == "__main__":
    main()
