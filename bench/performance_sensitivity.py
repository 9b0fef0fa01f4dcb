"""How soon a lost sensitivity is told, and how soon it could be by whoever knows more.

    python -m bench.performance_sensitivity [--replicates N] [--first SEED] [--json]

The worlds of `bench.performance`: 200 studies a day, a reference of 2,000, one false alarm in 500
days. Of the stage only the watch itself runs, on studies as they are at maturity, which gives some
hundred replicates instead of forty. Beside it, on the same studies and held to the same promise:
whoever knows the sensitivity before, and whoever knows before, after and how much is read. Days are
from the change to the alarm, three of maturity included. Exit status 1 when false alarms exceed the
promise by more than three standard errors.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from math import log
from multiprocessing import Pool
from statistics import fmean, median, stdev

import numpy as np

from bench.performance import tasks
from bench.performance_world import (
    CALM_DAYS,
    DAY_US,
    EARLY,
    EVENTS,
    PROMISE_DAYS,
    QUIET,
    Study,
    Task,
    changed_us,
    studies,
)
from detectors.weighted_bet import CERTAIN, WeightedBet, chance, raised
from streams.clock import NEVER_US
from streams.performance.monitor import ODDS
from streams.performance.unread import Matured
from streams.performance.watch import Accuracy, Settings, Watch

LOST = "sensitivity .9 to .8"
FOLLOWED_DAYS, QUIET_DAYS = 60, 120

Alarms = list[float]
"""Days from the change to each alarm."""


def watched(task: Task) -> Alarms:
    """By the watch of the stage."""
    record = Accuracy("s", "ptx", "f")
    watch = Watch(record, Settings(task.reference_n, NEVER_US), None, frozenset({"sensitivity"}))
    found = []
    for study in studies(task):
        present = study.present if _read(study, task) else None
        matured = Matured("ptx", "f", study.at_us, study.called, study.score, present, None)
        shown = watch.take(matured, lambda: task.promise_days)
        found += [_days(study, task) for one in shown if one.verdict.word == "worse"]
    return found


def known(task: Task, knows_after: bool) -> Alarms:
    """By whoever knows what is read, the sensitivity before, and perhaps the one after."""
    before, after = task.before, task.after
    weight = log(before.read_uncalled / before.read_called)
    missed = chance(np.array([weight - _log_odds(before.sensitivity)]))
    grown = _log_odds(before.sensitivity) - _log_odds(after.sensitivity)
    changed = raised(missed, (np.exp(grown),) if knows_after else ODDS)
    bet = WeightedBet(task.promise_days, CERTAIN, changed.shape[1])
    begin_us = changed_us(task) - task.calm_days * DAY_US
    asked = (s for s in studies(task) if s.present and s.at_us >= begin_us and _read(s, task))
    return [
        _days(study, task)
        for study in asked
        if bet.update(not study.called, missed, changed, study.at_us)
    ]


def _read(study: Study, task: Task) -> bool:
    matured_us = study.at_us + task.maturity_days * DAY_US
    return study.report_us is not None and study.report_us <= matured_us


def _days(study: Study, task: Task) -> float:
    return (study.at_us - changed_us(task)) / DAY_US + task.maturity_days


def _log_odds(share: float) -> float:
    return log(share / (1 - share))


WHO: dict[str, Callable[[Task], Alarms]] = {
    "the watch": watched,
    "knows before": partial(known, knows_after=False),
    "knows before and after": partial(known, knows_after=True),
}


@dataclass(frozen=True)
class Delay:
    """Of the first alarms after the change; None: half were not found."""

    event: str
    who: str
    median_days: float | None
    standard_error: float
    found_share: float

    def __str__(self) -> str:
        middle = "    -" if self.median_days is None else f"{self.median_days:5.2f}"
        days = f"{middle} +- {self.standard_error:.2f}"
        return f"{self.event:36} {self.who:23} {days} days, found {self.found_share:.0%}"


@dataclass(frozen=True)
class Rate:
    """False alarms in units of the promise."""

    event: str
    who: str
    rate: float
    standard_error: float

    @property
    def broken(self) -> bool:
        """By more than chance explains."""
        return self.rate - 3 * self.standard_error > 1

    def __str__(self) -> str:
        rate = f"{self.rate:.2f} +- {self.standard_error:.2f}"
        return f"{self.event:36} {self.who:23} {rate} of the promise"


def delay(event: str, who: str, alarms: list[Alarms], maturity_days: float) -> Delay:
    """The median and its error, by drawing replicates again (bootstrap)."""
    never = FOLLOWED_DAYS + maturity_days
    firsts = [min((d for d in days if d > maturity_days), default=never) for days in alarms]
    rng = np.random.default_rng(0)
    again = [float(np.median(rng.choice(firsts, len(firsts)))) for _ in range(500)]
    middle = median(firsts)
    return Delay(
        event,
        who,
        None if middle >= never else middle,
        float(np.std(again)),
        fmean(first < never for first in firsts),
    )


def rate(event: str, who: str, alarms: list[Alarms], days: float) -> Rate:
    """Counted from the reference on."""
    each = [len(one) * PROMISE_DAYS / days for one in alarms]
    return Rate(event, who, fmean(each), stdev(each) / len(each) ** 0.5)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=200, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    told: list[Delay | Rate] = []
    with Pool(chosen.processes) as pool:
        for name, worlds in {**EVENTS, **QUIET}.items():
            if not (name in QUIET or name in (LOST, EARLY)):
                continue
            days = QUIET_DAYS if name in QUIET else FOLLOWED_DAYS
            drawn = tasks(name, worlds, days, chosen.first + chosen.replicates)[chosen.first :]
            for who, watch in WHO.items():
                if name in QUIET and who != "the watch":
                    continue
                alarms = pool.map(watch, drawn, chunksize=4)
                if name in QUIET:
                    told.append(rate(name, who, alarms, days + CALM_DAYS))
                else:
                    told.append(delay(name, who, alarms, drawn[0].maturity_days))
                if not chosen.json:
                    print(told[-1], flush=True)
    if chosen.json:
        print(json.dumps([asdict(one) for one in told]))
    return int(any(isinstance(one, Rate) and one.broken for one in told))


if __name__ == "__main__":
    sys.exit(main())
