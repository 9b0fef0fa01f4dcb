"""The stages joined: an event or proved time goes in, what is to be published comes out.

Sans-IO and deterministic. The same object runs live under Faust, in `replay`, in the simulator and
in tests. What it says is a function of its input in the order of arrival: every conclusion is
dated by when it became true, so it does not matter when time is advanced, only how far.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import assert_never

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Incident
from schemas.messages import Effect, Event
from schemas.outcome import Outcome
from schemas.prediction import Prediction
from schemas.refusal import Refused
from schemas.report import Report
from schemas.series import SeriesPoint
from schemas.study import Study
from streams import state
from streams.acceptance import accepted
from streams.budget import Budget
from streams.clock import NEVER_US, Clock, from_us, to_us
from streams.commands import ROUTED, Commands, of_series
from streams.correlate import Correlate, Correlated
from streams.detect import Detect
from streams.finding import MONITOR_SITE, Finding
from streams.incidents import Incidents
from streams.lifecycle import ENDS
from streams.lost import Losses
from streams.memory import Memory
from streams.observe import Complete, Look, Observations, Observe
from streams.outage import Outages
from streams.performance.readout import Readout
from streams.proving import Proving
from streams.routing.stage import Routing
from streams.seen import SeriesId
from streams.self_watch import SelfWatch
from streams.series import Series
from streams.sites import Sites
from streams.slices import Slicing
from streams.stage import EVERYTHING, Happened, NewEpoch, Said, Stage, Timeless, Watched
from streams.stages import stages_of
from streams.study_record import Settlement
from streams.subgroups import Subgroups

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
        self._sites = Sites(config)
        self._lost = Losses(partition)
        self._correlate = Correlate(config, self._lost)
        self._observe = Observe(config.watch)
        self._slicing = Slicing(config.watch.slices)
        self._proving = Proving()
        self._outages = Outages(config, budget)
        self._detect = Detect(config, budget, config.slices)
        self._incidents = Incidents(config)
        self._commands = Commands()
        self._self_watch = SelfWatch(config.clock, partition)
        self._subgroups = Subgroups(config, config.slices, budget.grant)
        self._stages = (*stages_of(config, budget, self._lost), self._subgroups)
        self._readout = next(stage for stage in self._stages if isinstance(stage, Readout))
        self._routing = Routing(config)
        self._takers = {
            kind: [stage for stage in self._stages if kind in stage.takes] for kind in EVERYTHING
        }
        timed = (stage for stage in self._stages if not isinstance(stage, Timeless))
        self._watching: tuple[Stage | Routing, ...] = (*timed, self._routing)
        self._timed: tuple[Correlate | Incidents | Stage | Routing, ...]
        self._timed = (self._correlate, self._incidents, *self._watching)
        self._memory = Memory(
            sites=self._sites,
            lost=self._lost,
            correlate=self._correlate,
            outages=self._outages,
            detect=self._detect,
            incidents=self._incidents,
            commands=self._commands,
            self_watch=self._self_watch,
            budget=budget,
            stages=self._stages,
            routing=self._routing,
        )

    @property
    def watermark_us(self) -> int:
        """Everything that happened before this has been seen."""
        return self._clock.watermark_us

    def refuse(self, site: str) -> Refused | None:
        """Why events of the site are not to be handled: asked before each, None where they are."""
        return self._sites.refuse(site)

    def lost(
        self, kind: type[Event], n: int, from_us: int, until_us: int, *, rekeyed: bool = False
    ) -> list[Effect]:
        """So many events that arrived then may be gone unread, or not re-keyed; live only."""
        findings = self._lost.add(_FEEDS[kind], n, from_us, until_us, rekeyed=rekeyed)
        return list(self._conclude_all(findings))

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
        effects += self._advance(self.watermark_us)  # and what the drift that it told of made due
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
        if feed in self._lost.unheard:
            effects += self._conclude_all(self._lost.heard(feed, arrived_us))
        for incident in self._incidents.heard(event.site, self._clock.proved_by(arrived_us)):
            effects += self._told(incident)
        effects += self._take(event, at_us, arrived_us)
        return effects

    def tick(self, watermark_us: int) -> list[Effect]:
        """Advance proved time; an earlier time changes nothing."""
        return list(self._advance(self._clock.advance(watermark_us)))

    def deadline(self) -> int | None:
        """When the next thing happens by time alone, housekeeping included."""
        at_us = min(self._next_us(), self._correlate.forget_at() or NEVER_US)
        return None if at_us == NEVER_US else at_us

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
        told = list(self._conclude(self._self_watch.lag(self._clock.lag_us(now_us), now_us)))
        for incident in self._incidents.heard(MONITOR_SITE, now_us):
            told += self._told(incident)
        return told

    def _take(self, event: Event, at_us: int, arrived_us: int) -> Iterator[Effect]:
        if isinstance(event, Command):
            yield from self._command(event, at_us)
            return
        taken = self._correlated(event, at_us, arrived_us)
        for settlement in taken.settled:
            yield from self._settled(settlement)
        slices = () if taken.study is None else self._slicing.of(taken.study.fields)
        for observations in self._observe.of(event, at_us, taken):
            yield from self._detected(self._detect.observe(observations._replace(slices=slices)))
        known = (taken.fresh, taken.counts, taken.study, slices)
        happened = Happened(event, at_us, arrived_us, self.watermark_us, *known)
        for stage in self._takers[type(event)]:
            if said := stage.take(happened):
                yield from self._said(said)

    def _correlated(self, event: Watched, at_us: int, arrived_us: int) -> Correlated:
        joint, now_us = self._correlate, self.watermark_us
        match event:
            case Study():
                return joint.study(event, at_us, arrived_us, now_us)
            case Prediction(role="shadow"):
                return joint.shadow(event, arrived_us, now_us)
            case Prediction():
                return joint.prediction(event, at_us, arrived_us, now_us)
            case Report():
                return joint.report(event, arrived_us, now_us)
            case _:
                assert_never(event)

    def _said(self, said: Iterable[Said]) -> Iterator[Effect]:
        """What a stage said, handed to where it belongs."""
        for what in said:
            match what:
                case Finding():
                    yield from self._conclude(what)
                case Observations():
                    yield from self._detected(self._detect.observe(what))
                    yield from self._conclude_all(self._subgroups.observe(what))
                case Look():
                    yield from self._detected(self._detect.look(what))
                case Complete():
                    yield from self._detected(self._detect.complete(what))
                case NewEpoch():
                    yield from self._flush()
                    self._detect.accept_model(what.site, what.model)
                    for stage in self._stages:
                        yield from self._said(stage.begin_anew(what.site, what.model))
                case _:
                    assert_never(what)

    def _command(self, command: Command, at_us: int) -> Iterator[Effect]:
        yield from self._flush()  # a person speaks of what was said before
        if not self._commands.is_new(command):
            yield self._commands.again(command, at_us)
            return
        if command.names_reference:
            answer = of_series(self._detect.refer(command, at_us))
            self._commands.answered(command, answer)
            yield answer.reply(command, at_us)
            return
        answer = self._incidents.answer(command, at_us)
        if command.action in ROUTED and answer.accepted:
            answer = answer._replace(reason=self._routing.command(command, at_us))
        series_n = self._detect.accept(command, answer.told)
        answer = answer.and_series(series_n if command.action == "rebaseline" else 0)
        for site, model, subject in accepted(command, answer.told):
            for stage in self._stages:
                stage.accept(site, model, subject)
        self._commands.answered(command, answer)
        for incident in answer.told:
            yield from self._told(incident)
        yield answer.reply(command, at_us)

    def _flush(self) -> Iterator[Effect]:
        yield from self._detected(self._detect.flush())

    def _detected(self, said: Iterable[Finding | SeriesPoint]) -> Iterator[Effect]:
        for what in said:
            if isinstance(what, SeriesPoint):
                yield what
            else:
                yield from self._conclude(self._readout.explained(what))

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
        yield from self._routing.incident(incident, to_us(incident.at))
        if incident.reason in ENDS:
            self._outages.over(incident.kind, incident.site, incident.model)
            self._self_watch.over(incident.kind, incident.site, incident.subject)
            for stage in self._stages:
                stage.over(incident)

    def _advance(self, watermark_us: int) -> Iterable[Effect]:
        if self._proving.earliest_us() > watermark_us and self._timer_us() > watermark_us:
            return ()
        return self._pass(watermark_us)

    def _timer_us(self) -> int:
        """Before this no deadline, hold, update or retention ends: cheap, and perhaps too early."""
        return min([part.earliest_us() for part in self._timed])

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
            yield from self._pass_at(at_us)
        self._correlate.forget(watermark_us)

    def _pass_at(self, at_us: int) -> Iterator[Effect]:
        """What becomes true at this moment."""
        for settlement in self._correlate.expire(at_us):
            yield from self._settled(settlement)
        while (reached := self._proving.reached(at_us)) is not None:
            yield from self._proved(reached)
        for stage in self._stages:
            if stage.earliest_us() <= at_us:
                yield from self._said(stage.tick(at_us))
        if self._incidents.earliest_us() <= at_us:
            yield from self._flush()  # what was observed was so before this moment
        for incident in self._incidents.tick(at_us):
            yield from self._told(incident)
        if self._routing.earliest_us() <= at_us:
            yield from self._flush()
            yield from self._routing.tick(at_us)

    def _next_us(self) -> int:
        retire_us = self._incidents.retire_at()
        times = [part.earliest_us() for part in self._watching]
        return min(self._due_us(), NEVER_US if retire_us is None else retire_us, *times)

    def changes(self) -> list[state.Record]:
        """State changed since the last call, as records for the changelog."""
        return list(self._memory.changes(self.watermark_us))

    def restore(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up the records of a checkpoint, in any order; before the first event."""
        now_us = self._memory.restore(records)
        if now_us is not None:
            self._clock.advance(now_us)
        for settlement in self._correlate.settlements_after(self.watermark_us):
            self._proving.add(settlement)

    def series(self) -> Iterator[tuple[SeriesId, Series]]:
        """Every series by site, model and subject, to be looked at only."""
        return self._detect.series()

    def live(self) -> Counter[tuple[str, str]]:
        """How many incidents live, by kind and state."""
        return Counter((case.kind, case.state) for case in self._incidents.live())

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""
        sizes = {
            "sites": len(self._sites),
            **self._correlate.sizes(),
            **self._detect.sizes(),
            "incidents_live": len(self._incidents.live()),
        }
        for stage in self._stages:
            sizes |= stage.sizes()
        return sizes | self._routing.sizes()

    def losses(self) -> dict[str, int]:
        """What a bound or a rule has dropped, by reason, for the metrics."""
        counted = (
            self._sites.dropped,
            self._correlate.dropped,
            self._correlate.patients.dropped,
            self._detect.dropped,
            self._incidents.rejected,
            *(stage.dropped for stage in self._stages),
            self._routing.dropped,
        )
        return {
            **{reason: n for counter in counted for reason, n in counter.items()},
            **{reason: self._observe.counts[reason] for reason in ("not_finite", "name_too_long")},
        }
