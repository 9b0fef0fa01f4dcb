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
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import Pool
from statistics import NormalDist, fmean, median, stdev

import numpy as np

from detectors.cat_sr import CategoryDetector
from schemas.config import Config, Model, Reference
from schemas.performance import Performance
from schemas.prediction import Output, Prediction
from schemas.report import Label, Report
from streams.clock import from_us
from streams.finding import Finding
from streams.observe import Complete, Observations
from streams.performance.readout import Readout
from streams.stage import Happened
from streams.study_record import StudyFacts

PROCESSES = 2
PER_DAY = 200
DAY_US = 86_400_000_000
START_US = 20_454 * DAY_US
PROMISE_DAYS = 500.0
CALM_DAYS = 30  # in control between the reference and the change
SUBJECTS = ("sensitivity", "calibration", "call_rate", "ppv", "for")
_normal = NormalDist()


@dataclass(frozen=True)
class World:
    """How a site and a model are; shares, and `score_shift` in log odds."""

    prevalence: float = 0.1
    sensitivity: float = 0.9
    specificity: float = 0.92
    score_shift: float = 0.0
    unseen: float = 0.0  # share of the studies with the finding that look like those without
    read_called: float = 0.95
    read_uncalled: float = 0.65
    label_noise: float = 0.0
    report_days: float = 0.5  # mean delay of a report


USUAL = World()
EARLY = "sensitivity .9 to .8, after a week"
EVENTS: dict[str, tuple[World, World]] = {
    EARLY: (USUAL, replace(USUAL, sensitivity=0.8)),
    "sensitivity .9 to .8": (USUAL, replace(USUAL, sensitivity=0.8)),
    "specificity .92 to .88": (USUAL, replace(USUAL, specificity=0.88)),
    "prevalence 10 to 15 %": (USUAL, replace(USUAL, prevalence=0.15)),
    "score logit -.5": (USUAL, replace(USUAL, score_shift=-0.5)),
    "score logit -1": (USUAL, replace(USUAL, score_shift=-1.0)),
}
QUIET: dict[str, tuple[World, World]] = {
    "in control": (USUAL, USUAL),
    "backlog week": (USUAL, USUAL),
    "verification .65 to .95": (USUAL, replace(USUAL, read_uncalled=0.95)),
}
_NOISY = World(
    sensitivity=0.857,
    specificity=0.869,
    label_noise=0.03,
    read_called=1,
    read_uncalled=1,
    report_days=1,
)


@dataclass(frozen=True)
class Task:
    """One replicate: a world that becomes another, followed for so many days."""

    name: str
    before: World
    after: World
    followed_days: int
    seed: int
    promise_days: float = PROMISE_DAYS
    reference_n: int = 2000
    maturity_days: float = 3
    calm_days: int = CALM_DAYS


@dataclass
class Told:
    """Days from the change to each alarm of each subject, by when it was told, and the causes."""

    alarms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    causes: dict[str, tuple[str, ...]] = field(default_factory=dict)


class _Grants:
    def __init__(self, days: float) -> None:
        self._days = days

    def grant(self, site: str) -> float:
        return self._days


class _Series:
    """A yes/no series with CatSR against its reference, as the drift stage watches one."""

    def __init__(self, promise_days: float) -> None:
        self._promise_days = promise_days
        self._detector: CategoryDetector | None = None
        self._answers: list[int] = []
        self._ats_us: list[int] = []
        self._read_n = 0

    def take(self, answer: bool, at_us: int) -> None:
        self._answers.append(int(answer))
        self._ats_us.append(at_us)

    def freeze(self) -> None:
        yes = sum(self._answers)
        self._detector = CategoryDetector(self._promise_days, [len(self._answers) - yes, yes])
        self._read_n = len(self._answers)

    def alarms(self) -> Iterator[tuple[int, int]]:
        """When each alarm was raised since the last call, and the start of its change."""
        while self._detector is not None and self._read_n < len(self._answers):
            begin = self._read_n
            days = np.diff(self._ats_us[begin - 1 :]) / DAY_US
            index = self._detector.run(np.array(self._answers[begin:]), days)
            self._read_n = len(self._answers) if index is None else begin + index + 1
            if index is not None:
                since = max(self._read_n - self._detector.changed_n, 0)
                yield self._ats_us[self._read_n - 1], self._ats_us[since]


class _Monitored:
    """The stage and the series behind it, fed one replicate."""

    def __init__(self, task: Task) -> None:
        config = Config(
            models=[Model(name="ptx")], reference=Reference(observations=task.reference_n)
        )
        settings = Performance(maturity_s=task.maturity_days * 86_400)
        self._stage = Readout(config, settings, _Grants(task.promise_days))
        self._series = {name: _Series(task.promise_days) for name in SUBJECTS[2:]}
        self._maturity_us = int(task.maturity_days * DAY_US)
        self._changed_us = changed_us(task)
        self.told = Told()

    def run(self, arrivals: list[Happened]) -> None:
        for number, happened in enumerate(arrivals):
            self._heed(happened.watermark_us)
            self._stage.take(happened)
            if number % PER_DAY == 0:
                self._flush()
        self._heed(START_US * 2)
        self._flush()

    def _heed(self, until_us: int) -> None:
        while self._stage.earliest_us() <= until_us:
            for said in self._stage.tick(self._stage.earliest_us()):
                if isinstance(said, Finding):
                    self._found(said)
                elif isinstance(said, Complete) and said.subject != "f.disagree":
                    self._series[said.subject.split(".")[-1]].freeze()
                elif isinstance(said, Observations):
                    for name, value in said.values:
                        self._series[name.split(".")[-1]].take(bool(value), said.at_us)

    def _found(self, finding: Finding) -> None:
        if finding.signal == "holds":
            assert finding.subject is not None and finding.since_us is not None
            since_us = finding.since_us + self._maturity_us
            self._tell(finding.subject.split(".")[-1], finding.at_us, since_us)

    def _flush(self) -> None:
        for subject, series in self._series.items():
            for at_us, since_us in series.alarms():
                self._tell(subject, at_us, since_us)

    def _tell(self, subject: str, at_us: int, since_us: int) -> None:
        day = (at_us - self._changed_us) / DAY_US
        self.told.alarms[subject].append(day)
        if day > 0 and subject not in self.told.causes:
            named = self._stage.causes("s", "ptx", f"f.{subject}", since_us)
            self.told.causes[subject] = named


def watch(task: Task) -> Told:
    """What is told of one replicate."""
    monitored = _Monitored(task)
    monitored.run(events(task))
    return monitored.told


def changed_us(task: Task) -> int:
    """When the world changes."""
    return START_US + int((task.reference_n / PER_DAY + task.calm_days) * DAY_US)


def events(task: Task) -> list[Happened]:
    """Predictions and reports in the order of arrival."""
    rng = np.random.default_rng([task.seed, len(task.name)])
    before_n = task.reference_n + task.calm_days * PER_DAY
    after_n = task.followed_days * PER_DAY
    found: list[Happened] = []
    number = 0
    for world, n in ((task.before, before_n), (task.after, after_n)):
        present, called, scores = drawn(world, rng, n)
        read = rng.random(n) < np.where(called, world.read_called, world.read_uncalled)
        labelled = present ^ (rng.random(n) < world.label_noise)
        delays = rng.exponential(world.report_days, n)
        for i in range(n):
            at_us = START_US + number * DAY_US // PER_DAY
            week = (at_us - changed_us(task)) / DAY_US
            if task.name == "backlog week" and 0 <= week < 7:
                delays[i] += 7 - week
            key, number = f"{number}", number + 1
            found.append(_answer(key, at_us, bool(called[i]), float(scores[i])))
            if read[i]:
                report_us = at_us + int(delays[i] * DAY_US)
                found.append(_report(key, at_us, report_us, bool(labelled[i])))
    return sorted(found, key=lambda happened: happened.arrived_us)


def drawn(world: World, rng: np.random.Generator, n: int):  # type: ignore[no-untyped-def]
    """Presence, call and score of n studies.

    The scores are calibrated in the usual world: a change of the model moves its inner value away
    from what its score was made for.
    """
    base = USUAL if world.sensitivity in (0.8, 0.9) else _NOISY
    edge = _normal.inv_cdf(base.specificity)
    apart = edge + _normal.inv_cdf(base.sensitivity)
    present = rng.random(n) < world.prevalence
    seen = present & (rng.random(n) >= world.unseen)
    mean = np.where(
        seen,
        edge + _normal.inv_cdf(world.sensitivity),
        edge - _normal.inv_cdf(world.specificity),
    )
    value = rng.normal(size=n) + mean
    odds = base.prevalence / (1 - base.prevalence)
    log_odds = apart * value - apart**2 / 2 + np.log(odds) + world.score_shift
    return present, value > edge, 1 / (1 + np.exp(-log_odds))


def _answer(study: str, at_us: int, called: bool, score: float) -> Happened:
    prediction = Prediction(
        site="s",
        study=study,
        model="ptx",
        model_version="1",
        status="completed",
        at=from_us(at_us),
        outputs=[Output(finding="f", score=score, positive=called)],
    )
    return Happened(prediction, at_us, at_us, at_us, True, True, StudyFacts(at_us, {}))


def _report(study: str, at_us: int, report_us: int, present: bool) -> Happened:
    report = Report(
        site="s",
        study=study,
        report=study,
        status="final",
        at=from_us(report_us),
        labels=[Label(finding="f", value="present" if present else "absent")],
    )
    return Happened(report, report_us, report_us, report_us, True, True, StudyFacts(at_us, {}))


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
    after = replace(_NOISY, unseen=0.2)
    return [
        Task("a fifth unseen", _NOISY, after, 40, seed, promise_days, 20_000, maturity_days=2)
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
