"""Which results are expected, which came, and which did not: studies and predictions joined.

Sans-IO. `tick` speaks of proved time only, so nothing is called missing because we are behind.
Everything remembered is bounded in time, and what waits for its study also in number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from schemas.config import Config
from schemas.prediction import Prediction
from schemas.report import Label, Report, ReportStatus
from schemas.study import Study
from streams.clock import NEVER_US, seconds_to_us
from streams.deadlines import Deadlines, snapshot
from streams.expectation import Expectations
from streams.lost import RESULTS, Losses
from streams.patients import Patients
from streams.studies import Studies, StudyId
from streams.study_record import Settlement, StudyFacts, StudyRecord, result_of

_MAX_OBSERVED = 256  # answers and labels of one study
READ_STATUSES: frozenset[ReportStatus] = frozenset({"final", "corrected", "amended"})


class Turnaround(Struct, frozen=True, gc=False):
    """How long a study waited for a model's first completed result."""

    model: str
    seconds: float
    at_us: int


class Correlated(Struct, frozen=True, gc=False):
    """What an event settled, and what it is to its study.

    `fresh`: the first of its kind. `counts`: and no further study of a patient who has counted.
    `labels`: what a report is the first to say of the study, where that counts.
    """

    settled: tuple[Settlement, ...] = ()
    turnarounds: tuple[Turnaround, ...] = ()
    fresh: bool = False
    counts: bool = False
    study: StudyFacts | None = None
    labels: tuple[Label, ...] = ()


class Correlate:
    """The studies of one shard."""

    def __init__(self, config: Config, lost: Losses) -> None:
        self._expectations = Expectations(config.models, _asked(config))
        self._lateness_us = seconds_to_us(config.clock.lateness_s)
        self.dropped: Counter[str] = Counter()
        self._studies = Studies(config.bounds, self.dropped)
        self._deadlines = Deadlines(self._studies.records)
        self.patients = Patients(config.bounds)
        self._lost = lost

    def study(self, study: Study, at_us: int, arrived_us: int, watermark_us: int) -> Correlated:
        """Take an upsert stamped `at_us` (already clamped if the stamp was wild)."""
        key = (study.site, study.study)
        known = self._studies.recall(key, watermark_us)
        record = known or self._studies.new(key, arrived_us)
        if not record.upserts and at_us <= watermark_us - self._studies.settled_us:
            self.dropped["too_old"] += 1  # it may have been settled and forgotten: expect nothing
            record.too_old = True
        before = snapshot(record) if record.expected else {}
        was_stranger = known is not None and not known.upserts
        settled, merged = record.upsert(study, at_us, self._expectations)
        if merged:
            self.dropped["upserts_merged"] += 1
        self._deadlines.schedule(record, before)
        self._studies.touch(record, arrived_us)
        if was_stranger:
            self._studies.introduce(record)
        fresh = study.state == "complete" and self._once(record, "study")
        if fresh:
            key_of_patient = study.patient.key if study.patient else None
            record.repeat = not self.patients.is_first(
                study.site, key_of_patient, arrived_us, watermark_us
            )
        turnarounds = tuple(self._turnarounds_of_waiting(record)) if was_stranger else ()
        counts = fresh and not record.repeat
        return Correlated(tuple(settled), turnarounds, fresh, counts, record.facts)

    def prediction(
        self, prediction: Prediction, at_us: int, arrived_us: int, watermark_us: int
    ) -> Correlated:
        """Take a live prediction; before its study it waits."""
        key = (prediction.site, prediction.study)
        record = self._recalled(key, arrived_us, watermark_us)
        rule = self._expectations.rules.get(prediction.model)
        result = result_of(prediction, at_us, rule)
        expected = record.expected.get(prediction.model)
        was_pending = expected is not None and expected.waits
        settlement = record.answer(prediction.model, result)
        self._deadlines.pending_n -= was_pending and settlement is not None
        self._studies.touch(record, arrived_us)
        fresh = self._is_first_answer(record, prediction)
        turnaround = self._turnaround(record, prediction.model, at_us) if fresh else None
        settled = () if settlement is None else (settlement,)
        turnarounds = () if turnaround is None else (turnaround,)
        counts = fresh and not record.repeat
        return Correlated(settled, turnarounds, fresh, counts, record.facts)

    def shadow(self, prediction: Prediction, arrived_us: int, watermark_us: int) -> Correlated:
        """Take a shadow prediction, which settles nothing."""
        key = (prediction.site, prediction.study)
        record = self._recalled(key, arrived_us, watermark_us)
        self._studies.touch(record, arrived_us)
        fresh = self._is_first_answer(record, prediction)
        return Correlated(fresh=fresh, counts=fresh and not record.repeat, study=record.facts)

    def report(self, report: Report, arrived_us: int, watermark_us: int) -> Correlated:
        """Take a report; only one that is final, or corrects a final one, says anything new."""
        key = (report.site, report.study)
        record = self._studies.recall(key, watermark_us)
        if report.status not in READ_STATUSES:
            return Correlated(study=record.facts if record else None)
        record = record or self._studies.stranger(key, arrived_us)
        self._studies.touch(record, arrived_us)
        fresh = self._once(record, "report")
        labels = [
            label
            for label in report.labels or ()
            if label.value != "uncertain" and self._once(record, f"report\n{label.finding}")
        ]
        told = () if record.repeat else tuple(labels)
        return Correlated((), (), fresh, fresh and not record.repeat, record.facts, told)

    def earliest_us(self) -> int:
        """Before this, time alone brings about nothing here: cheap, and perhaps too early."""
        due_us, forget_us = self._deadlines.earliest_us(), self._studies.earliest_us()
        return due_us if due_us < forget_us else forget_us

    def deadline(self) -> int | None:
        """When the next expected result is due, or None."""
        return self._deadlines.next_us()

    def expire(self, now_us: int) -> list[Settlement]:
        """Call missing what is due at `now_us` or before, in order; but what may be lost is not."""
        missing = []
        for record, model in self._deadlines.due(now_us):
            due_us = record.expected[model].due_us
            if self._lost.touches(RESULTS, record.upserts[0].at_us, due_us + self._lateness_us):
                record.expected[model].unknown = True
                self.dropped["result_lost"] += 1
            else:
                missing.append(record.expire(model))
            self._studies.touch(record, max(record.touched_us, due_us))
        return missing

    def oldest_waiting_us(self, site: str, model: str) -> int | None:
        """When the oldest study that still waits for this model started to wait."""
        return self._deadlines.oldest_waiting_us(site, model)

    def forget_at(self) -> int | None:
        """When the next study may be forgotten, or None."""
        at_us = self._studies.earliest_us()
        return None if at_us == NEVER_US else at_us

    def forget(self, now_us: int) -> None:
        """Drop what has been settled, or has waited for its study, long enough."""
        self.patients.forget(now_us)
        self._studies.forget(now_us)

    def changes(self) -> Iterator[tuple[StudyId, StudyRecord | None]]:
        """Records changed since the last call; None for those dropped."""
        return self._studies.changes()

    def settlements_after(self, us: int) -> Iterator[Settlement]:
        """Every outcome that is dated after `us`."""
        for record in self._studies.records.values():
            yield from record.settlements_after(us)

    def restore(self, records: Iterable[StudyRecord]) -> None:
        """Take up the records of a checkpoint."""
        self._studies.restore(records)
        for record in self._studies.records.values():
            self._deadlines.schedule(record, {})

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""
        return {
            "studies": len(self._studies.records),
            "pending": self._deadlines.pending_n,
            "waiting_for_study": self._studies.strangers_n,
            "patients": len(self.patients),
        }

    def _recalled(self, key: StudyId, arrived_us: int, watermark_us: int) -> StudyRecord:
        known = self._studies.recall(key, watermark_us)
        return known or self._studies.stranger(key, arrived_us)

    def _turnarounds_of_waiting(self, record: StudyRecord) -> Iterator[Turnaround]:
        for model, result in record.results.items():
            if result.kind in ("complete", "incomplete"):
                turnaround = self._turnaround(record, model, result.at_us)
                if turnaround is not None:
                    yield turnaround

    def _turnaround(self, record: StudyRecord, model: str, at_us: int) -> Turnaround | None:
        since_us = record.available_us
        if since_us is None or not self._once(record, f"{model}\nturnaround"):
            return None
        return Turnaround(model=model, seconds=(at_us - since_us) / 1e6, at_us=at_us)

    def _is_first_answer(self, record: StudyRecord, prediction: Prediction) -> bool:
        if prediction.status != "completed":
            return False
        answer = f"{prediction.model}\n{prediction.model_version}"
        return self._once(record, answer if prediction.role == "live" else f"{answer}\nshadow")

    def _once(self, record: StudyRecord, what: str) -> bool:
        """Whether this is the first time: a study is one observation, however often it is told."""
        if what in record.observed:
            return False
        if len(record.observed) >= _MAX_OBSERVED:
            self.dropped["observed_overflow"] += 1
            return False
        record.observed.append(what)
        return True


def _asked(config: Config) -> Iterator[str]:
    """The facts of a study that are asked for when its results and reports come."""
    yield from config.watch.slices
    for model in config.models:
        yield from ("site" if path == "sites" else path for path in model.intended_use)
