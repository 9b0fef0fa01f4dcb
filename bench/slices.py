"""One scanner of twelve changes: how soon is it found, is it named, and what does it cost?

    python -m bench.slices [--quick] [--only FAULT] [--first-seed N] [--json]

Twelve scanners of three models, 200 studies a day, a score and a call of each, positive in a tenth.
The promise is .1 false alarms in 5,000 studies for all series together. Found: studies of the whole
site from the change to the incident. Right: the first slice that its first message names. `whole
alone` has the same promise and no slices. False alarms are counted at a promise 50 times as loose,
in units of what that allows. Attribution: on rows alone, 12 sites, additive effects, the site with
5 % of the rows. Groups: women, half of the studies read, 20 a day, 1,000 days promised.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from math import log
from multiprocessing.pool import Pool
from statistics import fmean, median
from time import process_time
from typing import NamedTuple

import numpy as np

from bench.slices_rows import CALLS, WORLDS, attributed, attributed_calls
from schemas.config import Budget as Promise
from schemas.config import Config, Watch
from schemas.slices import SliceSettings
from streams.budget import Budget
from streams.detect import Detect
from streams.finding import Finding
from streams.observations.observe import Observations
from streams.slices.subgroups import Subgroups

PER_DAY, STUDIES = 200, 5_000
SCANNERS_N, BROKEN = 12, "scanner.station=CT7"
LEARNT_N, FOLLOWED_N = 7_000, 4_000
BASE = 0.1
ALLOWED = 0.1
LOOSE = 50
_EVERY_US = 86_400_000_000 // PER_DAY
_FLUSH_EVERY = 10

Answer = tuple[float, bool]
Fault = Callable[[np.random.Generator, Answer], Answer]
FAULTS: dict[str, Fault] = {
    "scores and calls collapse": lambda rng, _: (float(rng.uniform(0, 0.01)), False),
    "calls only, all negative": lambda rng, answer: (answer[0], False),
    "calls only, .1 to .3": lambda rng, answer: (
        answer[0],
        answer[1] or bool(rng.random() < 2 / 9),
    ),
}


class Told(NamedTuple):
    """After how many studies, None for never; and whether the right slice was named."""

    studies: int | None
    right: bool


class Group(NamedTuple):
    """A gap of shares, the share of runs in which it was told, and after how many of the group."""

    gap: float
    found: float
    group_n: float | None


def studies(seed: int, n: int, fault: Fault | None = None) -> Iterator[Observations]:
    """From `LEARNT_N` on the broken scanner has its fault."""
    rng = np.random.default_rng(seed)
    for place in range(n):
        scanner = int(rng.integers(SCANNERS_N))
        sex = "FM"[int(rng.integers(2))]
        present = rng.random() < BASE
        score = 1 / (1 + np.exp(-rng.normal(2.2 if present else -2.2, 1.2)))
        answer = (float(score), bool(rng.random() < BASE))
        station = f"scanner.station=CT{scanner + 1}"
        if fault and place >= LEARNT_N and station == BROKEN:
            answer = fault(rng, answer)
        yield Observations(
            "north",
            "ptx",
            f"{seed}-{place}",
            place * _EVERY_US,
            [("ptx.score", answer[0]), ("ptx.positive", answer[1])],
            (station, f"scanner.model=M{scanner % 3}", f"patient.sex={sex}"),
        )


def shard(allowed: float, is_sliced: bool = True, slice_n: int = 500) -> Detect:
    """So many false alarms are allowed in 5,000 studies."""
    slices = ("scanner.station", "scanner.model", "patient.sex") if is_sliced else ()
    promise = Promise(false_incidents=allowed, per_days=STUDIES / PER_DAY, sites=1)
    config = Config(budget=promise, watch=Watch(slices=slices))
    return Detect(config, Budget(config), SliceSettings(observations=slice_n))


def found(seed: int, name: str, is_sliced: bool = True, slice_n: int = 500) -> Told:
    """The first incident after the fault of one run."""
    detect = shard(ALLOWED, is_sliced, slice_n)
    for finding in findings(detect, studies(seed, LEARNT_N + FOLLOWED_N, FAULTS[name])):
        place = finding.at_us // _EVERY_US
        if finding.signal in ("holds", "changed") and place >= LEARNT_N:
            slices = finding.evidence.slices or []
            return Told(place - LEARNT_N + 1, [one.slice for one in slices[:1]] == [BROKEN])
    return Told(None, False)


def false_alarms(seed: int, slice_n: int = 500) -> int:
    """Incidents of 5,000 studies in which nothing changes, at the loose promise."""
    away: set[str | None] = set()
    opened = 0
    detect = shard(ALLOWED * LOOSE, slice_n=slice_n)
    for finding in findings(detect, studies(seed, LEARNT_N + STUDIES)):
        if finding.signal in ("returned", "eased"):
            away.discard(finding.subject)
        elif finding.subject not in away:
            away.add(finding.subject)
            opened += finding.at_us // _EVERY_US >= LEARNT_N
    return opened


def findings(detect: Detect, seen: Iterator[Observations]) -> Iterator[Finding]:
    """What a shard finds."""
    for place, one in enumerate(seen):
        said = [*detect.observe(one)]
        if place % _FLUSH_EVERY == 0:
            said += detect.flush()
        yield from (what for what in said if isinstance(what, Finding))


def bound(base: float = BASE) -> float:
    """Studies of the site that calls alone need at least until all-negative can be told.

    For one who knows the scanner's rate, what will happen, and watches nothing else: the alarm is
    a run of negatives, which under the promise, of 50,000 studies of this scanner to a false alarm
    of it, has ln(1 + 50,000 base) / -ln(1 - base) of them.
    """
    arl = STUDIES / ALLOWED
    return SCANNERS_N * log(1 + arl * base) / -log(1 - base)


def group(gap: float, runs: int) -> Group:
    """A gap of the positive predictive value, from .9 down."""
    told: list[int] = []
    for seed in range(runs):
        rng, stage = np.random.default_rng(seed), Subgroups(Config(), SliceSettings(), _promised)
        for place in range(4_000):
            sex = "FM"[int(rng.integers(2))]
            value = bool(rng.random() < 0.9 - gap * (sex == "F"))
            at_us = place * 86_400_000_000 // 20
            seen = Observations("n", "m", "s", at_us, [("p.ppv", value)], (f"patient.sex={sex}",))
            first = next(iter(stage.observe(seen)), None)
            if first is not None:
                told.append(first.evidence.current_n or 0)
                break
    return Group(gap, len(told) / runs, median(told) if told else None)


def cost_us(is_sliced: bool, batch: int, n: int = 6_000) -> float:
    """CPU microseconds of an event with a score and a call, flushed every `batch` of them."""
    detect = shard(ALLOWED, is_sliced)
    events = [*studies(1, LEARNT_N + n)]
    for part in (events[:LEARNT_N], events[LEARNT_N:]):
        begun = process_time()
        for place, one in enumerate(part):
            for _ in detect.observe(one):
                pass
            if place % batch == 0:
                for _ in detect.flush():
                    pass
    return (process_time() - begun) / n * 1e6


def _promised(site: str) -> float:
    return 1_000.0


def _measure(pool: Pool, runs: int, quick: bool) -> dict[str, object]:
    results: dict[str, object] = {"bound, calls only": round(bound())}
    for slice_n in (500,) if quick else (500, 150):
        for name in FAULTS:
            told = pool.starmap(found, [(seed, name, True, slice_n) for seed in range(runs)])
            results[f"{name}, slices learnt from {slice_n}"] = _told(told)
        alarms = pool.starmap(false_alarms, [(seed, slice_n) for seed in range(runs)])
        ratio = sum(alarms) / (ALLOWED * LOOSE * runs)
        results[f"false alarms over allowed, slices learnt from {slice_n}"] = ratio
    for name in FAULTS:
        told = pool.starmap(found, [(seed, name, False) for seed in range(runs // 2)])
        results[f"{name}, whole alone"] = _told(told)
    return results


def _told(told: list[Told]) -> dict[str, float | None]:
    delays = [one.studies for one in told if one.studies is not None]
    return {
        "found": len(delays) / len(told),
        "mean": fmean(delays) if delays else None,
        "median": median(delays) if delays else None,
        "most": max(delays, default=None),
        "right": sum(one.right for one in told) / max(len(delays), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    parser.add_argument("--only", choices=tuple(FAULTS), help="how soon this one is found")
    parser.add_argument("--first-seed", type=int, default=0, help="of --only: other runs")
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args()
    runs = 8 if options.quick else 40
    with Pool(2) as pool:
        if options.only:
            seeds = range(options.first_seed, options.first_seed + runs)
            told = pool.starmap(found, [(seed, options.only) for seed in seeds])
            print(json.dumps(_told(told)) if options.json else _table({options.only: _told(told)}))
            return 0
        results = _measure(pool, runs, options.quick)
    for name in WORLDS:
        results[f"attribution, {name}"] = attributed(name, runs * 10)._asdict()
    for name in CALLS:
        results[f"attribution, {name}"] = attributed_calls(name, runs * 10)._asdict()
    for gap in (0.1, 0.15, 0.2, 0.3, 0.4):
        results[f"gap {gap:g}"] = group(gap, runs // 2)._asdict()
    for batch in (500, 5_000):
        results[f"CPU us an event, slices, batches of {batch}"] = round(cost_us(True, batch), 1)
        results[f"CPU us an event, whole alone, {batch}"] = round(cost_us(False, batch), 1)
    print(json.dumps(results, indent=2) if options.json else _table(results))
    return 0


def _table(results: dict[str, object]) -> str:
    return "\n".join(f"{name:58} {value}" for name, value in results.items())


if __name__ == "__main__":
    sys.exit(main())
