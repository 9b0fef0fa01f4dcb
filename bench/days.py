"""A series whose days have levels of their own, and then a shift: how soon is it found?

    python -m bench.days [--series N] [--seed N] [--json]

Each series runs through the whole life of one (`streams.series.watched`): a reference of 2,000,
eight days at least, and twenty days more; then its mean moves at some hour of a day. The median of
what it took is of all series, those not found in sixty days included; a promise of 200 days. What
such series raise where nothing changes is `python -m bench.weekends --only "of their own"`.
"""

import argparse
import json
from multiprocessing import Pool
from statistics import median
from typing import NamedTuple

import numpy as np

from bench.weekends import PROMISE_DAYS
from schemas.config import Reference
from streams.pace import DAY_US
from streams.series.change import Change
from streams.series.learning import settings_of
from streams.series.number import NumberSample
from streams.series.seen import Seen
from streams.series.watched import Series

LEVELS_SD, PACES, SHIFTS_SD = (0.0, 0.05, 0.1, 0.2), (150, 1_000), (0.25, 0.5, 1.0)
_QUIET_DAYS, _FOLLOWED_DAYS = 20, 60


class Case(NamedTuple):
    """One series: how far its days differ, its observations a day, the shift, and the seed."""

    levels_sd: float
    per_day: int
    shift_sd: float
    seed: int


def found_after(case: Case) -> float:
    """Observations from the shift to the alarm; infinite without one, or after a false one."""
    levels_sd, per_day, shift_sd, seed = case
    rng = np.random.default_rng([seed, per_day])
    learnt_days = max(8, -(-2_000 // per_day))
    length_days = learnt_days + _QUIET_DAYS + 1 + _FOLLOWED_DAYS
    n = per_day * length_days
    days = rng.integers(0, 7) + np.sort(rng.random(n)) * length_days
    own = rng.normal(0, levels_sd, int(days[-1]) + 1)[days.astype(np.int64)]
    first = int(n * (learnt_days + _QUIET_DAYS + rng.random()) / length_days)
    values = rng.normal(size=n) + own
    values[first:] += shift_sd
    ats_us, draws = (days * DAY_US).astype(np.int64), rng.random(n)
    weekhours = (days * 24 % 168).astype(np.uint8)
    series = Series(settings_of(Reference()), NumberSample)
    for start, stop in [(0, first), *((one, one + 1) for one in range(first, n))]:
        cut = slice(start, stop)
        seen = Seen(values[cut], draws[cut], ats_us[cut], weekhours[cut])
        told = [*series.observe(seen, lambda _: PROMISE_DAYS)]
        if start and any(isinstance(one, Change) and one.what == "alarm" for one in told):
            return stop - first
        if start and series.phase == "relearning":
            return float("nan")
    return float("inf")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=40, help="of each kind")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--json", action="store_true", help="one object a line")
    using = parser.parse_args()
    if not using.json:
        print("| days differ by | a day | shift | found, of | median observations | nine in ten |")
        print("|---|---|---|---|---|---|")
    seeds = range(using.seed, using.seed + using.series)
    with Pool(2) as pool:
        for per_day in PACES:
            for shift_sd in SHIFTS_SD:
                for levels_sd in LEVELS_SD:
                    cases = [Case(levels_sd, per_day, shift_sd, seed) for seed in seeds]
                    _print(cases[0], pool.map(found_after, cases), as_json=using.json)
    return 0


def _print(case: Case, after: list[float], *, as_json: bool) -> None:
    known = sorted(one for one in after if one == one)  # noqa: PLR0124 - a false alarm was on
    found = [one for one in known if one < float("inf")]
    told = {
        "levels_sd": case.levels_sd,
        "per_day": case.per_day,
        "shift_sd": case.shift_sd,
        "found": len(found),
        "of": len(known),
        "median": median(known),
        "nine_in_ten": known[len(known) * 9 // 10],
    }
    if as_json:
        print(json.dumps(told), flush=True)
    else:
        print(
            f"| {case.levels_sd:g} sd | {case.per_day} | {case.shift_sd:g} sd "
            f"| {len(found)}, {len(known)} | {told['median']:.0f} | {told['nine_in_ten']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    raise SystemExit(main())
