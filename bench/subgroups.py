"""A model misses more in one group: how soon it is found, how soon it could be, and false alarms.

    python -m bench.subgroups [--runs N] [--first-seed N] [--quick]

Studies with the finding come at a steady pace, `share` of them of the group; `least_n` is 100 and
the promise one false alarm in 20,000 days. Days are from the gap, which is there from the first
study; maturity is not counted. `possible` is for whoever knows both shares: the logarithm of the
promise, over the Kullback-Leibler divergence a day from the nearest shares within the margin, and
not before the minimum is there. False alarms are counted at the very margin at one in 50 days, over
1,000 days of 20 studies; `together`: both shares move from day to day; `apart`: only the group's
does, around the margin; `read`: how often a missed finding is read where a called one always is.
Exit status 1 where the promise is broken by more than three standard errors, `apart` excepted.
"""

import argparse
import sys
from collections.abc import Iterator
from math import log, sqrt
from statistics import fmean, median, stdev
from typing import NamedTuple

import numpy as np

from streams.slices.subgroup_bet import GapBet, Tally

DAY_US = 86_400_000_000
LEAST_N, PROMISE_DAYS = 100, 20_000.0
LOOSE_DAYS, QUIET_DAYS, QUIET_PER_DAY = 50.0, 1_000, 20
FOLLOWED_DAYS = 400


class World(NamedTuple):
    """What is missed in the group and in the rest, and of whom how much is seen."""

    missed: tuple[float, float]
    margin: float = 0.1
    share: float = 0.5
    per_day: int = QUIET_PER_DAY
    read: float = 1.0
    together: float = 0.0
    apart: float = 0.0


FOUND = [
    World((0.4, 0.1), margin, share, per_day)
    for margin in (0.05, 0.1)
    for share in (0.5, 0.1)
    for per_day in (10, 20, 32)
]
QUIET = [
    World((rest + 0.1, rest), share=share, read=read, together=together, apart=apart)
    for rest in (0.1, 0.3)
    for share in (0.5, 0.1, 0.9)
    for read, together, apart in (
        (1.0, 0.0, 0.0),
        (0.5, 0.0, 0.0),
        (1.0, 0.05, 0.0),
        (1.0, 0.0, 0.05),
    )
]


def alarms(world: World, seed: int, days: int, promise: float, least_n: int) -> Iterator[int]:
    """The days of the alarms; each begins the bet anew."""
    rng = np.random.default_rng(seed)
    bet, rest = GapBet(), Tally()
    for day in range(days):
        both, one = rng.normal(0, (world.together or 1e-12, world.apart or 1e-12))
        missed = max(world.missed[0] + both + one, 0.0), max(world.missed[1] + both, 0.0)
        for place in range(rng.poisson(world.per_day)):
            is_group = bool(rng.random() < world.share)
            is_missed = bool(rng.random() < missed[not is_group])
            if is_missed and rng.random() > world.read:
                continue
            at_us = day * DAY_US + place
            if not is_group:
                rest.add(is_missed, world.read)
            elif bet.take(is_missed, rest.less(Tally()), world.margin, at_us, world.read):
                enough = min(tally.n for tally in bet.since) >= least_n
                if enough and bet.statistic >= promise:
                    yield day
                    bet.begin()


def possible_days(world: World) -> float:
    """For whoever knows both shares."""
    group, rest = world.missed
    shares = np.linspace(1e-4, 1 - world.margin - 1e-4, 10_000)
    a_day = world.per_day * float(
        np.min(
            world.share * _divergence(group, shares + world.margin)
            + (1 - world.share) * _divergence(rest, shares)
        )
    )
    rarer = min(world.share, 1 - world.share)
    return max(log(PROMISE_DAYS * a_day) / a_day, LEAST_N / (world.per_day * rarer))


def _divergence(of: float, from_: np.ndarray) -> np.ndarray:
    nearer: np.ndarray = of * np.log(of / from_) + (1 - of) * np.log((1 - of) / (1 - from_))
    return nearer


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + (8 if options.quick else options.runs))
    print("margin share a day | possible, found: mean, median, most (days) | found")
    for world in FOUND:
        firsts = [
            next(alarms(world, seed, FOLLOWED_DAYS, PROMISE_DAYS, LEAST_N), None) for seed in seeds
        ]
        days = [float(first) for first in firsts if first is not None] or [float("nan")]
        print(
            f"{world.margin:.2f} {world.share} {world.per_day} | {possible_days(world):.1f}, "
            f"{fmean(days):.1f} +- {stdev(days) / sqrt(len(days)):.1f}, {median(days):.0f}, "
            f"{max(days):.0f} | {sum(first is not None for first in firsts)} of {len(firsts)}",
            flush=True,
        )
    broken = False
    print("false alarms over those allowed")
    for world in QUIET:
        counts = [len([*alarms(world, s, QUIET_DAYS, LOOSE_DAYS, 20)]) for s in seeds]
        allowed = QUIET_DAYS / LOOSE_DAYS
        ratio, error = fmean(counts) / allowed, stdev(counts) / sqrt(len(counts)) / allowed
        broken |= ratio > 1 + 3 * error and not world.apart
        print(
            f"missed {world.missed[1]} share {world.share} read {world.read} together "
            f"{world.together} apart {world.apart} | {ratio:.2f} +- {error:.2f}",
            flush=True,
        )
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
