"""What is found of a model's performance from late and partial reports, how soon, at what price.

    python -m bench.performance [--quick] [--json]

A site makes 200 studies a day: prevalence 10 %, sensitivity .9, specificity .92, scores binormal
and calibrated; reports come after hours or days, for 95 % of the studies called and 65 % of the
others. References rest on 2,000 studies, every series and monitor is promised 500 days (100,000
studies) between two false alarms. The stage itself runs, event by event; what it hands on as yes
or no goes to `detectors.cat_sr`. Seeds are fixed: the same numbers each time. Exit status 1 when
false alarms exceed the promise by more than three standard errors.
"""

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass, replace
from multiprocessing import Pool
from statistics import fmean, median, stdev

from bench.performance_watch import SUBJECTS, Told, watch
from bench.performance_world import (
    CALM_DAYS,
    EARLY,
    EVENTS,
    NOISY,
    PROMISE_DAYS,
    QUIET,
    Task,
    World,
)

PROCESSES = 2


@dataclass(frozen=True)
class Delay:
    """Days from a change to its first alarm, maturity included; None: half were not found."""

    event: str
    subject: str
    median_days: float | None
    found_share: float
    before: float  # alarms before the change, a replicate


@dataclass(frozen=True)
class Rate:
    """False alarms in units of what is promised."""

    event: str
    subject: str
    rate: float
    standard_error: float

    @property
    def broken(self) -> bool:
        """Whether the promise is broken by more than chance explains."""
        return self.rate - 3 * self.standard_error > 1


def delays(name: str, all_told: list[Told], followed_days: float) -> list[Delay]:
    """Of each subject, and of whichever is first."""
    found = []
    for subject in (*SUBJECTS, "any"):
        firsts, before = [], 0
        for told in all_told:
            names = SUBJECTS if subject == "any" else (subject,)
            days = [day for name in names for day in told.alarms.get(name, ())]
            before += sum(day <= 0 for day in days)
            firsts.append(min((day for day in days if day > 0), default=float("inf")))
        middle = median(firsts)
        found.append(
            Delay(
                name,
                subject,
                None if middle > followed_days else middle,
                fmean(first < float("inf") for first in firsts),
                before / len(all_told),
            )
        )
    return found


def rates(name: str, all_told: list[Told], days: float) -> list[Rate]:
    """Of each subject, counted from the reference on."""
    found = []
    for subject in SUBJECTS:
        alarms = [len(told.alarms.get(subject, ())) * PROMISE_DAYS / days for told in all_told]
        found.append(Rate(name, subject, fmean(alarms), stdev(alarms) / len(alarms) ** 0.5))
    return found


def diagnoses(name: str, all_told: list[Told]) -> Counter[str]:
    """What was named with the first alarm of all that came after the change."""
    named: Counter[str] = Counter()
    for told in all_told:
        first = {s: min(d for d in told.alarms[s] if d > 0) for s in told.causes}
        if first:
            subject = min(first, key=lambda s: first[s])
            named[" or ".join(told.causes[subject]) or "not said"] += 1
    return named


def tasks(name: str, worlds: tuple[World, World], days: int, replicates: int) -> list[Task]:
    """The replicates of one event."""
    calm_days = 7 if name == EARLY else CALM_DAYS
    return [
        Task(name, *worlds, followed_days=days, seed=seed, calm_days=calm_days)
        for seed in range(replicates)
    ]


def unseen(replicates: int, promise_days: float) -> list[Task]:
    """A fifth of the positives silently missed; noisy labels after a day; a long reference."""
    after = replace(NOISY, unseen=0.2)
    return [
        Task("a fifth unseen", NOISY, after, 40, seed, promise_days, 20_000, maturity_days=2)
        for seed in range(replicates)
    ]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer replicates")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    parser.add_argument("--only", help="the events whose name has this in it")
    chosen = parser.parse_args()
    many, few, long = (8, 6, 120) if chosen.quick else (40, 24, 365)
    late: list[Delay] = []
    quiet: list[Rate] = []
    named: dict[str, Counter[str]] = {}
    with Pool(PROCESSES) as pool:
        for name, worlds in EVENTS.items():
            if chosen.only and chosen.only not in name:
                continue
            all_told = pool.map(watch, tasks(name, worlds, 60, many), chunksize=1)
            late += delays(name, all_told, 60)
            named[name] = diagnoses(name, all_told)
        for promise in (PROMISE_DAYS, 100.0):
            name = f"a fifth unseen, promise {promise:.0f} d"
            if not chosen.only or chosen.only in name:
                all_told = pool.map(watch, unseen(few, promise), chunksize=1)
                late += delays(name, all_told, 40)
                named[name] = diagnoses(name, all_told)
        for name, worlds in QUIET.items():
            if not chosen.only or chosen.only in name:
                days = long if name == "in control" else 120
                all_told = pool.map(watch, tasks(name, worlds, days, few), chunksize=1)
                quiet += rates(name, all_told, days + CALM_DAYS)
    if chosen.json:
        print(json.dumps({"delays": [*map(asdict, late)], "rates": [*map(asdict, quiet)]}))
    else:
        show(late, named, quiet)
    return int(any(rate.broken for rate in quiet))


def show(late: list[Delay], named: dict[str, Counter[str]], quiet: list[Rate]) -> None:
    """Three tables."""
    print(f"{'event':36} {'subject':12} {'median days':>11} {'found':>6} {'before':>7}")
    for d in late:
        middle = "-" if d.median_days is None else f"{d.median_days:.1f}"
        print(f"{d.event:36} {d.subject:12} {middle:>11} {d.found_share:6.0%} {d.before:7.2f}")
    print("\nnamed with the first alarm")
    for name, counter in named.items():
        told = ", ".join(f"{why} {n}" for why, n in counter.most_common())
        print(f"{name:36} {told}")
    print(f"\n{'event':36} {'subject':12} false alarms (promise 1)")
    for r in quiet:
        broken = "  BROKEN" if r.broken else ""
        print(f"{r.event:36} {r.subject:12} {r.rate:.2f} +- {r.standard_error:.2f}{broken}")


if __name__ == "__main__":
    sys.exit(main())
