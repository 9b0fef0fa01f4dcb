"""What the parts of a shard conclude, handed to where it belongs, until it is to be published.

Observations go to the detectors, findings to the incidents, incidents to the routing; and who began
an episode is told when a person or time has ended its incident.
"""

from collections.abc import Iterable, Iterator
from typing import assert_never

from schemas.incident import Incident
from schemas.messages import Effect
from schemas.outcome import Outcome
from schemas.series import SeriesPoint
from streams.clock import from_us, to_us
from streams.finding import Finding
from streams.incidents.lifecycle import ENDS
from streams.observations.observe import Complete, Look, Missed, Observations
from streams.outcomes.study_record import Settlement
from streams.parts import Parts
from streams.stage import NewEpoch, Said


class Telling:
    """From what was concluded to the effects of one shard."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._detect = parts.detect
        self._incidents = parts.incidents

    def said(self, said: Iterable[Said]) -> Iterator[Effect]:
        """What a stage said."""
        for what in said:
            match what:
                case Finding():
                    yield from self.finding(what)
                case Observations():
                    yield from self.detected(self._detect.observe(what))
                    if self._parts.subgroups is not None:
                        yield from self.findings(self._parts.subgroups.observe(what))
                case Missed():
                    if self._parts.subgroups is not None:
                        yield from self.findings(self._parts.subgroups.compare(what))
                case Look():
                    yield from self.detected(self._detect.look(what))
                case Complete():
                    yield from self.detected(self._detect.complete(what))
                case NewEpoch():
                    yield from self._new_epoch(what)
                case _:
                    assert_never(what)

    def _new_epoch(self, epoch: NewEpoch) -> Iterator[Effect]:
        yield from self.flush()
        self._detect.accept_model(epoch.site, epoch.model)
        for stage in self._parts.stages:
            yield from self.said(stage.begin_anew(epoch.site, epoch.model))

    def flush(self) -> Iterator[Effect]:
        """What the observations mean that wait for the detectors."""
        yield from self.detected(self._detect.flush())

    def detected(self, said: Iterable[Finding | SeriesPoint]) -> Iterator[Effect]:
        """What the detectors said."""
        readout = self._parts.readout
        for what in said:
            if isinstance(what, SeriesPoint):
                yield what
            else:
                yield from self.finding(what if readout is None else readout.explained(what))

    def settled(self, settlement: Settlement) -> list[Effect]:
        """An outcome is told at once; what follows from it, when proved time reaches it."""
        outcome = Outcome(
            site=settlement.site,
            study=settlement.study,
            model=settlement.model,
            outcome=settlement.outcome,
            due=from_us(settlement.due_us),
            at=from_us(settlement.at_us),
            revision=settlement.revision,
        )
        if settlement.at_us <= self._parts.clock.watermark_us:
            return [outcome, *self.proved(settlement)]
        self._parts.proving.add(settlement)
        return [outcome]

    def proved(self, settlement: Settlement) -> Iterator[Effect]:
        """Proved time has reached an outcome."""
        yield from self.findings(self.follows_from(settlement))

    def follows_from(self, settlement: Settlement) -> list[Finding]:
        """What an outcome that proved time has reached says of its model; mostly nothing."""
        return self._parts.outages.settled(settlement, self._oldest_waiting_us)

    def _oldest_waiting_us(self, site: str, model: str) -> int:
        """When the oldest study started that waits for the model, as far as time is proved."""
        oldest_us = self._parts.correlate.oldest_waiting_us(site, model)
        unproved_us = self._parts.proving.oldest_us(site, model)
        return unproved_us if oldest_us is None else min(oldest_us, unproved_us)

    def findings(self, findings: Iterable[Finding]) -> Iterator[Effect]:
        """What was found, in order."""
        for finding in findings:
            yield from self.finding(finding)

    def finding(self, finding: Finding) -> Iterator[Effect]:
        """What was found."""
        yield from self.incidents(self._incidents.finding(finding))

    def incidents(self, incidents: Iterable[Incident]) -> Iterator[Effect]:
        """What became of incidents, in order."""
        for incident in incidents:
            yield incident
            yield from self._parts.routing.incident(incident, to_us(incident.at))
            if incident.reason in ENDS:
                self._ended(incident)

    def _ended(self, incident: Incident) -> None:
        """What comes next is a new episode."""
        self._parts.outages.over(incident.kind, incident.site, incident.model)
        self._parts.self_watch.over(incident.kind, incident.site, incident.subject)
        for stage in self._parts.stages:
            stage.over(incident)
