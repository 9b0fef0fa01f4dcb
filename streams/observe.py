"""Events become observations: one finite number of one named series, once per study.

Words are counted, not yet watched; numbers and yes/no are. A value that is not finite is refused
here, because one NaN blinds ADWIN and Page-Hinkley for good.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from math import isfinite

from msgspec import Struct

from schemas.config import Watch
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from streams.correlate import Turnaround
from streams.fields import FIXED, Value

_NAMES_KEPT = 10_000
_LONGEST_NAME = 256  # as on the wire
READ_STATUSES = frozenset({"final", "corrected", "amended"})


class Observation(Struct, frozen=True, gc=False):
    """One value of one series; `model` is "" for what belongs to the studies themselves."""

    site: str
    model: str
    subject: str
    study: str
    at_us: int
    value: float


class Observe:
    """What is to be watched of each event."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._fixed = [(path, read) for path, read in FIXED if self._is_wanted(path)]
        self._known: dict[tuple[str, str], str | None] = {}
        self._nothing = "*" in watch.exclude  # deadlines alone are watched
        self.counts: Counter[str] = Counter()

    def study(self, study: Study, at_us: int) -> list[Observation]:
        """The study's own numbers."""
        if self._nothing:
            return []
        named = [(path, value) for path, read in self._fixed if (value := read(study)) is not None]
        named += self._mapped("acquisition.", study.acquisition)
        named += self._mapped("attributes.", study.attributes)
        return list(self._observations(study.site, "", study.study, at_us, named))

    def prediction(self, prediction: Prediction, at_us: int) -> list[Observation]:
        """Scores, calls and the model's own features."""
        if self._nothing:
            return []
        p = prediction
        named: dict[str, Value] = {}
        for output in p.outputs or ():
            for name, value in (
                (".score", output.score),
                (".positive", output.positive),
                (".value", output.value),
            ):
                if value is not None and (subject := self._subject(output.finding, name)):
                    named.setdefault(subject, value)  # many lesions, one study
        named.update(self._mapped("features.", p.features))
        return list(self._observations(p.site, p.model, p.study, at_us, named.items()))

    def turnaround(self, site: str, study: str, turnaround: Turnaround) -> list[Observation]:
        """Seconds from the study's being available to the model's first completed result."""
        named = self._mapped("", {"turnaround_s": turnaround.seconds})
        return list(self._observations(site, turnaround.model, study, turnaround.at_us, named))

    def label(self, report: Report, finding: str, present: bool, at_us: int) -> list[Observation]:
        """Whether the radiologist reports a finding: its prevalence."""
        named = self._mapped("", {f"{finding}.present": present})
        return list(self._observations(report.site, "", report.study, at_us, named))

    def _observations(
        self, site: str, model: str, study: str, at_us: int, named: Iterable[tuple[str, Value]]
    ) -> Iterator[Observation]:
        for subject, value in named:
            if isinstance(value, str):
                self.counts["word"] += 1
            elif isfinite(value):
                yield Observation(site, model, subject, study, at_us, float(value))
            else:
                self.counts["not_finite"] += 1

    def _mapped(self, head: str, values: Mapping[str, Value] | None) -> list[tuple[str, Value]]:
        if not values or self._nothing:
            return []
        return [
            (subject, value)
            for name, value in values.items()
            if (subject := self._subject(head, name)) is not None
        ]

    def _subject(self, head: str, tail: str) -> str | None:
        """The series' name if it is to be watched; the same string every time."""
        key = (head, tail)
        if key in self._known:
            return self._known[key]
        name = head + tail
        if len(name) > _LONGEST_NAME:
            self.counts["name_too_long"] += 1
            return None
        subject = name if self._is_wanted(name) else None
        if len(self._known) < _NAMES_KEPT:
            self._known[key] = subject
        return subject

    def _is_wanted(self, subject: str) -> bool:
        return _any_match(subject, self._watch.include) and not _any_match(
            subject, self._watch.exclude
        )


def _any_match(subject: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(subject, pattern) for pattern in patterns)
