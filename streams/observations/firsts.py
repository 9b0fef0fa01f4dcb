"""What an event is the first to say: a study is one observation, however often it is told of.

And of a patient's studies one counts. Only observers ask for this, never a deadline: where series
and monitors are left out, none of it is worked out.
"""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from schemas.config import Bounds
from schemas.prediction import Prediction
from schemas.report import Label, Report
from schemas.study import Study
from streams.observations.patients import Patients
from streams.outcomes.correlate import READ_STATUSES, Joined
from streams.outcomes.study_record import StudyFacts, StudyRecord

_MAX_OBSERVED = 256  # answers and labels of one study


class Turnaround(Struct, frozen=True, gc=False):
    """How long a study waited for a model's first completed result."""

    model: str
    seconds: float
    at_us: int


class News(Struct, frozen=True, gc=False):
    """What is new in an event.

    `fresh`: the first of its kind. `counts`: and no further study of a patient who has counted.
    `labels`: what a report is the first to say of the study, where that counts.
    """

    fresh: bool = False
    counts: bool = False
    study: StudyFacts | None = None
    turnarounds: tuple[Turnaround, ...] = ()
    labels: tuple[Label, ...] = ()


class Firsts:
    """Of one shard; what has been said before is remembered with the study itself."""

    def __init__(self, bounds: Bounds) -> None:
        self.patients = Patients(bounds)
        self.dropped: Counter[str] = Counter()

    def of(
        self,
        event: Study | Prediction | Report,
        joined: Joined,
        at_us: int,
        arrived_us: int,
        watermark_us: int,
    ) -> News:
        """What is new in an event that has been joined to its study."""
        record = joined.record
        if record is None:
            return News()
        if isinstance(event, Prediction):
            return self._prediction(event, record, at_us)
        if isinstance(event, Report):
            return self._report(event, record)
        turnarounds = self._of_waiting(record) if joined.was_stranger else ()
        fresh = event.state == "complete" and self._once(record, "study")
        if fresh:
            patient = event.patient.key if event.patient else None
            first = self.patients.is_first(event.site, patient, arrived_us, watermark_us)
            record.repeat = not first
        return News(fresh, fresh and not record.repeat, record.facts, tuple(turnarounds))

    def _prediction(self, prediction: Prediction, record: StudyRecord, at_us: int) -> News:
        fresh = self._is_first_answer(record, prediction)
        turnarounds: Iterable[Turnaround] = ()
        if fresh and prediction.role == "live":
            turnarounds = self._turnaround(record, prediction.model, at_us)
        return News(fresh, fresh and not record.repeat, record.facts, tuple(turnarounds))

    def _report(self, report: Report, record: StudyRecord) -> News:
        """Only one that is final, or corrects a final one, says anything new."""
        if report.status not in READ_STATUSES:
            return News(study=record.facts)
        fresh = self._once(record, "report")
        labels = [
            label
            for label in report.labels or ()
            if label.value != "uncertain" and self._once(record, f"report\n{label.finding}")
        ]
        told = () if record.repeat else tuple(labels)
        return News(fresh, fresh and not record.repeat, record.facts, (), told)

    def _of_waiting(self, record: StudyRecord) -> Iterable[Turnaround]:
        for model, result in record.results.items():
            if result.kind in ("complete", "incomplete"):
                yield from self._turnaround(record, model, result.at_us)

    def _turnaround(self, record: StudyRecord, model: str, at_us: int) -> Iterable[Turnaround]:
        since_us = record.available_us
        if since_us is None or not self._once(record, f"{model}\nturnaround"):
            return ()
        return (Turnaround(model=model, seconds=(at_us - since_us) / 1e6, at_us=at_us),)

    def _is_first_answer(self, record: StudyRecord, prediction: Prediction) -> bool:
        if prediction.status != "completed":
            return False
        answer = f"{prediction.model}\n{prediction.model_version}"
        return self._once(record, answer if prediction.role == "live" else f"{answer}\nshadow")

    def _once(self, record: StudyRecord, what: str) -> bool:
        """Whether it is said of this study for the first time."""
        if what in record.observed:
            return False
        if len(record.observed) >= _MAX_OBSERVED:
            self.dropped["observed_overflow"] += 1
            return False
        record.observed.append(what)
        return True
