"""`python -m tests.simulation 17 40-60`: run these seeds; show each failure, made small."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import msgspec

from streams.clock import from_us
from streams.simulate import simulate
from tests.simulation.delivery import Delivery, deliver
from tests.simulation.run import problems, problems_of
from tests.simulation.shrink import shrink
from tests.simulation.swarm import World, world


def main() -> int:
    """Exit status 1 if a seed fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seeds", nargs="+", type=_seeds, metavar="SEED|FIRST-LAST")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--no-shrink", action="store_true", help="say only which seeds fail")
    arguments = parser.parse_args()
    seeds = [seed for some in arguments.seeds for seed in some]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        found = zip(seeds, pool.map(problems_of, seeds, chunksize=4), strict=True)
        failing = [seed for seed, what in found if what]
    print(f"{len(seeds)} seeds, {len(failing)} fail: {failing}")
    if failing and not arguments.no_shrink:
        show(failing[0])
    return 1 if failing else 0


def show(seed: int) -> None:
    """The world of a failing seed, its smallest failing deliveries, and what is wrong."""
    subject = world(seed)
    print(f"seed {seed}\n{subject.hospital.faults}\n{subject.weights}\n{subject.config.clock}")
    deliveries = deliver(subject, simulate(subject.hospital, seed))
    kind = _kind(subject, deliveries)
    smallest = shrink(deliveries, lambda some: _kind(subject, some) == kind)
    for event, arrived_us in smallest:
        said = event if isinstance(event, bytes) else msgspec.json.encode(event)
        print(from_us(arrived_us).isoformat(), said[:2000].decode(errors="replace"))
    for problem in problems(subject, smallest):
        print(problem)


def _kind(subject: World, deliveries: list[Delivery]) -> str | None:
    """The first words of the first problem, so that shrinking does not turn to another one."""
    problem = next(problems(subject, deliveries), None)
    return None if problem is None else problem.partition(":")[0]


def _seeds(written: str) -> range:
    first, _, last = written.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main())
