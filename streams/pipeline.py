"""The stages joined: an event or proved time goes in, what is to be published comes out.

Sans-IO and deterministic. The same object runs live under Faust, in `replay`, in the simulator and
in tests. What it says is a function of its input in the order of arrival: every conclusion is
dated by when it became true, so it does not matter when time is advanced, only how far.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from schemas.command import Command
from schemas.config import Config
from schemas.messages import Effect, Event
from schemas.prediction import Prediction
from schemas.refusal import Refused
from schemas.report import Report
from schemas.study import Study
from streams import state
from streams.clock import NEVER_US, to_us
from streams.finding import MONITOR_SITE
from streams.incidents.acceptance import accepted
from streams.incidents.commands import ROUTED, of_series
from streams.memory import Memory
from streams.observations.observe import Watched
from streams.outcomes.correlate import Joined
from streams.parts import Parts
from streams.passing import Passing
from streams.series.seen import SeriesId
from streams.series.watched import Series
from streams.stage import Happened
from streams.telling import Telling

_FEEDS: dict[type[Event], str] = {
    Study: "studies",
    Prediction: "predictions",
    Report: "reports",
    Command: "commands",
}


class Pipeline:
    """One shard: the sites of one partition, and all that is known of them."""

    def __init__(self, config: Config, partition: int = 0) -> None:
        self._parts = parts = Parts(config, partition)
        self._tell = Telling(parts)
        self._passing = Passing(parts, self._tell)
        self._memory = Memory(parts)
        self._clock = parts.clock
        self._detect = parts.detect
        self._incidents = parts.incidents
        self._takers = parts.takers()

    @property
    def watermark_us(self) -> int:
        """Everything that happened until this has been seen."""
        return self._clock.watermark_us

    def refuse(self, site: str) -> Refused | None:
        """Why events of the site are not to be handled: asked before each, None where they are."""
        return self._parts.sites.refuse(site)

    def lost(
        self, kind: type[Event], n: int, from_us: int, until_us: int, *, rekeyed: bool = False
    ) -> list[Effect]:
        """So many events that arrived then may be gone unread, or not re-keyed; live only."""
        findings = self._parts.lost.add(_FEEDS[kind], n, from_us, until_us, rekeyed=rekeyed)
        return list(self._tell.findings(findings))

    def end(self, at_us: int) -> None:
        """The recording ends here: deadlines pass as ever, but no feed falls silent by that."""
        self._parts.lost.end(at_us)

    def handle(self, event: Event, arrived_us: int) -> list[Effect]:
        """Take one event, in the order of arrival; `arrived_us` is the broker's date of it."""
        return self.handle_all([(event, arrived_us)])

    def handle_all(self, arrivals: Iterable[tuple[Event, int]]) -> list[Effect]:
        """Take events in a row: the same effects as one by one, drift told at the end."""
        effects: list[Effect] = []
        for event, arrived_us in arrivals:
            effects += self._passing.until(self._clock.arrived(arrived_us))
            effects += self._handle(event, arrived_us)
        effects += self._passing.until(self.watermark_us)  # what the last made due in the past
        effects += self._tell.flush()
        effects += self._passing.until(self.watermark_us)  # what the drift just told made due
        return effects

    def tick(self, watermark_us: int) -> list[Effect]:
        """Advance proved time; an earlier time changes nothing."""
        self._clock.advance(watermark_us)
        return self.handle_all(())

    def prove(self, bound_us: int) -> list[Effect]:
        """Whatever arrives from now on arrives at `bound_us` or later."""
        return self.tick(self._clock.proved_by(bound_us))

    def observe_lag(self, now_us: int) -> list[Effect]:
        """Say whether this shard is behind its promise at `now_us`, the broker's time."""
        if self.watermark_us < 0:
            return []
        lag = self._parts.self_watch.lag(self._clock.lag_us(now_us), now_us)
        told = list(self._tell.finding(lag))
        told += self._tell.incidents(self._incidents.heard(MONITOR_SITE, now_us))
        return told

    def deadline(self) -> int | None:
        """When the next thing happens by time alone, housekeeping included."""
        at_us = self._passing.deadline_us()
        return None if at_us == NEVER_US else at_us

    def next_due(self) -> int | None:
        """When time alone next says something of a study or an incident."""
        at_us = self._passing.due_us()
        return None if at_us == NEVER_US else at_us

    def _handle(self, event: Event, arrived_us: int) -> list[Effect]:
        effects: list[Effect] = []
        at_us, feed = to_us(event.at), _FEEDS[type(event)]
        watch, lost = self._parts.self_watch, self._parts.lost
        if self._clock.is_skewed(at_us, arrived_us):
            wild = watch.wild_stamp(event.site, feed, at_us, arrived_us)
            effects += self._tell.finding(wild)
            at_us = arrived_us  # it moves nothing, but the study behind it is real
        elif watch.skewed and (finding := watch.sane_stamp(event.site, feed, arrived_us)):
            effects += self._tell.finding(finding)
        if feed in lost.unheard:
            effects += self._tell.findings(lost.heard(feed, arrived_us))
        if event.site in self._incidents.flapping:
            calm = self._incidents.heard(event.site, self._clock.proved_by(arrived_us))
            effects += self._tell.incidents(calm)
        if isinstance(event, Command):
            effects += self._command(event, at_us)
        else:
            self._take(event, at_us, arrived_us, effects)
        return effects

    def _take(self, event: Watched, at_us: int, arrived_us: int, effects: list[Effect]) -> None:
        joined = self._parts.correlate.join(event, at_us, arrived_us, self._clock.watermark_us)
        for settlement in joined.settled:
            effects += self._tell.settled(settlement)
        if self._parts.is_observed:
            self._observed(event, joined, at_us, arrived_us, effects)

    def _observed(
        self,
        event: Watched,
        joined: Joined,
        at_us: int,
        arrived_us: int,
        effects: list[Effect],
    ) -> None:
        tell, parts, now_us = self._tell, self._parts, self._clock.watermark_us
        news = parts.firsts.of(event, joined, at_us, arrived_us, now_us)
        slices = () if news.study is None else parts.slicing.of(news.study.fields)
        for seen in parts.observe.of(event, at_us, news, slices):
            effects += tell.detected(self._detect.observe(seen))
        if takers := self._takers[type(event)]:
            known = (news.fresh, news.counts, news.study, slices)
            happened = Happened(event, at_us, arrived_us, now_us, *known)
            for stage in takers:
                if said := stage.take(happened):
                    effects += tell.said(said)

    def _command(self, command: Command, at_us: int) -> Iterator[Effect]:
        commands = self._parts.commands
        yield from self._tell.flush()  # a person speaks of what was said before
        if not commands.is_new(command):
            yield commands.again(command, at_us)
            return
        if command.names_reference:
            answer = of_series(self._detect.refer(command, at_us))
            commands.answered(command, answer)
            yield answer.reply(command, at_us)
            return
        answer = self._incidents.answer(command, at_us)
        if command.action in ROUTED and answer.accepted:
            answer = answer._replace(reason=self._parts.routing.command(command, at_us))
        series_n = self._detect.accept(command, answer.told)
        answer = answer.and_series(series_n if command.action == "rebaseline" else 0)
        for site, model, subject in accepted(command, answer.told):
            for stage in self._parts.stages:
                stage.accept(site, model, subject)
        commands.answered(command, answer)
        yield from self._tell.incidents(answer.told)
        yield answer.reply(command, at_us)

    def changes(self) -> list[state.Record]:
        """State changed since the last call, as records for the changelog."""
        return list(self._memory.changes(self.watermark_us))

    def restore(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up the records of a checkpoint, in any order; before the first event."""
        now_us = self._memory.restore(records)
        if now_us is not None:
            self._clock.advance(now_us)
        for settlement in self._parts.correlate.settlements_after(self.watermark_us):
            self._parts.proving.add(settlement)

    def series(self) -> Iterator[tuple[SeriesId, Series]]:
        """Every series by site, model and subject, to be looked at only."""
        return self._detect.series()

    def live(self) -> Counter[tuple[str, str]]:
        """How many incidents live, by kind and state."""
        return self._parts.live()

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""
        return self._parts.sizes()

    def losses(self) -> dict[str, int]:
        """What a bound or a rule has dropped, by reason, for the metrics."""
        return self._parts.losses()
