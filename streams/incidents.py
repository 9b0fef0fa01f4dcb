"""Findings and commands become incidents: a message per transition, ids that no restart changes.

A fingerprint says what it is about, (kind, site, model, subject); an episode's id follows from the
fingerprint and the episode's number, so a replay of the same log tells the same incidents. The
state machine itself is streams/lifecycle.py; here is what surrounds it: seq, dates, evidence,
the pace of updates, and the timers of hold, acknowledgement and retention.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from heapq import heappop, heappush
from typing import cast
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from schemas.command import Command
from schemas.config import Config
from schemas.fields import Severity
from schemas.incident import Evidence, Incident, IncidentKind, IncidentState, TransitionReason
from streams.clock import NEVER_US, from_us, seconds_to_us, to_us
from streams.finding import Finding
from streams.lifecycle import LIVE, State, Trigger, step

_NAMESPACE = UUID("6b0f1c1e-5f0e-5d0a-9a53-7a4d1f6c2f11")


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

    @property
    def incident(self) -> str:
        """The id of the latest episode."""
        return str(uuid5(_NAMESPACE, f"{self.fingerprint}:{self.episode}"))

    def timers(self) -> Iterator[int]:
        """When something may happen to it by time alone, retention left out."""
        for at_us in (self.held_at_us, self.update_at_us, self.expires_us):
            if at_us is not None:
                yield at_us


class Incidents:
    """The cases of one shard."""

    def __init__(self, config: Config) -> None:
        self._closed_us = seconds_to_us(config.bounds.closed_s)
        self._cases: dict[str, Case] = {}
        self._by_incident: dict[str, str] = {}
        self._timers: list[tuple[int, str]] = []
        self._armed: set[tuple[int, str]] = set()  # the same, so that none stands there twice
        self._retires: list[tuple[int, str]] = []
        self._dirty: dict[str, None] = {}
        self.rejected: Counter[str] = Counter()

    def finding(self, finding: Finding) -> list[Incident]:
        """Take what a stage concluded."""
        fingerprint = fingerprint_of(finding.kind, finding.site, finding.model, finding.subject)
        case = self._cases.get(fingerprint)
        if case is None:
            if finding.signal != "holds":
                return []
            case = self._cases[fingerprint] = _new_case(fingerprint, finding)
        found = step(case.state, finding.signal, case.acknowledged)
        if found is None:
            return []
        if found.reason == "opened":
            self._open_episode(case, finding)
        _update_evidence(case, finding)
        if found.reason == "updated" and finding.at_us < case.told_us + case.update_us:
            case.update_at_us = case.told_us + case.update_us
            return self._keep(case)
        told = self._move(case, found.state, found.reason, finding.at_us)
        if case.held_at_us == case.at_us:  # nothing is to be waited for
            told += self._trigger(case, "held", case.at_us)
        return told

    def command(self, command: Command, at_us: int) -> list[Incident]:
        """Take what a person did; one that does not fit is counted and changes nothing."""
        trigger: Trigger = "accept" if _accepts(command) else cast(Trigger, command.action)
        told = []
        for case in self._addressed(command):
            found = step(case.state, trigger)
            stale = command.expected_seq is not None and command.expected_seq != case.seq
            if found is None or stale:
                self.rejected["stale" if stale else "no_transition"] += 1
                continue
            if trigger == "acknowledge":
                case.expires_us = None if command.until is None else to_us(command.until)
            told += self._move(case, found.state, found.reason, at_us, command)
        return told

    def tick(self, now_us: int) -> list[Incident]:
        """What time alone brings about by `now_us`: holds, updates, expiries, retention."""
        told: list[Incident] = []
        while (at_us := self.deadline()) is not None and at_us <= now_us:
            fingerprint = self._disarm()
            told += self._fire(self._cases[fingerprint], at_us)
        while self._retires and self._retires[0][0] <= now_us:
            at_us, fingerprint = heappop(self._retires)
            case = self._cases[fingerprint]
            if case.retire_us == at_us:
                case.retire_us = None
                told += self._trigger(case, "retire", at_us)
        return told

    def earliest_us(self) -> int:
        """Before this, time alone brings about nothing here: cheap, and perhaps too early."""
        timer_us = self._timers[0][0] if self._timers else NEVER_US
        return min(timer_us, self._retires[0][0]) if self._retires else timer_us

    def deadline(self) -> int | None:
        """When time alone brings about the next transition, retention left out."""
        while self._timers:
            at_us, fingerprint = self._timers[0]
            if at_us in self._cases[fingerprint].timers():
                return at_us
            self._disarm()
        return None

    def retire_at(self) -> int | None:
        """When the next resolved incident is to be closed."""
        return self._retires[0][0] if self._retires else None

    def live(self) -> list[Case]:
        """The cases that are neither resolved nor closed."""
        return [case for case in self._cases.values() if case.state in LIVE]

    def changes(self) -> Iterator[Case]:
        """Cases changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for fingerprint in dirty:
            yield self._cases[fingerprint]

    def restore(self, cases: Iterable[Case]) -> None:
        """Take up the cases of a checkpoint."""
        for case in cases:
            self._cases[case.fingerprint] = case
            self._arm(case)
            if case.retire_us is not None:
                heappush(self._retires, (case.retire_us, case.fingerprint))

    def _open_episode(self, case: Case, finding: Finding) -> None:
        if case.episode:
            case.reopen_of = case.incident
            self._by_incident.pop(case.incident, None)
        case.episode += 1
        case.seq = 0
        case.acknowledged = False
        case.retire_us = case.expires_us = None
        case.opened_us = finding.at_us if finding.since_us is None else finding.since_us
        case.last_seen_us = case.opened_us
        case.at_us = finding.at_us  # a late miss may open an episode before the end of the last

    def _fire(self, case: Case, at_us: int) -> list[Incident]:
        if case.held_at_us == at_us:
            return self._trigger(case, "held", at_us)
        if case.expires_us == at_us:
            case.expires_us, case.acknowledged = None, False
            return self._trigger(case, "expired", at_us)
        return self._move(case, cast(IncidentState, case.state), "updated", at_us)

    def _trigger(self, case: Case, trigger: Trigger, at_us: int) -> list[Incident]:
        found = step(case.state, trigger)
        return self._move(case, found.state, found.reason, at_us) if found else self._keep(case)

    def _move(
        self,
        case: Case,
        state: IncidentState,
        reason: TransitionReason,
        at_us: int,
        command: Command | None = None,
    ) -> list[Incident]:
        case.at_us = max(case.at_us, at_us)
        case.seq += 1
        case.told_us, case.update_at_us = case.at_us, None
        if case.state != state:
            self._enter(case, state)
        case.state = state
        self._keep(case)
        return [_incident(case, reason, command)]

    def _enter(self, case: Case, state: IncidentState) -> None:
        case.held_at_us = case.at_us + case.hold_us if state == "resolving" else None
        if state in ("open", "acknowledged"):
            case.acknowledged = state == "acknowledged"
        if state in ("open", "resolved"):  # while resolving it runs on: it may recur
            case.expires_us = None
        if state == "resolved":
            case.retire_us = case.at_us + self._closed_us
            heappush(self._retires, (case.retire_us, case.fingerprint))

    def _keep(self, case: Case) -> list[Incident]:
        self._dirty[case.fingerprint] = None
        self._arm(case)
        return []

    def _arm(self, case: Case) -> None:
        self._by_incident[case.incident] = case.fingerprint
        for at_us in case.timers():
            timer = (at_us, case.fingerprint)
            if timer not in self._armed:
                self._armed.add(timer)
                heappush(self._timers, timer)

    def _disarm(self) -> str:
        timer = heappop(self._timers)
        self._armed.remove(timer)
        return timer[1]

    def _addressed(self, command: Command) -> list[Case]:
        if command.incident is not None:
            fingerprint = self._by_incident.get(command.incident)
            case = self._cases.get(fingerprint or "")
            if case is None or case.incident != command.incident:
                self.rejected["unknown_incident"] += 1
                return []
            return [case]
        wanted = (command.matchers or {}).items()
        return [
            case
            for case in sorted(self.live(), key=lambda case: case.fingerprint)
            if case.site == command.site
            and all(getattr(case, name, None) == value for name, value in wanted)
        ]


def fingerprint_of(kind: str, site: str, model: str | None, subject: str | None) -> str:
    """The hex digest of what an incident is about; version, severity and values left out."""
    return sha256(msgspec.json.encode([kind, site, model, subject])).hexdigest()


def _accepts(command: Command) -> bool:
    accepted = command.action == "resolve" and command.text == "accepted"
    return accepted or command.action == "rebaseline"


def _new_case(fingerprint: str, finding: Finding) -> Case:
    return Case(
        fingerprint=fingerprint,
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


def _update_evidence(case: Case, finding: Finding) -> None:
    case.title, case.severity = finding.title, finding.severity
    case.evidence, case.model_version = finding.evidence, finding.model_version
    case.owner, case.runbook = finding.owner, finding.runbook
    case.hold_us, case.update_us = finding.hold_us, finding.update_us
    if finding.signal in ("holds", "changed"):
        case.last_seen_us = max(case.last_seen_us, finding.at_us)


def _incident(case: Case, reason: TransitionReason, command: Command | None) -> Incident:
    return Incident(
        incident=case.incident,
        seq=case.seq,
        fingerprint=case.fingerprint,
        kind=case.kind,
        state=cast(IncidentState, case.state),
        reason=reason,
        severity=case.severity,
        site=case.site,
        title=case.title,
        opened_at=from_us(case.opened_us),
        last_seen=from_us(case.last_seen_us),
        at=from_us(case.at_us),
        evidence=case.evidence,
        model=case.model,
        model_version=case.model_version,
        subject=case.subject,
        reopen_of=case.reopen_of,
        actor=command.actor if command else None,
        note=command.text if command else None,
        runbook=case.runbook,
        owner=case.owner,
    )
