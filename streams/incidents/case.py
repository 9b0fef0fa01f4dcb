"""A case: one fingerprint and its latest episode, as it is kept in the state and told on the wire.

A fingerprint says what it is about, (kind, site, model, subject); an episode's id follows from the
fingerprint and the episode's number, so a replay of the same log tells the same incidents.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import cast, get_args
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct, field

from schemas.command import Command
from schemas.fields import Severity
from schemas.incident import Evidence, Incident, IncidentKind, IncidentState, TransitionReason
from streams.clock import from_us
from streams.finding import Finding
from streams.incidents.imdrf import codes_of
from streams.incidents.lifecycle import Guard, State

_NAMESPACE = UUID("6b0f1c1e-5f0e-5d0a-9a53-7a4d1f6c2f11")
_GRAVEST_FIRST = get_args(Severity)


class Case(Struct, omit_defaults=True):
    """What is known of one fingerprint: its latest episode."""

    fingerprint: str
    kind: IncidentKind
    site: str
    title: str
    severity: Severity
    evidence: Evidence
    opened_us: int
    last_seen_us: int
    at_us: int
    told_us: int = 0
    state: State = "none"
    seq: int = 0
    episode: int = 0
    model: str | None = None
    model_version: str | None = None
    subject: str | None = None
    owner: str | None = None
    runbook: str | None = None
    hold_us: int = 0
    update_us: int = 0
    held_at_us: int | None = None
    update_at_us: int | None = None
    expires_us: int | None = None
    retire_us: int | None = None
    acknowledged: bool = False
    reopen_of: str | None = None
    pending_us: int = 0
    unopened: bool = False  # the latest episode has been pending only
    reopen_until_us: int | None = None
    reopen_count: int = 0
    milder: Severity | None = None  # what the severity falls to at `milder_at_us`
    milder_at_us: int | None = None
    eased_us: list[int] = field(default_factory=list)  # the last easings, see `Flapping`
    folded_by: str | None = None  # the fingerprint of the flapping case that is told instead
    calm_us: int | None = None  # of a flapping case: when it is over, if anything is heard then

    @property
    def incident(self) -> str:
        """The id of the latest episode."""
        return str(uuid5(_NAMESPACE, f"{self.fingerprint}:{self.episode}"))

    @property
    def readable(self) -> tuple[object, ...]:
        """What a reader is told of it beside its state and severity; dates are no news."""
        return self.title, self.evidence, self.model_version, self.owner, self.runbook

    def timers(self) -> Iterator[int]:
        """When something may happen to it by time alone, retention left out."""
        for at_us in (self.held_at_us, self.update_at_us, self.expires_us, self.milder_at_us):
            if at_us is not None:
                yield at_us

    def facts(self, finding: Finding) -> set[Guard]:
        """What is true of it when a finding comes, for the table of transitions."""
        facts: set[Guard] = set()
        if self.acknowledged:
            facts.add("acknowledged")
        if self.reopen_until_us is not None and finding.at_us <= self.reopen_until_us:
            facts.add("soon")
        if finding.pending_us > 0:
            facts.add("held down")
        return facts

    def begin(self, finding: Finding) -> None:
        """A new episode."""
        if self.episode and not self.unopened:
            self.reopen_of = self.incident
        self.episode += 1
        self.unopened = True
        self.seq = self.reopen_count = 0
        self.acknowledged = False
        self.retire_us = self.expires_us = None
        self.severity, self.milder, self.milder_at_us = finding.severity, None, None
        self.opened_us = finding.at_us if finding.since_us is None else finding.since_us
        self.last_seen_us = self.opened_us
        self.at_us = finding.at_us  # a late miss may open an episode before the end of the last

    def take(self, finding: Finding, severity_hold_us: int) -> bool:
        """Take a finding's evidence; whether it is graver than what was known."""
        self.title = finding.title
        self.evidence, self.model_version = self._decided(finding.evidence), finding.model_version
        self.owner, self.runbook = finding.owner, finding.runbook
        self.hold_us, self.update_us = finding.hold_us, finding.update_us
        self.pending_us = finding.pending_us
        if finding.signal not in ("holds", "changed"):
            return False
        self.last_seen_us = max(self.last_seen_us, finding.at_us)
        return self._weigh(finding.severity, finding.at_us + severity_hold_us)

    def _decided(self, told: Evidence) -> Evidence:
        """What decided stays told where nothing decides anew: it is merely still so, or over."""
        known = self.evidence
        if known.detector is None or told.detector not in (None, known.detector) or _decides(told):
            return told
        detector, statistic, threshold = known.detector, known.statistic, known.threshold
        return msgspec.structs.replace(
            told, detector=detector, statistic=statistic, threshold=threshold
        )

    def _weigh(self, severity: Severity, milder_at_us: int) -> bool:
        """Severity rises at once, and falls when it was at most so high for the whole hold."""
        if not _is_graver(self.severity, severity):
            graver = _is_graver(severity, self.severity)
            self.severity, self.milder, self.milder_at_us = severity, None, None
            return graver
        if self.milder is None:
            self.milder, self.milder_at_us = severity, milder_at_us
        elif _is_graver(severity, self.milder):
            self.milder = severity
        return False

    def told(
        self, reason: TransitionReason, command: Command | None, folded_into: str | None
    ) -> Incident:
        """The transition to where it is now, as a message."""
        until_us = self.expires_us if self.state == "acknowledged" else None
        return Incident(
            incident=self.incident,
            seq=self.seq,
            fingerprint=self.fingerprint,
            kind=self.kind,
            state=cast(IncidentState, self.state),
            reason=reason,
            severity=self.severity,
            site=self.site,
            title=self.title,
            opened_at=from_us(self.opened_us),
            last_seen=from_us(self.last_seen_us),
            at=from_us(self.at_us),
            evidence=self.evidence,
            model=self.model,
            model_version=self.model_version,
            subject=self.subject,
            reopen_of=self.reopen_of,
            actor=command.actor if command else None,
            note=command.text if command else None,
            runbook=self.runbook,
            owner=self.owner,
            suggested_codes=codes_of(self.kind),
            acknowledged_until=None if until_us is None else from_us(until_us),
            reopen_count=self.reopen_count,
            folded_into=folded_into,
        )


def new_case(finding: Finding) -> Case:
    """The case of a first finding; it has no episode yet."""
    return Case(
        fingerprint=fingerprint_of(finding.kind, finding.site, finding.model, finding.subject),
        kind=finding.kind,
        site=finding.site,
        title=finding.title,
        severity=finding.severity,
        evidence=finding.evidence,
        opened_us=finding.at_us,
        last_seen_us=finding.at_us,
        at_us=finding.at_us,
        model=finding.model,
        subject=finding.subject,
    )


def fingerprint_of(kind: str, site: str, model: str | None, subject: str | None) -> str:
    """The hex digest of what an incident is about; version, severity and values left out."""
    return sha256(msgspec.json.encode([kind, site, model, subject])).hexdigest()


def _decides(evidence: Evidence) -> bool:
    """Whether it has its own statistic, which reaches the threshold."""
    statistic, threshold = evidence.statistic, evidence.threshold
    return evidence.detector is not None and (
        statistic is None or threshold is None or statistic >= threshold
    )


def _is_graver(one: Severity, other: Severity) -> bool:
    return _GRAVEST_FIRST.index(one) < _GRAVEST_FIRST.index(other)
