"""One finding of one model at one site: learnt, then held against its reference and its limits."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec import Struct, field

from schemas.config import Limits
from streams.clock import NEVER_US
from streams.performance.diagnosis import Cause, causes
from streams.performance.monitor import Monitor, MonitorRecord, Verdict
from streams.performance.questions import Watched, against_limits, against_reference
from streams.performance.reference import LEAST_N, Reference, Sample
from streams.performance.table import Recent, Table
from streams.performance.unread import Matured

MEASURES = frozenset({"sensitivity", "calibration"})
"""What is held against a reference of its own here."""

SERIES = ("call_rate", "ppv", "for", "disagree")
"""What is handed on as yes or no, to be held against a reference there."""

WatchId = tuple[str, str, str]  # site, model, finding


class Settings(NamedTuple):
    """When a reference is complete."""

    studies_n: int
    max_us: int


class Learning(Struct):
    """How far the reference of one series has come: its studies, its own observations."""

    studies_n: int = 0
    observed_n: int = 0
    complete: bool = False


class Accuracy(Struct, omit_defaults=True):
    """A watch as it is written down. `days` is what each monitor was granted, once and for all."""

    site: str
    model: str
    finding: str
    sample: Sample | None = None
    provisional: Sample | None = None
    reference: Reference | None = None
    recent: Recent = field(default_factory=lambda: Recent(Table(), []))
    learning: dict[str, Learning] = field(default_factory=dict)
    days: dict[str, float] = field(default_factory=dict)
    monitors: dict[str, MonitorRecord] = field(default_factory=dict)
    epoch_us: int = -NEVER_US
    """Studies from before were answered by another version."""
    explained_by: Table | None = None
    """The reference as it was when the last whole block of `recent` ended."""


class Shown(NamedTuple):
    """A verdict, and on what it rests."""

    verdict: Verdict
    watched: Watched


class Watch:
    """`wanted` says which of MEASURES are to be watched; limits always are."""

    def __init__(
        self, record: Accuracy, settings: Settings, limits: Limits | None, wanted: frozenset[str]
    ) -> None:
        self._record = record
        self._settings = settings
        self._limits = against_limits(limits)
        self._wanted = wanted
        self._monitors: dict[str, Monitor] = {}
        if record.reference is None and record.sample is None:
            record.sample = Sample()
        self._ask_anew()
        for watched in self._watched:
            if watched.subject in record.monitors:
                monitor = self._new(watched, record.days[watched.subject])
                monitor.resume(record.monitors[watched.subject])

    @property
    def key(self) -> WatchId:
        """Whose it is."""
        return self._record.site, self._record.model, self._record.finding

    @property
    def reference(self) -> Reference | None:
        """What it was; None while that is learnt."""
        return self._record.reference

    def begins_block(self, study: Matured) -> bool:
        """Whether it is the first of a block of studies: then `explain` is about to change."""
        return study.called is not None and self._record.recent.block_is_full

    def miss_odds(self, study: Matured) -> float | None:
        """How many times as often a missed finding is read as one that was called, at present.

        None of a study that says nothing of sensitivity, or where that is not to be watched.
        """
        if not study.present or study.called is None or "sensitivity" not in self._wanted:
            return None
        recent = self._record.recent.total
        return recent.read_share(called=False) / recent.read_share(called=True)

    def explain(self, since_us: int) -> tuple[Cause, ...]:
        """What explains a change since then, by whole blocks; () where that cannot be told.

        The same for all studies of a block, so it does not matter when within it this is asked.
        """
        before = self._record.explained_by
        now = self._record.recent.since(since_us, whole=True)
        return () if before is None else causes(before, now)

    def since(self, at_us: int) -> Table:
        """The studies since then that are kept."""
        return self._record.recent.since(at_us)

    def take(self, study: Matured, grant: Callable[[], float]) -> Iterator[Shown]:
        """Take the next study, in the order in which they were made; what it shows."""
        record = self._record
        if self.begins_block(study):
            record.explained_by = record.reference.table if record.reference else None
        for watched in self._watched:
            question = watched.ask(study, record.recent.total)
            if question is None:
                continue
            monitor = self._monitor(watched, grant)
            verdict = monitor.take(question, study.at_us)
            if verdict is None:
                continue
            is_worse = verdict.word == "worse"
            record.provisional = (record.provisional or Sample()) if is_worse else None
            yield Shown(verdict, watched)
        if study.called is not None:
            record.recent.add(study.at_us, study.called, study.present)
        if record.provisional is not None:
            record.provisional.add(study)
        if record.sample is not None:
            record.sample.add(study)
            self._freeze_if_complete(record.sample, study.at_us)

    @property
    def series_learning(self) -> bool:
        """Whether the reference of any of SERIES is not complete."""
        learning = self._record.learning
        return len(learning) < len(SERIES) or not all(one.complete for one in learning.values())

    def learnt(self, subject: str, observed: bool) -> bool:
        """Whether the reference of a series is complete with this study.

        On so many studies, whether or not the series had an observation of each: PPV's reference
        would otherwise take ten times as long as the call rate's, and lie in another time.
        """
        learning = self._record.learning.setdefault(subject, Learning())
        if learning.complete:
            return False
        learning.studies_n += 1
        learning.observed_n += observed
        enough = learning.studies_n >= self._settings.studies_n
        learning.complete = enough and learning.observed_n >= LEAST_N
        return learning.complete

    def over(self, subject: str) -> bool:
        """The incident of this has ended; whether it is of a monitor here."""
        monitor = self._monitors.get(subject)
        if monitor is not None:
            monitor.over()
        return monitor is not None

    def accept(self, subject: str | None) -> None:
        """What is now is the normal: what came since the first alarm becomes the reference."""
        record = self._record
        if subject is None:
            record.learning.clear()
        else:
            record.learning.pop(subject, None)
        if subject is None or subject in MEASURES:
            record.sample, record.provisional = record.provisional or Sample(), None
            record.reference = record.explained_by = None
        for name in list(self._monitors):
            if subject in (None, name) or (subject in MEASURES and name in MEASURES):
                del self._monitors[name]
        self._ask_anew()

    def begin_anew(self, at_us: int) -> list[str]:
        """Another version answers since then. What was worse, and is nobody's any more; a limit
        holds for every version."""
        record = self._record
        record.learning.clear()
        record.sample, record.provisional, record.reference = Sample(), None, None
        record.explained_by = None
        record.epoch_us = at_us
        gone = sorted(MEASURES & self._monitors.keys())
        worse = [name for name in gone if self._monitors.pop(name).is_worse]
        self._ask_anew()
        return worse

    def is_of_before(self, study: Matured) -> bool:
        """Whether another version answered it."""
        return study.at_us < self._record.epoch_us

    def record(self) -> Accuracy:
        """To be written down."""
        monitors = {name: self._monitors[name].record() for name in sorted(self._monitors)}
        self._record.monitors = monitors
        return self._record

    def _freeze_if_complete(self, sample: Sample, at_us: int) -> None:
        if sample.is_complete(at_us, self._settings.studies_n, self._settings.max_us):
            self._record.reference, self._record.sample = Reference.of(sample), None
            self._ask_anew()

    def _ask_anew(self) -> None:
        reference = self._record.reference
        asked = against_reference(reference) if reference else []
        self._watched = [*self._limits, *(w for w in asked if w.subject in self._wanted)]

    def _monitor(self, watched: Watched, grant: Callable[[], float]) -> Monitor:
        known = self._monitors.get(watched.subject)
        if known is not None:
            return known
        days = self._record.days.get(watched.subject)
        if days is None:
            days = self._record.days[watched.subject] = grant()
        return self._new(watched, days)

    def _new(self, watched: Watched, days: float) -> Monitor:
        is_limit = watched.limit is not None
        monitor = Monitor(days, watched.weights, watched.bets_n, is_limit)
        self._monitors[watched.subject] = monitor
        return monitor
