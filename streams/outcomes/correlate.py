"""Which results are expected, which came, and which did not: studies and predictions joined.

Sans-IO. `tick` speaks of proved time only, so nothing is called missing because we are behind.
Everything remembered is bounded in time, and what waits for its study also in number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from schemas.config import Config
from schemas.prediction import Prediction
from schemas.report import Report, ReportStatus
from schemas.study import Study
from streams.clock import NEVER_US, seconds_to_us
from streams.lost import RESULTS, Losses
from streams.outcomes.deadlines import Deadlines, snapshot
from streams.outcomes.expectation import Expectations
from streams.outcomes.studies import Studies, StudyId
from streams.outcomes.study_record import Settlement, StudyRecord, result_of

READ_STATUSES: frozenset[ReportStatus] = frozenset({"final", "corrected", "amended", "appended"})


class Joined(Struct, frozen=True, gc=False):
    """The study that an event is about, None where nothing is known of it; and what it settled."""

    record: StudyRecord | None = None
    settled: Iterable[Settlement] = ()
    was_stranger: bool = False
    """The study has come after results for it."""


class Correlate:
    """The studies of one shard."""

    def __init__(self, config: Config, lost: Losses, *, is_observed: bool = True) -> None:
        """`is_observed`: whether anybody looks at events that settle nothing."""
        self._expectations = Expectations(config.models, _asked(config))
        self._lateness_us = seconds_to_us(config.clock.lateness_s)
        self.dropped: Counter[str] = Counter()
        self._studies = Studies(config.bounds, self.dropped)
        self._deadlines = Deadlines(self._studies.records)
        self._lost = lost
        self._is_observed = is_observed

    def join(
        self, event: Study | Prediction | Report, at_us: int, arrived_us: int, watermark_us: int
    ) -> Joined:
        """Take an event stamped `at_us`, already clamped if the stamp was wild."""
        if isinstance(event, Study):
            return self._study(event, at_us, arrived_us, watermark_us)
        if isinstance(event, Prediction) and event.role == "live":
            return self._prediction(event, at_us, arrived_us, watermark_us)
        if not self._is_observed:
            return Joined()
        if isinstance(event, Report) and event.status not in READ_STATUSES:
            return Joined(self._studies.recall((event.site, event.study), watermark_us))
        return Joined(self._named(event, arrived_us, watermark_us))

    def earliest_us(self) -> int:
        """Before this, time alone brings about nothing here: cheap, and perhaps too early."""
        return min(self._deadlines.earliest_us(), self._studies.earliest_us())

    def deadline(self) -> int | None:
        """When the next expected result is due, or None."""
        return self._deadlines.next_us()

    def expire(self, now_us: int) -> list[Settlement]:
        """Call missing what is due at `now_us` or before, in order; but what may be lost is not.

        Nor is what nobody asks for any more: the model is not configured now, as before a restart.
        """
        settled = []
        for record, model in self._deadlines.due(now_us):
            due_us = record.expected[model].due_us
            read_us = max(due_us + self._lateness_us, record.touched_us)  # it may itself be late
            if model not in self._expectations.rules and not record.names(model):
                settled.append(record.let_go(model))
            elif self._lost.touches(RESULTS, record.upserts[0].at_us, read_us):
                record.expected[model].unknown = True
                self.dropped["result_lost"] += 1
            else:
                settled.append(record.expire(model))
            self._studies.touch(record, max(record.touched_us, due_us))
        return settled

    def oldest_waiting_us(self, site: str, model: str) -> int | None:
        """When the oldest study that still waits for this model started to wait."""
        return self._deadlines.oldest_waiting_us(site, model)

    def forget_at(self) -> int | None:
        """When the next study may be forgotten, or None."""
        at_us = self._studies.earliest_us()
        return None if at_us == NEVER_US else at_us

    def forget(self, now_us: int) -> None:
        """Drop what has been settled, or has waited for its study, long enough."""
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
        }

    def _study(self, study: Study, at_us: int, arrived_us: int, watermark_us: int) -> Joined:
        key = (study.site, study.study)
        known = self._studies.recall(key, watermark_us)
        record = known or self._studies.new(key, arrived_us)
        if not record.upserts and at_us <= watermark_us - self._studies.settled_us:
            self.dropped["too_old"] += 1  # it may have been settled and forgotten: expect nothing
            record.too_old = True
        before = snapshot(record)
        was_stranger = known is not None and not known.upserts
        settled, merged, beyond_n = record.upsert(study, at_us, self._expectations)
        if merged:
            self.dropped["upserts_merged"] += 1
        if beyond_n > 0:
            self.dropped["study_models_overflow"] += beyond_n
        self._deadlines.schedule(record, before)
        self._studies.touch(record, arrived_us)
        if was_stranger:
            self._studies.introduce(record)
        return Joined(record, settled, was_stranger)

    def _prediction(
        self, prediction: Prediction, at_us: int, arrived_us: int, watermark_us: int
    ) -> Joined:
        record = self._named(prediction, arrived_us, watermark_us)
        rule = self._expectations.rules.get(prediction.model)
        result = result_of(prediction, at_us, rule)
        expected = record.expected.get(prediction.model)
        was_pending = expected is not None and expected.waits
        settlement = record.answer(prediction.model, result)
        if expected is None and prediction.model not in record.results:
            self.dropped["study_models_overflow"] += 1
        self._deadlines.pending_n -= was_pending and settlement is not None
        return Joined(record, () if settlement is None else (settlement,))

    def _named(self, event: Prediction | Report, arrived_us: int, watermark_us: int) -> StudyRecord:
        """The study that an event names; before its study the event waits."""
        key = (event.site, event.study)
        known = self._studies.recall(key, watermark_us)
        record = known or self._studies.stranger(key, arrived_us)
        self._studies.touch(record, arrived_us)
        return record


def _asked(config: Config) -> Iterator[str]:
    """The facts of a study that are asked for when its results and reports come."""
    yield from config.watch.slices
    for model in config.models:
        yield from ("site" if path == "sites" else path for path in model.intended_use)
