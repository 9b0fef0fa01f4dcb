"""The stage: studies are read at their maturity, and what models said is held against the reports.

A study is read at its time plus `maturity_s`, in proved time, once, in the order in which studies
were made; then it is forgotten. What arrives later is counted and changes nothing. So a backlog of
reports, or reports that come in another order, change nothing that is said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import ClassVar, Protocol

from msgspec import Struct

from schemas.config import Config
from schemas.incident import Incident
from schemas.performance import Performance
from streams.clock import seconds_to_us, to_us
from streams.finding import Finding
from streams.observations.observe import Complete, Look, Missed, Observations
from streams.performance.diagnosis import Cause
from streams.performance.telling import diagnosed, ended_of, finding_of
from streams.performance.unread import Matured, Unread
from streams.performance.waiting import Waiting
from streams.performance.watch import MEASURES, SERIES, Accuracy, Settings, Watch, WatchId
from streams.stage import EVERYTHING, Change, Happened, Said, Takes

_DAY_S = 86_400
_KINDS = frozenset({"performance_drift", "calibration_drift"})


class Grants(Protocol):
    """`streams.budget.Budget`, as far as it is used here."""

    def grant(self, site: str) -> float:
        """Days between two false alarms that the site's next monitor is allowed."""


class Readout:
    """The studies that wait to be read, and the watches over what is read."""

    takes: ClassVar[Takes] = EVERYTHING
    kinds: ClassVar[dict[str, type[Struct]]] = {"unread/1": Unread, "accuracy/1": Accuracy}

    def __init__(self, config: Config, settings: Performance, budget: Grants) -> None:
        self._budget = budget
        self._models = {model.name: model for model in config.models}
        self._patterns = config.watch
        self._findings_per_site = settings.findings_per_site
        self._settings = Settings(
            config.reference.observations, seconds_to_us(config.reference.max_days * _DAY_S)
        )
        self._nothing = "*" in config.watch.exclude and not any(m.limits for m in config.models)
        self.dropped: Counter[str] = Counter()
        self._waiting = Waiting(settings, self.dropped)
        self._watches: dict[WatchId, Watch] = {}
        self._watches_n: Counter[str] = Counter()
        self._subjects: dict[str, tuple[str | None, ...]] = {}
        self._dirty: dict[WatchId, None] = {}
        self._newest_us = 0  # of the event that is being handled

    def take(self, happened: Happened) -> Iterable[Said]:
        """Remember what an event says of its study; nothing is concluded before its maturity."""
        self._newest_us = happened.at_us
        if not self._nothing:
            self._waiting.take(happened)
        return ()

    def tick(self, now_us: int) -> Iterator[Said]:
        """Read the studies that are mature by then, in the order in which they were made."""
        for study, due_us in self._waiting.due(now_us):
            if study.at_us is None:
                self.dropped["readout_without_study"] += 1
            elif not study.left_out and study.answers:
                yield from self._read(study, due_us)

    def earliest_us(self) -> int:
        """When the next study is mature, perhaps too early."""
        return self._waiting.earliest_us()

    def over(self, incident: Incident) -> None:
        """One of its incidents was resolved: what comes next is a new episode."""
        if incident.kind not in _KINDS or incident.model is None or incident.subject is None:
            return
        finding, _, subject = incident.subject.rpartition(".")
        key = (incident.site, incident.model, finding)
        if key in self._watches and self._watches[key].over(subject):
            self._dirty[key] = None

    def accept(self, site: str, model: str | None, subject: str | None) -> None:
        """What is now is the normal: of one subject, of all of a model, or of the whole site."""
        finding, _, measure = (subject or "").rpartition(".")
        for key, watch in self._watches.items():
            if key[0] != site or (model is not None and key[1] != model):
                continue
            if subject is None or (key[2] == finding and model is not None):
                watch.accept(measure or None)
                self._dirty[key] = None

    def begin_anew(self, site: str, model: str) -> Iterator[Said]:
        """What the former version's answers were worth is no reference for this one's."""
        for key, watch in self._watches.items():
            if key[:2] == (site, model):
                self._dirty[key] = None
                for subject in watch.begin_anew(self._newest_us):
                    yield ended_of(watch, subject, self._models.get(model), self._newest_us)

    def explained(self, finding: Finding) -> Finding:
        """Drift of one of SERIES, if it is told as new, completed by what explains it."""
        since, subject = finding.evidence.since, finding.subject
        is_new = finding.signal in ("holds", "changed")
        if finding.kind != "performance_drift" or not is_new or since is None or subject is None:
            return finding
        named = self.causes(finding.site, finding.model or "", subject, to_us(since))
        return diagnosed(finding, named)

    def causes(self, site: str, model: str, subject: str, since_us: int) -> tuple[Cause, ...]:
        """What explains a change of this subject since then; () where that cannot be told."""
        watch = self._watches.get((site, model, subject.rpartition(".")[0]))
        return () if watch is None else watch.explain(since_us - self._waiting.maturity_us)

    def changes(self) -> Iterator[Change]:
        """Records changed since the last call."""
        for study_id, study in self._waiting.changes():
            yield "unread/1", study_id, study
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield "accuracy/1", key, self._watches[key].record()

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint."""
        unread = []
        for record in records:
            if isinstance(record, Unread):
                unread.append(record)
            elif isinstance(record, Accuracy):
                self._add(record)
        self._waiting.restore(unread)

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""
        learning = sum(watch.reference is None for watch in self._watches.values())
        return {
            "studies_unread": len(self._waiting),
            "performance_learning": learning,
            "performance_watched": len(self._watches) - learning,
        }

    def _read(self, study: Unread, now_us: int) -> Iterator[Said]:
        self.dropped["readout_unverified"] += not study.is_read()
        uncertain = [present for present in study.presence().values() if present is None]
        self.dropped["readout_uncertain"] += len(uncertain)
        for one in study.matured():
            watch = self._watch(study.site, one)
            if watch is None:
                continue
            self._dirty[watch.key] = None
            if watch.is_of_before(one):
                self.dropped["readout_of_former_version"] += 1
                continue
            if watch.begins_block(one):
                subjects = [each for each in self._subjects_of(one.finding) if each]
                yield Look(study.site, one.model, subjects)
            yield from self._observed(study, one, watch, now_us)
            for shown in watch.take(one, lambda: self._budget.grant(study.site)):
                yield finding_of(shown, watch, self._models.get(one.model), now_us)

    def _observed(self, study: Unread, one: Matured, watch: Watch, now_us: int) -> Iterator[Said]:
        """Yes or no for the series of this finding, each with its reference on the same studies."""
        answers = list(zip(self._subjects_of(one.finding), _answers(one), strict=True))
        values = [
            (subject, answer)
            for subject, answer in answers
            if subject is not None and answer is not None
        ]
        if values:
            yield Observations(study.site, one.model, study.study, now_us, values, study.slices)
        odds = watch.miss_odds(one)
        if odds is not None:
            of = f"{one.finding}.sensitivity"
            yield Missed(study.site, one.model, of, now_us, not one.called, odds, study.slices)
        if watch.series_learning:
            for name, (subject, answer) in zip(SERIES, answers, strict=True):
                if subject is not None and watch.learnt(name, answer is not None):
                    yield Complete(study.site, one.model, subject)

    def _watch(self, site: str, one: Matured) -> Watch | None:
        watch = self._watches.get((site, one.model, one.finding))
        if watch is None:
            if self._watches_n[site] >= self._findings_per_site:
                self.dropped["readout_findings_overflow"] += 1
                return None
            watch = self._add(Accuracy(site=site, model=one.model, finding=one.finding))
        return watch

    def _add(self, record: Accuracy) -> Watch:
        model = self._models.get(record.model)
        limits = model.limits.get(record.finding) if model else None
        wanted = frozenset(m for m in MEASURES if self._wants(f"{record.finding}.{m}"))
        watch = self._watches[watch_id(record)] = Watch(record, self._settings, limits, wanted)
        self._watches_n[record.site] += 1
        return watch

    def _subjects_of(self, finding: str) -> tuple[str | None, ...]:
        """The names of its series, None for one that is not to be watched."""
        subjects = self._subjects.get(finding)
        if subjects is None:
            names = (f"{finding}.{name}" for name in SERIES)
            subjects = tuple(name if self._wants(name) else None for name in names)
            self._subjects[finding] = subjects
        return subjects

    def _wants(self, subject: str) -> bool:
        include, exclude = self._patterns.include, self._patterns.exclude
        return any(fnmatchcase(subject, pattern) for pattern in include) and not any(
            fnmatchcase(subject, pattern) for pattern in exclude
        )


def watch_id(record: Accuracy) -> WatchId:
    """Whose record it is."""
    return record.site, record.model, record.finding


def _answers(one: Matured) -> tuple[bool | None, ...]:
    """Was it called; if called, confirmed; if not called, contradicted; did they disagree."""
    called, present = one.called, one.present
    return (
        called,
        present if called else None,
        present if called is False else None,
        one.disagrees,
    )
