"""Is the one promise kept by a thousand series at once, through the real Detect?

    python -m bench.promise [--quick] [--only NAME...] [--series N] [--seeds N] [--json]

Nothing ever changes here, so every incident that opens is a false one. A site with K series is fed
study by study, as the pipeline feeds it; its references are learnt, its shares granted and its
alarms followed (relearnt, returned) as in a hospital. Counted are the episodes that open, and with
them those that are told again as changed, over what the promise allows in the days that were
watched. Each row is a world of its own: independent series, series that share half their variance,
values that follow each other, four images a patient, days and weeks, all of it together, paces
that change, series that come and go.

A quarter of an hour of one core (4 to 6 us an observation, 5 million a world, two seeds); with
--quick 200 series and one seed, a minute. Seeds are fixed: the same numbers
each time. Exit status 1 where more than allowed was raised (once the promise where values are
independent given the level, 1.2 times where they are not) by more than three standard errors.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.config import Bounds, Config, Reference, Watch
from schemas.config import Budget as Promise
from streams.budget import Budget
from streams.detect import Detect
from streams.finding import Finding
from streams.observations.observe import Observations
from streams.observations.patients import Patients

SERIES_N = 1_000
REFERENCE_N = 2_000
WATCHED_N = 3_000
EVERY_US = 900_000_000  # 96 studies a day: three weeks of reference
DAY_US = 86_400_000_000
FALSE_INCIDENTS = 60.0  # in 30 days, so that there is something to be counted
BEGIN_US = 1_767_571_200_000_000  # a Monday
IMAGES = 4
_CHUNK_N = 500
_FLUSH_N = 1_024  # the results do not depend on it

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """What the series of a site are like. `allowed`: in units of the promise."""

    name: str
    common: float = 0.0
    """The share of the variance that all series have in common."""
    follows: float = 0.0
    """The correlation of each value with the one before (AR(1))."""
    images: int = 1
    """Images of one patient, who has half of the variance."""
    keyed: bool = True
    """Whether they name their patient."""
    rhythm: float = 0.0
    """How far the level moves within a day, and at a weekend, in sd."""
    paces: tuple[float, ...] = (1.0,)
    """Studies a day over the usual number, in equal parts of the time."""
    comes_and_goes: bool = False
    """Every other series begins late, and every third one ends early."""
    allowed: float = 1.0


WORLDS = (
    World("independent"),
    World("correlated, rho .5", common=0.5),
    World("AR(1) .3", follows=0.3, allowed=1.2),
    World("four images a patient", images=IMAGES, allowed=1.2),
    World("four images a patient, none named", images=IMAGES, keyed=False, allowed=1.2),
    World("days and weeks", rhythm=0.5, allowed=1.2),
    World("all together", 0.5, 0.3, IMAGES, rhythm=0.5, allowed=1.2),
    World("paces that change", paces=(1.0, 3.0, 0.3, 6.0, 1.0)),
    World("come and go", comes_and_goes=True),
    World("all of it", 0.5, 0.3, IMAGES, True, 0.5, (1.0, 2.0, 0.5, 3.0), True, allowed=1.2),
)


class Measured(NamedTuple):
    """What came of a world: episodes and what was allowed, in numbers; per observation, in us."""

    world: str
    opened: int
    changed: int
    allowed: float
    series: int
    observations: int
    us_each: float

    @property
    def ratio(self) -> float:
        """In units of the promise."""
        return self.opened / self.allowed

    @property
    def error(self) -> float:
        """Its standard error, if they came one by one."""
        return sqrt(max(self.opened, 1)) / self.allowed


def run(
    world: World,
    series_n: int,
    seed: int,
    reference_n: int = REFERENCE_N,
    watched_n: int = WATCHED_N,
) -> Measured:
    """Feed one world to a site of its own; what its incidents were."""
    config = Config(
        budget=Promise(false_incidents=FALSE_INCIDENTS, per_days=30, sites=1),
        reference=Reference(observations=reference_n, max_days=365),
        bounds=Bounds(series_per_site=series_n + 1),
        watch=Watch(slices=()),
    )
    detect = Detect(config, Budget(config))
    away: set[str] = set()
    opened = changed = n = 0
    first_us = last_us = BEGIN_US
    began = time.process_time()
    for number, seen in enumerate(studies(world, series_n, seed, reference_n + watched_n)):
        n, last_us = n + len(seen.values), seen.at_us
        said = [*detect.observe(seen), *(detect.flush() if number % _FLUSH_N == 0 else ())]
        for finding in (one for one in said if isinstance(one, Finding)):
            subject = finding.subject or ""
            if finding.signal in ("returned", "eased"):
                away.discard(subject)
            elif subject not in away:
                away.add(subject)
                opened += 1
            else:
                changed += finding.signal == "changed"
        if number == reference_n:
            first_us = seen.at_us
    took_us = (time.process_time() - began) * 1e6
    allowed = FALSE_INCIDENTS / 30 * (last_us - first_us) / DAY_US
    return Measured(world.name, opened, changed, allowed, series_n, n, took_us / n)


def studies(world: World, series_n: int, seed: int, counted_n: int) -> Iterator[Observations]:
    """The studies that count, in order: as many as asked for."""
    rng, patients = np.random.default_rng(seed), Patients(Bounds())
    names = [f"attributes.s{number}" for number in range(series_n)]
    images = world.images if not world.keyed else 1  # of a named patient the first one counts
    made = _values(world, rng, series_n, images)
    at_us = BEGIN_US
    for number in range(counted_n):
        part = min(number * len(world.paces) // counted_n, len(world.paces) - 1)
        gap_us = EVERY_US / world.paces[part] * rng.exponential()
        at_us += int(gap_us)
        who = f"patient {number}" if world.keyed and world.images > 1 else None
        assert patients.is_first("north", who, at_us, at_us)
        if who is not None:
            assert not patients.is_first("north", who, at_us, at_us)
        level = _level(world, at_us)
        there = _there(world, number / counted_n, series_n)
        row = next(made) + level
        values = [(names[place], float(row[place])) for place in there]
        yield Observations("north", "", f"s{number}", at_us, values)


def _values(world: World, rng: np.random.Generator, series_n: int, images: int) -> Iterator[Floats]:
    """Standard normal values of all series, study by study."""
    own, shared = sqrt(1 - world.common), sqrt(world.common)
    left = sqrt(1 - world.follows**2)
    before = own * rng.normal(size=series_n) + shared * rng.normal()
    while True:
        fresh = own * rng.normal(size=(_CHUNK_N, series_n)) + shared * rng.normal(
            size=(_CHUNK_N, 1)
        )
        for row in fresh:
            before = world.follows * before + left * row
            if images == 1:
                yield before
                continue
            for _ in range(images):
                yield (before + rng.normal(size=series_n)) * sqrt(0.5)


def _level(world: World, at_us: int) -> float:
    """Higher in the afternoon than in the morning, lower at a weekend."""
    days = (at_us - BEGIN_US) / DAY_US
    weekend = -world.rhythm if int(days) % 7 >= 5 else 0.0
    return world.rhythm * float(np.sin(2 * np.pi * days)) + weekend


def _there(world: World, share: float, series_n: int) -> range | list[int]:
    """Which series have a value, at this part of the time."""
    if not world.comes_and_goes:
        return range(series_n)
    return [
        place
        for place in range(series_n)
        if not (place % 2 and share < place / series_n / 2)
        and not (place % 3 == 2 and share > 0.6 + 0.4 * place / series_n)
    ]


def together(runs: list[Measured]) -> Measured:
    """Runs of one world, added up."""
    n = sum(one.observations for one in runs)
    return Measured(
        runs[0].world,
        sum(one.opened for one in runs),
        sum(one.changed for one in runs),
        sum(one.allowed for one in runs),
        runs[0].series,
        n,
        sum(one.us_each * one.observations for one in runs) / n,
    )


def breaks(world: World, found: Measured) -> bool:
    """Whether it raised more than allowed, beyond chance."""
    return found.ratio - 3 * found.error > world.allowed


def main() -> int:
    """Exit status 1 for a broken promise."""
    parser = argparse.ArgumentParser(prog="python -m bench.promise", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 series, one seed")
    parser.add_argument("--only", nargs="+", choices=[w.name for w in WORLDS], metavar="WORLD")
    parser.add_argument("--series", type=int, help=f"how many (default {SERIES_N})")
    parser.add_argument("--seeds", type=int, help="how many runs of each world (default 2)")
    parser.add_argument("--json", action="store_true", help="one object a line")
    arguments = parser.parse_args()
    series_n = arguments.series or (200 if arguments.quick else SERIES_N)
    seeds = arguments.seeds or (1 if arguments.quick else 2)
    broken = False
    for world in WORLDS:
        if arguments.only and world.name not in arguments.only:
            continue
        found = together([run(world, series_n, seed) for seed in range(1, seeds + 1)])
        broken = broken or breaks(world, found)
        if arguments.json:
            print(json.dumps(found._asdict() | {"ratio": found.ratio}), flush=True)
        else:
            print(_line(world, found), flush=True)
    return int(broken)


def _line(world: World, found: Measured) -> str:
    verdict = "BROKEN" if breaks(world, found) else "kept"
    return (
        f"{found.world:34} {found.opened:4} of {found.allowed:5.1f} allowed: "
        f"{found.ratio:4.2f} +- {found.error:4.2f} of {world.allowed:g}, {verdict}; "
        f"{found.changed} changed again; {found.us_each:.1f} us an observation"
    )


if __name__ == "__main__":
    sys.exit(main())
