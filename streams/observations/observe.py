"""Events become observations: what one event says of several series, each study once.

A number, a yes or no, or a word: three kinds of series. A value that is not finite is refused here,
because one NaN blinds ADWIN and Page-Hinkley for good.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from math import isfinite
from typing import NamedTuple

from schemas.config import Watch
from schemas.prediction import Output, Prediction
from schemas.report import Label, Report
from schemas.study import Study
from streams.clock import to_us
from streams.fields import FIXED, Value, getter
from streams.observations.firsts import News, Turnaround
from streams.observations.slicing import is_name_of_slice

_NAMES_KEPT = 10_000
_LONGEST_NAME = 256  # as on the wire
REFUSED = ("not_finite", "name_too_long", "name_of_slice")
"""Why a value is not observed, as it is counted."""
_STUDY_FIELDS = (*FIXED, ("priority", getter("priority")))

Named = list[tuple[str, Value]]
Slices = tuple[str, ...]
Watched = Study | Prediction | Report


class Observations(NamedTuple):
    """What one event says of several series of one owner: `(subject, value)` each."""

    site: str
    model: str
    """"" for what belongs to the studies themselves."""
    study: str
    at_us: int
    values: Sequence[tuple[str, Value]]
    """A number, a yes or no (bool), or a word (str)."""
    slices: Slices = ()
    """Of which parts of the studies it is one, as `scanner.station=CT2`."""


class Complete(NamedTuple):
    """Freeze the reference of this learning series now, if it has the observations at all."""

    site: str
    model: str
    subject: str


class Look(NamedTuple):
    """Say now what waits of these series: by what it is explained is about to change."""

    site: str
    model: str
    subjects: Sequence[str]


class Missed(NamedTuple):
    """Whether a model missed a finding that a report has: groups are compared by it."""

    site: str
    model: str
    subject: str
    at_us: int
    missed: bool
    odds: float
    """How many times as often a missed finding is read as one that was called."""
    slices: Slices = ()


class Observe:
    """What is to be watched of each event."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._fixed = [(path, read) for path, read in _STUDY_FIELDS if self._is_wanted(path)]
        self._subjects: dict[str, dict[str, str | None]] = {}
        self._names_n = 0
        self.is_idle = "*" in watch.exclude or not watch.include  # no series at all
        self.counts: Counter[str] = Counter()

    def of(
        self,
        event: Watched,
        at_us: int,
        news: News,
        slices: Slices = (),
    ) -> Iterable[Observations]:
        """What an event says of series, each study once."""
        if self.is_idle:
            return ()
        said = [self.turnaround(event, one, slices) for one in news.turnarounds]
        if isinstance(event, Report):
            said.append(self.labels(event, news.labels, at_us, slices))
            if news.counts and news.study is not None:
                said.append(self.reporting(event, at_us, news.study.at_us, slices))
        elif news.counts and isinstance(event, Study):
            said.append(self.study(event, at_us, slices))
        elif news.counts and isinstance(event, Prediction) and event.role == "live":
            said.append(self.prediction(event, at_us, slices))
        return [one for one in said if one is not None]

    def study(self, study: Study, at_us: int, slices: Slices = ()) -> Observations | None:
        """The study's own numbers and words."""
        named = [(path, value) for path, read in self._fixed if (value := read(study)) is not None]
        if study.acquisition:
            self._add(named, "acquisition.", study.acquisition)
        if study.attributes:
            self._add(named, "attributes.", study.attributes)
        return _of(study, "", at_us, named, slices)

    def prediction(
        self, prediction: Prediction, at_us: int, slices: Slices = ()
    ) -> Observations | None:
        """Scores, calls, the model's own features, and how long it computed."""
        p, named = prediction, Named()
        if p.outputs:
            self._add_outputs(named, p.outputs)
        if p.features:
            self._add(named, "features.", p.features)
        if p.started_at is not None and (since_us := at_us - to_us(p.started_at)) >= 0:
            self._add(named, "", {"inference_s": since_us / 1e6})
        return _of(p, p.model, at_us, named, slices)

    def turnaround(
        self, event: Watched, turnaround: Turnaround, slices: Slices = ()
    ) -> Observations | None:
        """Seconds from the study's being available to the model's first completed result."""
        named = Named()
        self._add(named, "", {"turnaround_s": turnaround.seconds})
        return _of(event, turnaround.model, turnaround.at_us, named, slices)

    def reporting(
        self, report: Report, at_us: int, studied_us: int, slices: Slices = ()
    ) -> Observations | None:
        """Seconds from the study to its first final report, whoever is slow: readers, or us."""
        named = Named()
        if at_us >= studied_us:
            self._add(named, "", {"report_turnaround_s": (at_us - studied_us) / 1e6})
        return _of(report, "", at_us, named, slices)

    def labels(
        self, report: Report, labels: Iterable[Label], at_us: int, slices: Slices = ()
    ) -> Observations | None:
        """Whether the radiologist reports a finding: its prevalence. Uncertain says nothing."""
        named = Named()
        for label in labels:
            if label.value != "uncertain":
                self._add(named, label.finding, {".present": label.value == "present"})
        return _of(report, "", at_us, named, slices)

    def _add_outputs(self, named: Named, outputs: Sequence[Output]) -> None:
        """Of several outputs of one finding the first of each kind: many lesions, one study."""
        for output in outputs:
            finding = output.finding
            if output.score is not None:
                self._add(named, finding, {".score": output.score})
            if output.positive is not None:
                self._add(named, finding, {".positive": output.positive})
            if output.value is not None:
                self._add(named, finding, {".value": output.value})
        if len(outputs) > 1:
            named[:] = dict(reversed(named)).items()

    def _add(self, named: Named, head: str, values: Mapping[str, Value]) -> None:
        subjects = self._subjects.get(head) or self._subjects.setdefault(head, {})
        for tail, value in values.items():
            subject = subjects[tail] if tail in subjects else self._subject(head, tail)
            if subject is None:
                continue
            if value.__class__ is str or isfinite(value):  # type: ignore[arg-type]
                named.append((subject, value))
            else:
                self.counts["not_finite"] += 1

    def _subject(self, head: str, tail: str) -> str | None:
        """The series' name if it is to be watched; the same string every time."""
        if self.is_idle:
            return None
        name = head + tail
        if len(name) > _LONGEST_NAME:
            self.counts["name_too_long"] += 1
            return None
        if is_name_of_slice(name):
            self.counts["name_of_slice"] += 1
            return None
        subject = name if self._is_wanted(name) else None
        if self._names_n < _NAMES_KEPT:
            self._names_n += 1
            self._subjects[head][tail] = subject
        return subject

    def _is_wanted(self, subject: str) -> bool:
        return _any_match(subject, self._watch.include) and not _any_match(
            subject, self._watch.exclude
        )


def _of(
    event: Watched, model: str, at_us: int, named: Named, slices: Slices
) -> Observations | None:
    return Observations(event.site, model, event.study, at_us, named, slices) if named else None


def _any_match(subject: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(subject, pattern) for pattern in patterns)
