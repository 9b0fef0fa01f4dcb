"""Events become observations: one finite number of one named series, once per study.

Words are counted, not yet watched; numbers and yes/no are. A value that is not finite is refused
here, because one NaN blinds ADWIN and Page-Hinkley for good.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from math import isfinite

from msgspec import Struct

from schemas.config import Watch
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from streams.correlate import Turnaround
from streams.fields import Value, watched

READ_STATUSES = frozenset({"final", "corrected", "amended"})


class Observation(Struct, frozen=True):
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
        self._wanted: dict[str, bool] = {}
        self.counts: Counter[str] = Counter()

    def study(self, study: Study, at_us: int) -> list[Observation]:
        """The study's own numbers."""
        named = ((path, value) for path, value in watched(study))
        return list(self._observations(study.site, "", study.study, at_us, named))

    def prediction(self, prediction: Prediction, at_us: int) -> list[Observation]:
        """Scores, calls and the model's own features."""
        p = prediction
        return list(self._observations(p.site, p.model, p.study, at_us, _named(p)))

    def turnaround(self, site: str, study: str, turnaround: Turnaround) -> list[Observation]:
        """Seconds from the study's being available to the model's first completed result."""
        named = [("turnaround_s", turnaround.seconds)]
        return list(self._observations(site, turnaround.model, study, turnaround.at_us, named))

    def label(self, report: Report, finding: str, present: bool, at_us: int) -> list[Observation]:
        """Whether the radiologist reports a finding: its prevalence."""
        named = [(f"{finding}.present", present)]
        return list(self._observations(report.site, "", report.study, at_us, named))

    def _observations(
        self, site: str, model: str, study: str, at_us: int, named: Iterable[tuple[str, Value]]
    ) -> Iterator[Observation]:
        for subject, value in named:
            if isinstance(value, str):
                self.counts["word"] += 1
            elif not isfinite(value):
                self.counts["not_finite"] += 1
            elif self._is_wanted(subject):
                self.counts["watched"] += 1
                yield Observation(site, model, subject, study, at_us, float(value))

    def _is_wanted(self, subject: str) -> bool:
        wanted = self._wanted.get(subject)
        if wanted is None:
            wanted = _any_match(subject, self._watch.include) and not _any_match(
                subject, self._watch.exclude
            )
            if len(self._wanted) < 10_000:
                self._wanted[subject] = wanted
        return wanted


def _named(prediction: Prediction) -> Iterator[tuple[str, Value]]:
    for output in prediction.outputs or ():
        if output.score is not None:
            yield f"{output.finding}.score", output.score
        if output.positive is not None:
            yield f"{output.finding}.positive", output.positive
        if output.value is not None:
            yield f"{output.finding}.value", output.value
    for name, value in (prediction.features or {}).items():
        yield f"features.{name}", value


def _any_match(subject: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(subject, pattern) for pattern in patterns)
