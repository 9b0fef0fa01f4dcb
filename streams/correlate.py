"""Which results are expected, which came, and which did not: studies and predictions joined.

Sans-IO. `tick` speaks of proved time only, so nothing is called missing because we are behind.
Everything remembered is bounded in time, and what waits for its study also in number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import takewhile

from msgspec import Struct

from schemas.config import Config
from schemas.prediction import Prediction
from schemas.report import Label, Report, ReportStatus
from schemas.study import Study
from streams.clock import NEVER_US, seconds_to_us
from streams.expectation import Expectations
from streams.patients import Patients
from streams.study_record import Settlement, StudyFacts, StudyRecord, result_of

StudyId = tuple[str, str]
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

    def __init__(self, config: Config) -> None:
        self._expectations = Expectations(config.models, _asked(config))
        self._settled_us = seconds_to_us(config.bounds.settled_s)
        self._waiting_us = seconds_to_us(config.bounds.waiting_s)
        self._least_us = min(self._settled_us, self._waiting_us)
        self._waiting_per_site = config.bounds.waiting_per_site
        self._studies: dict[StudyId, StudyRecord] = {}
        self._strangers: dict[str, dict[str, None]] = {}  # known only by results, by last touch
        self._dues: list[tuple[int, str, str, str]] = []
        self._forgets: list[tuple[int, str, str]] = []
        self._waiting: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._dirty: dict[StudyId, None] = {}
        self.patients = Patients(config.bounds)
        self.pending_n = 0
        self.dropped: Counter[str] = Counter()

    def study(self, study: Study, at_us: int, arrived_us: int, watermark_us: int) -> Correlated:
        """Take an upsert stamped `at_us` (already clamped if the stamp was wild)."""
        key = (study.site, study.study)
        known = self._recall(key, watermark_us)
        record = known or self._new(key, arrived_us, self._settled_us)
        if not record.upserts and at_us <= watermark_us - self._settled_us:
            self.dropped["too_old"] += 1  # it may have been settled and forgotten: expect nothing
            record.too_old = True
        before = _snapshot(record)
        was_stranger = known is not None and not known.upserts
        settled = record.upsert(study, at_us, self._expectations)
        self._schedule(record, before)
        self._touch(record, arrived_us)
        if was_stranger:
            del self._strangers[study.site][study.study]
        fresh = study.state == "complete" and self._once(record, "study")
        if fresh:
            key_of_patient = study.patient.key if study.patient else None
            record.repeat = not self.patients.is_first(
                study.site, key_of_patient, arrived_us, watermark_us
            )
        return Correlated(
            settled=tuple(settled),
            turnarounds=tuple(self._turnarounds_of_waiting(record)) if was_stranger else (),
            fresh=fresh,
            counts=fresh and not record.repeat,
            study=record.facts,
        )

    def prediction(
        self, prediction: Prediction, at_us: int, arrived_us: int, watermark_us: int
    ) -> Correlated:
        """Take a live prediction; before its study it waits."""
        key = (prediction.site, prediction.study)
        record = self._recall(key, watermark_us) or self._stranger(key, arrived_us)
        rule = self._expectations.rules.get(prediction.model)
        result = result_of(prediction, at_us, rule)
        pending = prediction.model in record.expected and (
            not record.expected[prediction.model].outcomes
        )
        settlement = record.answer(prediction.model, result)
        self.pending_n -= pending and settlement is not None
        self._touch(record, arrived_us)
        fresh = self._is_first_answer(record, prediction)
        turnaround = self._turnaround(record, prediction.model, at_us) if fresh else None
        return Correlated(
            settled=() if settlement is None else (settlement,),
            turnarounds=() if turnaround is None else (turnaround,),
            fresh=fresh,
            counts=fresh and not record.repeat,
            study=record.facts,
        )

    def shadow(self, prediction: Prediction, arrived_us: int, watermark_us: int) -> Correlated:
        """Take a shadow prediction, which settles nothing."""
        key = (prediction.site, prediction.study)
        record = self._recall(key, watermark_us) or self._stranger(key, arrived_us)
        self._touch(record, arrived_us)
        fresh = self._is_first_answer(record, prediction)
        return Correlated(fresh=fresh, counts=fresh and not record.repeat, study=record.facts)

    def report(self, report: Report, arrived_us: int, watermark_us: int) -> Correlated:
        """Take a report; only one that is final, or corrects a final one, says anything new."""
        key = (report.site, report.study)
        record = self._recall(key, watermark_us)
        if report.status not in READ_STATUSES:
            return Correlated(study=record.facts if record else None)
        record = record or self._stranger(key, arrived_us)
        self._touch(record, arrived_us)
        fresh = self._once(record, "report")
        labels = [
            label
            for label in report.labels or ()
            if label.value != "uncertain" and self._once(record, f"report\n{label.finding}")
        ]
        return Correlated(
            fresh=fresh,
            counts=fresh and not record.repeat,
            study=record.facts,
            labels=() if record.repeat else tuple(labels),
        )

    def earliest_us(self) -> int:
        """Before this, time alone brings about nothing here: cheap, and perhaps too early."""
        due_us = self._dues[0][0] if self._dues else NEVER_US
        return min(due_us, self._forgets[0][0]) if self._forgets else due_us

    def deadline(self) -> int | None:
        """When the next expected result is due, or None."""
        while self._dues and not self._is_live(self._dues[0]):
            heappop(self._dues)
        return self._dues[0][0] if self._dues else None

    def expire(self, now_us: int) -> list[Settlement]:
        """Call missing what is due at `now_us` or before, in order."""
        missing = []
        while (due_us := self.deadline()) is not None and due_us <= now_us:
            _, site, study, model = heappop(self._dues)
            record = self._studies[site, study]
            missing.append(record.expire(model))
            self.pending_n -= 1
            self._touch(record, max(record.touched_us, due_us))
        return missing

    def oldest_waiting_us(self, site: str, model: str) -> int | None:
        """When the oldest study that still waits for this model started to wait."""
        waiting = self._waiting.get((site, model), [])
        while waiting and not self._still_waits(site, model, waiting[0]):
            heappop(waiting)
        if not waiting:
            self._waiting.pop((site, model), None)
            return None
        return waiting[0][0]

    def forget_at(self) -> int | None:
        """When the next study may be forgotten, or None."""
        return self._forgets[0][0] if self._forgets else None

    def forget(self, now_us: int) -> None:
        """Drop what has been settled, or has waited for its study, long enough."""
        self.patients.forget(now_us)
        while self._forgets and self._forgets[0][0] <= now_us:
            _, site, study = heappop(self._forgets)
            record = self._studies.get((site, study))
            if record is None:
                continue
            until_us = self._forget_us(record)
            if until_us > now_us:
                heappush(self._forgets, (until_us, site, study))
            else:
                self._forget(record)

    def changes(self) -> Iterator[tuple[StudyId, StudyRecord | None]]:
        """Records changed since the last call; None for those dropped."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield key, self._studies.get(key)

    def settlements_after(self, us: int) -> Iterator[Settlement]:
        """Every outcome that is dated after `us`."""
        for record in self._studies.values():
            yield from record.settlements_after(us)

    def restore(self, records: Iterable[StudyRecord]) -> None:
        """Take up the records of a checkpoint."""
        for record in sorted(records, key=lambda record: record.touched_us):
            self._studies[record.site, record.study] = record
            if not record.upserts:
                self._strangers.setdefault(record.site, {})[record.study] = None
            self._schedule(record, {})
            heappush(self._forgets, (self._forget_us(record), record.site, record.study))

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""
        return {
            "studies": len(self._studies),
            "pending": self.pending_n,
            "waiting_for_study": sum(map(len, self._strangers.values())),
            "patients": len(self.patients),
        }

    def _recall(self, key: StudyId, now_us: int) -> StudyRecord | None:
        """What is known of a study until its time is over, swept out by then or not."""
        record = self._studies.get(key)
        if record is None or record.touched_us + self._least_us > now_us:
            return record
        if self._forget_us(record) > now_us:
            return record
        self._forget(record)
        return None

    def _new(self, key: StudyId, arrived_us: int, kept_us: int) -> StudyRecord:
        record = StudyRecord(site=key[0], study=key[1], touched_us=arrived_us)
        self._studies[key] = record
        # Swept out a little late, since it will be touched again: most are looked at only once.
        heappush(self._forgets, (arrived_us + kept_us + kept_us // 64, *key))
        return record

    def _stranger(self, key: StudyId, arrived_us: int) -> StudyRecord:
        strangers = self._strangers.setdefault(key[0], {})
        if len(strangers) >= self._waiting_per_site:
            self.dropped["waiting_overflow"] += 1
            self._drop(self._longest_untouched(key[0]))
        strangers[key[1]] = None
        return self._new(key, arrived_us, self._waiting_us)

    def _longest_untouched(self, site: str) -> StudyRecord:
        """The same after a restart as without: of those touched at one moment the first by name."""
        strangers = (self._studies[site, study] for study in self._strangers[site])
        first = next(strangers)
        ties = takewhile(lambda record: record.touched_us == first.touched_us, strangers)
        return min((first, *ties), key=lambda record: record.study)

    def _schedule(self, record: StudyRecord, before: dict[str, tuple[int, int] | None]) -> None:
        """Set timers for what has begun to wait, or waits otherwise than `before`."""
        for model, expected in record.expected.items():
            was_pending = before.get(model) is not None
            if expected.outcomes:
                self.pending_n -= was_pending
                continue
            self.pending_n += not was_pending
            if before.get(model) != (expected.start_us, expected.due_us):
                heappush(self._dues, (expected.due_us, record.site, record.study, model))
                waiting = self._waiting.setdefault((record.site, model), [])
                heappush(waiting, (expected.start_us, record.study))

    def _touch(self, record: StudyRecord, touched_us: int) -> None:
        record.touched_us = touched_us
        self._dirty[record.site, record.study] = None
        if not record.upserts:
            strangers = self._strangers[record.site]
            strangers[record.study] = strangers.pop(record.study)  # in order of their last touch

    def _forget(self, record: StudyRecord) -> None:
        if not record.upserts:
            self.dropped["waited_in_vain"] += 1
        self._drop(record)

    def _drop(self, record: StudyRecord) -> None:
        key = (record.site, record.study)
        if not record.upserts:
            del self._strangers[record.site][record.study]
        del self._studies[key]
        self._dirty[key] = None

    def _forget_us(self, record: StudyRecord) -> int:
        if not record.upserts:
            return record.touched_us + self._waiting_us
        last_us = max(record.touched_us, record.upserts[-1].at_us)
        return max((last_us, *(e.due_us for e in record.expected.values()))) + self._settled_us

    def _is_live(self, due: tuple[int, str, str, str]) -> bool:
        due_us, site, study, model = due
        record = self._studies.get((site, study))
        expected = record.expected.get(model) if record else None
        return expected is not None and not expected.outcomes and expected.due_us == due_us

    def _still_waits(self, site: str, model: str, entry: tuple[int, str]) -> bool:
        record = self._studies.get((site, entry[1]))
        expected = record.expected.get(model) if record else None
        return expected is not None and not expected.outcomes and expected.start_us == entry[0]

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


def _snapshot(record: StudyRecord) -> dict[str, tuple[int, int] | None]:
    """Start and deadline of what is waited for; None for what is settled."""
    return {
        model: (e.start_us, e.due_us) if not e.outcomes else None
        for model, e in record.expected.items()
    }
