"""The stages joined: an event or proved time goes in, what is to be published comes out.

Sans-IO and deterministic. The same object runs live under Faust, in `replay`, in the simulator and
in tests. What it says is a function of its input in the order of arrival: every conclusion is
dated by when it became true, so it does not matter when time is advanced, only how far.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import assert_never

from msgspec import Struct

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Incident
from schemas.messages import Event
from schemas.outcome import Outcome
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.series import SeriesPoint
from schemas.study import Study
from streams import state
from streams.budget import Account, Budget
from streams.clock import NEVER_US, Clock, from_us, to_us
from streams.commands import Commands, Taken
from streams.correlate import Correlate, Correlated
from streams.detect import Detect
from streams.finding import Finding
from streams.incidents import Case, Incidents
from streams.observe import READ_STATUSES, Observation, Observe
from streams.outage import Episode, Outages
from streams.patients import Known
from streams.proving import Proving
from streams.self_watch import SelfWatch, Skew
from streams.series import Series
from streams.series_record import SeriesId, SeriesRecord
from streams.study_record import Settlement, StudyRecord

Effect = Outcome | Incident | SeriesPoint
_FEEDS: dict[type[Event], str] = {
    Study: "studies",
    Prediction: "predictions",
    Report: "reports",
    Command: "commands",
}


class Pipeline:
    """One shard: the sites of one partition, and all that is known of them."""

    def __init__(self, config: Config, partition: int = 0) -> None:
        budget = Budget(config)
        self._clock = Clock(config.clock.lateness_s, config.clock.max_skew_s)
        self._correlate = Correlate(config)
        self._observe = Observe(config.watch)
        self._budget = budget
        self._proving = Proving()
        self._outages = Outages(config, budget)
        self._detect = Detect(config, budget)
        self._incidents = Incidents(config)
        self._commands = Commands()
        self._self_watch = SelfWatch(config.clock, partition)
        self._written_us: int | None = None

    @property
    def watermark_us(self) -> int:
        """Everything that happened before this has been seen."""
        return self._clock.watermark_us

    def handle(self, event: Event, arrived_us: int) -> list[Effect]:
        """Take one event, in the order of arrival; `arrived_us` is the broker's date of it."""
        return self.handle_all([(event, arrived_us)])

    def handle_all(self, arrivals: Iterable[tuple[Event, int]]) -> list[Effect]:
        """Take events in a row: the same effects as one by one, drift told at the end."""
        effects: list[Effect] = []
        for event, arrived_us in arrivals:
            effects += self._handle(event, arrived_us)
        effects += self._advance(self.watermark_us)  # what the last event made due in the past
        effects += self._flush()
        return effects

    def _handle(self, event: Event, arrived_us: int) -> list[Effect]:
        effects: list[Effect] = [*self._advance(self._clock.arrived(arrived_us))]
        at_us = to_us(event.at)
        feed = _FEEDS[type(event)]
        if self._clock.is_skewed(at_us, arrived_us):
            wild = self._self_watch.wild_stamp(event.site, feed, at_us, arrived_us)
            effects += self._conclude(wild)
            at_us = arrived_us  # it moves nothing, but the study behind it is real
        elif (finding := self._self_watch.sane_stamp(event.site, feed, arrived_us)) is not None:
            effects += self._conclude(finding)
        effects += self._take(event, at_us, arrived_us)
        return effects

    def tick(self, watermark_us: int) -> list[Effect]:
        """Advance proved time; an earlier time changes nothing."""
        return list(self._advance(self._clock.advance(watermark_us)))

    def deadline(self) -> int | None:
        """When the next thing happens by time alone, housekeeping included."""
        times = (self.next_due(), self._incidents.retire_at(), self._correlate.forget_at())
        return min((at_us for at_us in times if at_us is not None), default=None)

    def next_due(self) -> int | None:
        """When time alone next says something of a study or an incident."""
        at_us = self._due_us()
        return None if at_us == NEVER_US else at_us

    def _due_us(self) -> int:
        due_us, timer_us = self._correlate.deadline(), self._incidents.deadline()
        return min(
            NEVER_US if due_us is None else due_us,
            NEVER_US if timer_us is None else timer_us,
            self._proving.earliest_us(),
        )

    def observe_lag(self, now_us: int) -> list[Effect]:
        """Say whether this shard is behind its promise at `now_us`, the broker's time."""
        if self.watermark_us < 0:
            return []
        return list(self._conclude(self._self_watch.lag(self._clock.lag_us(now_us), now_us)))

    def _take(self, event: Event, at_us: int, arrived_us: int) -> Iterator[Effect]:
        match event:
            case Study():
                taken = self._correlate.study(event, at_us, arrived_us, self.watermark_us)
                yield from self._correlated(event, taken)
                if taken.fresh:
                    yield from self._observed(self._observe.study(event, at_us))
            case Prediction():
                if event.role == "shadow":
                    return
                taken = self._correlate.prediction(event, at_us, arrived_us, self.watermark_us)
                yield from self._correlated(event, taken)
                if taken.fresh:
                    yield from self._observed(self._observe.prediction(event, at_us))
            case Report():
                yield from self._observed(self._labels(event, at_us, arrived_us))
            case Command():
                yield from self._flush()  # a person speaks of what was said before
                if self._commands.is_new(event):
                    told = self._incidents.command(event, at_us)
                    self._detect.accept(event, told)
                    for incident in told:
                        yield from self._told(incident)
            case _:
                assert_never(event)

    def _correlated(self, event: Study | Prediction, taken: Correlated) -> Iterator[Effect]:
        for settlement in taken.settled:
            yield from self._settled(settlement)
        for turnaround in taken.turnarounds:
            yield from self._observed(self._observe.turnaround(event.site, event.study, turnaround))

    def _labels(self, report: Report, at_us: int, arrived_us: int) -> Iterator[Observation]:
        if report.status not in READ_STATUSES:
            return
        for label in report.labels or ():
            if label.value != "uncertain" and self._correlate.report_is_fresh(
                report.site, report.study, label.finding, arrived_us, self.watermark_us
            ):
                present = label.value == "present"
                yield from self._observe.label(report, label.finding, present, at_us)

    def _observed(self, observations: Iterable[Observation]) -> Iterator[Effect]:
        for observation in observations:
            yield from self._detected(self._detect.observe(observation))

    def _flush(self) -> Iterator[Effect]:
        yield from self._detected(self._detect.flush())

    def _detected(self, said: Iterable[Finding | SeriesPoint]) -> Iterator[Effect]:
        for what in said:
            if isinstance(what, SeriesPoint):
                yield what
            else:
                yield from self._conclude(what)

    def _settled(self, settlement: Settlement) -> Iterator[Effect]:
        yield Outcome(
            site=settlement.site,
            study=settlement.study,
            model=settlement.model,
            outcome=settlement.outcome,
            due=from_us(settlement.due_us),
            at=from_us(settlement.at_us),
            revision=settlement.revision,
        )
        if settlement.at_us <= self.watermark_us:
            yield from self._proved(settlement)
        else:
            self._proving.add(settlement)

    def _proved(self, settlement: Settlement) -> Iterator[Effect]:
        yield from self._conclude_all(self._outages.settled(settlement, self._oldest_waiting_us))

    def _conclude_all(self, findings: Iterable[Finding]) -> Iterator[Effect]:
        for finding in findings:
            yield from self._conclude(finding)

    def _oldest_waiting_us(self, site: str, model: str) -> int:
        """When the oldest study started that waits for the model, as far as time is proved."""
        oldest_us = self._correlate.oldest_waiting_us(site, model)
        unproved_us = self._proving.oldest_us(site, model)
        return unproved_us if oldest_us is None else min(oldest_us, unproved_us)

    def _conclude(self, finding: Finding) -> Iterator[Effect]:
        for incident in self._incidents.finding(finding):
            yield from self._told(incident)

    def _told(self, incident: Incident) -> Iterator[Effect]:
        yield incident
        if incident.state == "resolved" and incident.reason != "noted":
            self._outages.over(incident.kind, incident.site, incident.model)
            self._self_watch.over(incident.kind, incident.site, incident.subject)

    def _advance(self, watermark_us: int) -> Iterable[Effect]:
        if self._proving.earliest_us() > watermark_us and self._timer_us() > watermark_us:
            return ()
        return self._pass(watermark_us)

    def _timer_us(self) -> int:
        """Before this no deadline, hold, update or retention ends: cheap, and perhaps too early."""
        due_us, held_us = self._correlate.earliest_us(), self._incidents.earliest_us()
        return due_us if due_us < held_us else held_us

    def _pass(self, watermark_us: int) -> Iterator[Effect]:
        """What time alone brings about until then: each at its own time, in order."""
        timer_us = self._timer_us()
        while settlement := self._proving.reached(min(timer_us - 1, watermark_us)):
            if findings := self._outages.settled(settlement, self._oldest_waiting_us):
                yield from self._conclude_all(findings)
                timer_us = self._timer_us()
        if timer_us > watermark_us:
            return
        while (at_us := self._next_us()) <= watermark_us:
            for settlement in self._correlate.expire(at_us):
                yield from self._settled(settlement)
            while settlement := self._proving.reached(at_us):
                yield from self._proved(settlement)
            if self._incidents.earliest_us() <= at_us:
                yield from self._flush()  # what was observed was so before this moment
            for incident in self._incidents.tick(at_us):
                yield from self._told(incident)
        self._correlate.forget(watermark_us)

    def _next_us(self) -> int:
        retire_us = self._incidents.retire_at()
        return self._due_us() if retire_us is None else min(self._due_us(), retire_us)

    def changes(self) -> list[state.Record]:
        """State changed since the last call, as records for the changelog."""
        return list(self._changes())

    def _changes(self) -> Iterator[state.Record]:
        changed: dict[str, Iterable[tuple[Iterable[str], Struct | None]]] = {
            "study/1": self._correlate.changes(),
            "patient/1": self._correlate.patients.changes(),
            "episode/1": self._outages.changes(),
            "case/1": (([case.fingerprint], case) for case in self._incidents.changes()),
            "commands/1": (([taken.site], taken) for taken in self._commands.changes()),
            "skew/1": self._self_watch.changes(),
            "account/1": (([account.site], account) for account in self._budget.changes()),
        }
        for kind, records in changed.items():
            for key, record in records:
                yield state.write(kind, key, record)
        for series_id, series, bulk in self._detect.changes():
            for name, value in bulk:
                yield state.write_bulk([*series_id, name], value)
            yield state.write("series/1", series_id, series)
        if self._written_us != self.watermark_us:
            self._written_us = self.watermark_us
            yield state.write("now/1", [], state.Now(self.watermark_us))

    def restore(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up the records of a checkpoint, in any order; before the first event."""
        by_type: dict[type, list[object]] = defaultdict(list)
        bulk: dict[tuple[str, ...], dict[str, bytes]] = defaultdict(dict)
        for key, value in state.read(records):
            if key[0] == state.BULK:
                bulk[tuple(key[1:4])][key[4]] = value
            else:
                by_type[type(value)].append(value)
        self._restore(by_type, bulk)

    def _restore(
        self,
        by_type: dict[type, list],  # type: ignore[type-arg]
        bulk: dict[tuple[str, ...], dict[str, bytes]],
    ) -> None:
        self._correlate.restore(by_type[StudyRecord])
        self._correlate.patients.restore(by_type[Known])
        self._outages.restore(by_type[Episode])
        self._incidents.restore(by_type[Case])
        self._commands.restore(by_type[Taken])
        self._self_watch.restore(by_type[Skew])
        self._budget.restore(by_type[Account])
        for series in by_type[SeriesRecord]:
            self._detect.restore(series, bulk[series.site, series.model, series.subject])
        for now in by_type[state.Now]:
            self._written_us = self._clock.advance(now.watermark_us)
        for settlement in self._correlate.settlements_after(self.watermark_us):
            self._proving.add(settlement)

    def series(self) -> Iterator[tuple[SeriesId, Series]]:
        """Every series by site, model and subject, to be looked at only."""
        return self._detect.series()

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""
        return {
            **self._correlate.sizes(),
            **self._detect.sizes(),
            "incidents_live": len(self._incidents.live()),
        }

    def losses(self) -> dict[str, int]:
        """What a bound or a rule has dropped, by reason, for the metrics."""
        counted = (
            self._correlate.dropped,
            self._correlate.patients.dropped,
            self._detect.dropped,
            self._incidents.rejected,
        )
        return {
            **{reason: n for counter in counted for reason, n in counter.items()},
            **{reason: self._observe.counts[reason] for reason in ("not_finite", "name_too_long")},
        }
