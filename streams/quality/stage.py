"""Faults of the data itself: stuck scores, values that cannot be, fields that are missing.

Three watches, a file each (streams/quality_*.py). What only a change in a share can show, missing
fields, is handed to the detectors as series; the rest is told here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from schemas.config import Clock, Model, Watch
from schemas.incident import Incident
from schemas.oversight import DataQuality
from schemas.prediction import Output, Prediction
from schemas.study import Study
from streams.clock import seconds_to_us
from streams.finding import Finding
from streams.quality.impossible import Impossible, Impossibles
from streams.quality.limits import LIMITS, TURNAROUND, TURNAROUND_REASON, checked
from streams.quality.missing import PREFIX, MissingFields, UsualFields
from streams.quality.stuck import SUFFIX, Scores, finding_of
from streams.stage import Change, Happened, Said, Takes, Timeless

_SCORES_PER_SITE = 2_000
_LONGEST_NAME = 256  # as on the wire
_NAMES_KEPT = 10_000

ScoresId = tuple[str, str, str]  # site, model, finding


class Quality(Timeless):
    """The quality of the data of one shard."""

    takes: ClassVar[Takes] = (Study, Prediction)
    kinds: ClassVar[dict[str, type[Struct]]] = {
        "scores/1": Scores,
        "impossible/1": Impossible,
        "usual_fields/1": UsualFields,
    }

    def __init__(
        self,
        models: Iterable[Model],
        settings: DataQuality,
        watch: Watch,
        clock: Clock,
        grant: Callable[[str], float],
    ) -> None:
        self._models = {model.name: model for model in models}
        self._learn_n = settings.learn_from
        self._max_skew_us = seconds_to_us(clock.max_skew_s)
        self._grant = grant
        self._is_watched = lru_cache(_NAMES_KEPT)(partial(_is_watched, watch))
        self._limited = {path for path in LIMITS if self._is_watched(path)}
        self._times_turnaround = self._is_watched(TURNAROUND)
        self._scores: dict[ScoresId, Scores] = {}
        self._per_site_n: Counter[str] = Counter()
        self._dirty: dict[ScoresId, None] = {}
        self.dropped: Counter[str] = Counter()
        self._impossibles = Impossibles()
        all_but = partial(_is_watched, Watch(exclude=watch.exclude))
        self._missing = MissingFields(
            settings,
            lambda path: self._is_watched(path) and all_but(PREFIX + path),
            self.dropped,
        )

    def take(self, happened: Happened) -> Iterable[Said]:
        """Take one event: a study with its fields, or a live answer with its scores."""
        event = happened.event
        if not happened.fresh:
            return ()
        if isinstance(event, Study):
            return self._study(happened, event)
        if isinstance(event, Prediction) and event.role == "live":
            return self._prediction(happened, event)
        return ()

    def over(self, incident: Incident) -> None:
        """The incident has ended: what comes next is a new episode."""
        if incident.kind != "data_quality":
            return
        site, model, subject = incident.site, incident.model or "", incident.subject or ""
        self._impossibles.over((site, model, subject))
        key = (site, model, subject.removesuffix(SUFFIX))
        if subject.endswith(SUFFIX) and key in self._scores:
            self._scores[key].over()
            self._dirty[key] = None

    def accept(self, site: str, model: str | None, subject: str | None) -> None:
        """A person says that what is now is the normal."""
        self._impossibles.accept(site, model, subject)
        for key, scores in self._scores.items():
            is_meant = scores.site == site and model in (None, scores.model)
            if is_meant and subject in (None, scores.finding + SUFFIX):
                scores.accept()
                self._dirty[key] = None
        if model is None and subject is None:
            self._missing.relearn(site)

    def begin_anew(self, site: str, model: str) -> Iterable[Said]:
        """How often each score usually comes is learnt again, but where an output is stuck."""
        for key, scores in self._scores.items():
            if (scores.site, scores.model) == (site, model) and not scores.told:
                scores.relearn()
                self._dirty[key] = None
        return ()

    def changes(self) -> Iterator[Change]:
        """What changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield "scores/1", key, self._scores[key]
        for impossible_key, impossible in self._impossibles.changes():
            yield "impossible/1", impossible_key, impossible
        for fields in self._missing.changes():
            yield "usual_fields/1", (fields.site,), fields

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint."""
        impossible: list[Impossible] = []
        fields: list[UsualFields] = []
        for record in records:
            match record:
                case Impossible():
                    impossible.append(record)
                case UsualFields():
                    fields.append(record)
                case Scores(site=site, model=model, finding=finding):
                    self._scores[site, model, finding] = record
                    self._per_site_n[site] += 1
        self._impossibles.restore(impossible)
        self._missing.restore(fields)

    def sizes(self) -> dict[str, int]:
        """What is watched, and how many episodes of impossible values there are."""
        return {
            "scores_watched": len(self._scores),
            "impossible_values": len(self._impossibles),
            "sites_with_usual_fields": len(self._missing),
        }

    def _study(self, happened: Happened, study: Study) -> list[Said]:
        said: list[Said] = []
        are_any = len(self._impossibles) > 0
        for path, is_possible in checked(study):
            if (is_possible and not are_any) or path not in self._limited:
                continue
            key = (study.site, "", path)
            finding = self._impossibles.seen(
                key, is_possible, study.study, happened.at_us, LIMITS[path].reason
            )
            if finding is not None:
                said.append(finding)
        if happened.counts:
            lacks = self._missing.of(study, happened.at_us, happened.slices)
            if lacks is not None:
                said.append(lacks)
        return said

    def _prediction(self, happened: Happened, event: Prediction) -> list[Said]:
        said: list[Said] = []
        if happened.study is not None and self._times_turnaround:
            is_possible = happened.at_us >= happened.study.at_us - self._max_skew_us
            if not is_possible or self._impossibles:
                said += self._turnaround(event, is_possible, happened.at_us)
        if happened.counts and event.outputs:
            for finding, score in _scores(event.outputs):
                said += self._score(event, finding, score, happened.at_us)
        return said

    def _turnaround(self, event: Prediction, is_possible: bool, at_us: int) -> Iterator[Finding]:
        key = (event.site, event.model, TURNAROUND)
        finding = self._impossibles.seen(key, is_possible, event.study, at_us, TURNAROUND_REASON)
        if finding is not None:
            yield self._owned(finding)

    def _score(
        self, event: Prediction, finding: str, score: float, at_us: int
    ) -> Iterable[Finding]:
        key = (event.site, event.model, finding)
        scores = self._scores.get(key) or self._new(key)
        if scores is None:
            return ()
        self._dirty[key] = None
        verdict = scores.take(score, at_us, self._learn_n, lambda: self._grant(event.site))
        if verdict is None:
            return ()
        return (self._owned(finding_of(scores, verdict, event.model_version, at_us)),)

    def _new(self, key: ScoresId) -> Scores | None:
        site, _, finding = key
        if self._per_site_n[site] >= _SCORES_PER_SITE:
            self.dropped["scores_overflow"] += 1
            return None
        subject = finding + SUFFIX
        if len(subject) > _LONGEST_NAME or not self._is_watched(subject):
            return None
        self._per_site_n[site] += 1
        scores = self._scores[key] = Scores(*key)
        return scores

    def _owned(self, finding: Finding) -> Finding:
        model = self._models.get(finding.model or "")
        if model is None:
            return finding
        return replace(finding, owner=model.owner, runbook=model.runbook)


def _scores(outputs: Sequence[Output]) -> Iterable[tuple[str, float]]:
    """The score of each finding; the first where a study has many of one."""
    if len(outputs) == 1:  # nearly always
        score = outputs[0].score
        return () if score is None else ((outputs[0].finding, score),)
    scores: dict[str, float] = {}
    for output in outputs:
        if output.score is not None:
            scores.setdefault(output.finding, output.score)
    return scores.items()


def _is_watched(watch: Watch, name: str) -> bool:
    def matches(patterns: Iterable[str]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    return matches(watch.include) and not matches(watch.exclude)
