"""The stage that reads labels, and the series behind it, fed one replicate of a world."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.performance_world import DAY_US, PER_DAY, START_US, Task, changed_us, events
from detectors.cat_sr import CategoryDetector
from schemas.config import Config, Model, Reference
from schemas.performance import Performance
from streams.clock import to_us
from streams.finding import Finding
from streams.observations.observe import Complete, Observations
from streams.performance.readout import Readout
from streams.stage import Happened

SUBJECTS = ("sensitivity", "calibration", "call_rate", "ppv", "for")


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
            assert finding.subject is not None and finding.evidence.since is not None
            since_us = to_us(finding.evidence.since) + self._maturity_us
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
