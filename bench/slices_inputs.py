"""Inputs and features of one scanner of twelve move: is it named, and nobody else?

    python -m bench.slices_inputs [--seeds N] [--first-seed N] [--only WORLD] [--rows] [--json]

Twelve scanners of three models, 200 studies a day, women and men; promise and reference as by
default. Each scanner has a level of its own in `attributes.noise` and in a model's feature (.5 sd),
shares of its own of 80, 100 and 120 kVp, and of three kernels. 8,000 studies, then what the world
says, then 3,000 more. When the whole's reference is frozen sixty others get their shares of the
promise, before any scanner. Found: in so many runs it is told of the series, after so many studies
(median). Before: false incidents until then, in all runs. First, last: how
often the first message, and the last, names the one scanner and nobody else, or nobody where there
is none; wrong: how often the last names anybody else. With --rows no number has series for its
slices.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.pool import Pool
from statistics import median
from typing import NamedTuple

import numpy as np

from schemas.config import Budget as Promise
from schemas.config import Config
from schemas.slices import SliceSettings
from streams.budget import Budget
from streams.detect import Detect
from streams.fields import Value
from streams.finding import Finding
from streams.observations.observe import Observations

PER_DAY, SCANNERS_N, BROKEN = 200, 12, 6
LEARNT_N, FOLLOWED_N = 8_000, 3_000
_OTHERS_N, _OTHERS_AT = 60, 2_100
_EVERY_US = 86_400_000_000 // PER_DAY
_EFFECT_SD = 0.5
_KVP, _KERNELS = (80.0, 100.0, 120.0), ("B30f", "B50f", "B60f")
_EVEN = np.full(SCANNERS_N, 1 / SCANNERS_N)

NOISE, KVP, KERNEL = "attributes.noise", "acquisition.kvp", "acquisition.kernel"
FEATURE, STATION, MODEL = "features.noise", "scanner.station", "scanner.model"
Study = dict[str, Value]
Fault = Callable[[np.random.Generator, int, Study], None]


class World(NamedTuple):
    """What moves, the scanner to be named (None: there is none), and what happens to a study."""

    subject: str
    named: int | None
    fault: Fault
    shares: tuple[float, ...] = tuple(_EVEN)


def _shift(sd: float, who: int | None, rng: np.random.Generator, scanner: int, told: Study) -> None:
    if who in (None, scanner):
        for subject in (NOISE, FEATURE):
            told[subject] = float(told[subject]) + sd


def _kvp(value: float, rng: np.random.Generator, scanner: int, told: Study) -> None:
    if scanner == BROKEN:
        told[KVP] = value


def _kernel(
    word: str, share: float, who: int | None, rng: np.random.Generator, scanner: int, told: Study
) -> None:
    if who in (None, scanner) and rng.random() < share:
        told[KERNEL] = word


def _nothing(rng: np.random.Generator, scanner: int, told: Study) -> None:
    pass


def _comes(rng: np.random.Generator, scanner: int, told: Study) -> None:
    """A thirteenth scanner, of a model that is known, with values of its own."""
    if rng.random() < 0.1:
        told[STATION], told[MODEL] = "CT13", "M1"
        told[NOISE], told[KERNEL] = float(rng.normal(2)), "B30f"


_LEAVES = tuple(float(i != BROKEN) / (SCANNERS_N - 1) for i in range(SCANNERS_N))
_OFTEN = tuple((1 + 4 * (i == BROKEN)) / (SCANNERS_N + 4) for i in range(SCANNERS_N))
WORLDS: dict[str, World] = {
    "nothing: noise": World(NOISE, None, _nothing),
    "nothing: kVp": World(KVP, None, _nothing),
    "noise of one + .5 sd": World(NOISE, BROKEN, partial(_shift, 0.5, BROKEN)),
    "noise of one - 1 sd": World(NOISE, BROKEN, partial(_shift, -1.0, BROKEN)),
    "noise of one + 1 sd": World(NOISE, BROKEN, partial(_shift, 1.0, BROKEN)),
    "noise of one + 2 sd": World(NOISE, BROKEN, partial(_shift, 2.0, BROKEN)),
    "noise of one + 3 sd": World(NOISE, BROKEN, partial(_shift, 3.0, BROKEN)),
    "feature of one + 1 sd": World(FEATURE, BROKEN, partial(_shift, 1.0, BROKEN)),
    "feature of one + 2 sd": World(FEATURE, BROKEN, partial(_shift, 2.0, BROKEN)),
    "kVp of one: 100 and 120 are 80": World(KVP, BROKEN, partial(_kvp, 80.0)),
    "kVp of one: all are 70": World(KVP, BROKEN, partial(_kvp, 70.0)),
    "kernel of one: a fifth is new": World(KERNEL, BROKEN, partial(_kernel, "Br40", 0.2, BROKEN)),
    "kernel of one: all is new": World(KERNEL, BROKEN, partial(_kernel, "Br40", 1.0, BROKEN)),
    "kernel of one: all is B60f": World(KERNEL, BROKEN, partial(_kernel, "B60f", 1.0, BROKEN)),
    "noise of all + .3 sd": World(NOISE, None, partial(_shift, 0.3, None)),
    "noise of all + 1 sd": World(NOISE, None, partial(_shift, 1.0, None)),
    "kernel of all: a fiftieth is new": World(KERNEL, None, partial(_kernel, "Br40", 0.02, None)),
    "one leaves: stations": World(STATION, None, _nothing, _LEAVES),
    "one comes five times as often: noise": World(NOISE, None, _nothing, _OFTEN),
    "one comes five times as often: kernels": World(KERNEL, None, _nothing, _OFTEN),
    "a thirteenth comes: noise": World(NOISE, None, _comes),
    "a thirteenth comes: kernels": World(KERNEL, None, _comes),
}


class Told(NamedTuple):
    """After how many studies, None for never; what the first message names, and the last.

    `before`: incidents until then, all of them false.
    """

    studies: int | None
    first: list[str]
    last: list[str]
    before: int


def studies(seed: int, world: World) -> Iterator[Observations]:
    """What its studies say of the one series."""
    rng = np.random.default_rng(seed)
    effects = rng.normal(0, _EFFECT_SD, SCANNERS_N)
    often = {subject: rng.dirichlet(np.full(3, 4.0), SCANNERS_N) for subject in (KVP, KERNEL)}
    before, after = (
        rng.choice(SCANNERS_N, n, p=p) for n, p in ((LEARNT_N, _EVEN), (FOLLOWED_N, world.shares))
    )
    scanners = np.concatenate((before, after))
    numbers = rng.normal(effects[scanners])
    levels = {
        subject: (rng.random((len(scanners), 1)) > shares[scanners].cumsum(axis=1)[:, :2]).sum(
            axis=1
        )
        for subject, shares in often.items()
    }
    women = rng.integers(2, size=len(scanners))
    for place, scanner in enumerate(scanners.tolist()):
        told: Study = {
            STATION: f"CT{scanner + 1}",
            MODEL: f"M{scanner % 3}",
            NOISE: float(numbers[place]),
            FEATURE: float(numbers[place]),
            KVP: _KVP[levels[KVP][place]],
            KERNEL: _KERNELS[levels[KERNEL][place]],
        }
        if place >= LEARNT_N:
            world.fault(rng, scanner, told)
        sex = "FM"[int(women[place])]
        slices = (f"{STATION}={told[STATION]}", f"{MODEL}={told[MODEL]}", f"patient.sex={sex}")
        model = "ptx" if world.subject == FEATURE else ""
        values = [(world.subject, told[world.subject])]
        yield Observations("north", model, f"{seed}-{place}", place * _EVERY_US, values, slices)


def told(seed: int, name: str, is_sliced: bool = True) -> Told:
    """What is told of a world's series."""
    world, config = WORLDS[name], Config(budget=Promise(sites=1))
    budget = Budget(config)
    detect = Detect(config, budget, None if is_sliced else SliceSettings(inputs=()))
    found: list[Finding] = []
    before, is_open = 0, False
    for place, seen in enumerate(studies(seed, world)):
        said = [*detect.observe(seen)]
        if place % 500 == 0:
            said += detect.flush()
        if place == _OTHERS_AT:
            for _ in range(_OTHERS_N):
                budget.grant(seen.site)
        for what in said:
            if not isinstance(what, Finding) or what.kind == "new_value":
                continue
            is_told = what.signal in ("holds", "changed")
            if what.at_us < LEARNT_N * _EVERY_US:
                before += is_told and not is_open
                is_open = is_told
            elif is_told:
                found.append(what)
    named = [[one.slice for one in what.evidence.slices or ()] for what in found]
    if not found:
        return Told(None, [], [], before)
    return Told(found[0].at_us // _EVERY_US - LEARNT_N + 1, named[0], named[-1], before)


def _row(name: str, seeds: range, is_sliced: bool, pool: Pool) -> dict[str, object]:
    every = pool.starmap(told, [(seed, name, is_sliced) for seed in seeds])
    rows = [one for one in every if one.studies is not None]
    named = WORLDS[name].named
    right = [] if named is None else [f"{STATION}=CT{named + 1}"]
    n = max(len(rows), 1)
    return {
        "before": sum(one.before for one in every),
        "found": len(rows) / len(seeds),
        "studies": median(one.studies or 0 for one in rows) if rows else None,
        "first": sum(one.first == right for one in rows) / n,
        "last": sum(one.last == right for one in rows) / n,
        "wrong": sum(bool({*one.last} - {*right}) for one in rows) / n,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=40, help="runs of each world")
    parser.add_argument("--first-seed", type=int, default=0, help="other runs")
    parser.add_argument("--only", choices=tuple(WORLDS), help="this world alone")
    parser.add_argument("--rows", action="store_true", help="no series for slices: rows alone")
    parser.add_argument("--processes", type=int, default=2, help="at once")
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    with Pool(options.processes) as pool:
        for name in [options.only] if options.only else WORLDS:
            row = _row(name, seeds, not options.rows, pool)
            print(
                json.dumps({"world": name, **row}) if options.json else f"{name:40} {row}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
