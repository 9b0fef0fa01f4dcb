"""Findings and commands become incidents: a message per transition, ids that no restart changes.

The state machine itself is streams/incidents/lifecycle.py, what is known of a case
streams/incidents/case.py; here is what moves it: seq, dates, the pace of updates, holds, expiries,
the reopen window and retention.
"""

from collections.abc import Container, Iterable, Iterator

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Incident
from schemas.reply import ReplyReason
from streams.clock import NEVER_US, seconds_to_us, to_us
from streams.finding import Finding
from streams.incidents.case import Case, fingerprint_of, new_case
from streams.incidents.commands import ROUTED, Answer, matches, trigger_of, verdict
from streams.incidents.flapping import Flapping, unfold
from streams.incidents.lifecycle import BEGINS, LIVE, TRUE, State, Transition, Trigger, step
from streams.incidents.timers import Retention, Timers

__all__ = ["Case", "Incidents", "fingerprint_of"]


class Incidents:
    """The cases of one shard."""

    def __init__(self, config: Config) -> None:
        settings = config.incidents
        self._closed_us = seconds_to_us(config.bounds.closed_s)
        self._reopen_us = seconds_to_us(settings.reopen_s)
        self._acknowledged_us = seconds_to_us(settings.acknowledged_s)
        self._severity_hold_us = seconds_to_us(settings.severity_hold_s)
        self._flapping = Flapping(settings)
        self.flapping: Container[str] = self._flapping.live  # sites, asked of for each event
        self._cases: dict[str, Case] = {}
        self._by_incident: dict[str, str] = {}
        self._timers = Timers()
        self._retention = Retention()
        self._dirty: dict[str, None] = {}

    def finding(self, finding: Finding) -> list[Incident]:
        """Take what a stage concluded."""
        fingerprint = fingerprint_of(finding.kind, finding.site, finding.model, finding.subject)
        case = self._cases.get(fingerprint)
        if case is None:
            if finding.signal != "holds":
                return []
            case = self._cases[fingerprint] = new_case(finding)
        found = step(case.state, finding.signal, case.facts(finding))
        if found is None:
            return []
        if found.reason in BEGINS:
            self._by_incident.pop(case.incident, None)
            case.begin(finding)
            self._by_incident[case.incident] = fingerprint
        known = case.readable
        graver = case.take(finding, self._severity_hold_us)
        if found.reason == "updated":
            if graver:
                found = step(case.state, "graver") or found
            elif case.update_at_us is None and case.readable == known:
                return self._keep(case)  # it is still so: nothing that anybody would read
            elif finding.at_us < case.told_us + case.update_us:
                case.update_at_us = case.told_us + case.update_us
                return self._keep(case)
        return self._move(case, found, finding.at_us)

    def answer(self, command: Command, at_us: int) -> Answer:
        """Take what a person did; one that does not fit changes nothing.

        Of a command that routing carries out (`ROUTED`) it is only told what it aims at here.
        """
        cases = self._addressed(command)
        obeyed = [self._obey(case, command, at_us) for case in cases]
        return verdict(command, cases, obeyed)

    def heard(self, site: str, now_us: int) -> list[Incident]:
        """Something was heard of a site, and `now_us` is proved: what has been calm is told so."""
        told: list[Incident] = []
        for fingerprint in sorted(self._flapping.live.get(site, ())):
            case = self._cases[fingerprint]
            if case.calm_us is not None and case.calm_us <= now_us:
                told += self._trigger(case, "eased", case.calm_us)
        return told

    def tick(self, now_us: int) -> list[Incident]:
        """What time alone brings about by `now_us`: holds, updates, expiries, retention."""
        told: list[Incident] = []
        while (at_us := self.deadline()) is not None and at_us <= now_us:
            _, fingerprint = self._timers.pop()
            told += self._fire(self._cases[fingerprint], at_us)
        while self._retention.earliest_us <= now_us:
            at_us, fingerprint = self._retention.pop()
            case = self._cases[fingerprint]
            if case.retire_us == at_us:
                case.retire_us = None
                told += self._trigger(case, "retire", at_us)
            elif case.retire_us is not None:  # it was resolved anew meanwhile
                self._retention.set(case.retire_us, fingerprint)
        return told

    def earliest_us(self) -> int:
        """Before this, time alone brings about nothing here: cheap, and perhaps too early."""
        timer_us, retire_us = self._timers.earliest_us, self._retention.earliest_us
        return timer_us if timer_us < retire_us else retire_us

    def deadline(self) -> int | None:
        """When time alone brings about the next transition, retention left out."""
        while (timer := self._timers.next()) is not None:
            at_us, fingerprint = timer
            if at_us in self._cases[fingerprint].timers():
                return at_us
            self._timers.pop()
        return None

    def retire_at(self) -> int | None:
        """When the next resolved incident is to be closed, perhaps too early."""
        at_us = self._retention.earliest_us
        return None if at_us == NEVER_US else at_us

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
            self._by_incident[case.incident] = case.fingerprint
            self._arm(case)
            if case.retire_us is not None:
                self._retention.set(case.retire_us, case.fingerprint)
            if case.kind == "flapping":
                self._flapping.follow(case)

    def _fire(self, case: Case, at_us: int) -> list[Incident]:
        if case.held_at_us == at_us:
            return self._trigger(case, "held", at_us)
        if case.expires_us == at_us:
            case.expires_us, case.acknowledged = None, False
            return self._trigger(case, "expired", at_us)
        if case.milder_at_us == at_us and case.milder is not None:
            case.severity, case.milder, case.milder_at_us = case.milder, None, None
            return self._trigger(case, "milder", at_us)
        return self._trigger(case, "holds", at_us)  # an update that had to wait

    def _trigger(self, case: Case, trigger: Trigger, at_us: int) -> list[Incident]:
        found = step(case.state, trigger)
        return self._move(case, found, at_us) if found else self._keep(case)

    def _move(
        self, case: Case, found: Transition, at_us: int, command: Command | None = None
    ) -> list[Incident]:
        before = case.state
        case.at_us = max(case.at_us, at_us)
        case.seq += 1
        case.told_us, case.update_at_us = case.at_us, None
        case.state = found.state
        if before != found.state:
            self._enter(case, found)
        folded = self._fold(case, before)
        self._keep(case)
        told = [case.told(found.reason, command, self._folded_into(case)), *folded]
        if before != found.state and case.held_at_us == case.at_us:  # nothing is to be waited for
            told += self._trigger(case, "held", case.at_us)
        return told

    def _enter(self, case: Case, found: Transition) -> None:
        hold_us = {"pending": case.pending_us, "resolving": case.hold_us}.get(found.state)
        case.held_at_us = None if hold_us is None else case.at_us + hold_us
        if found.state in TRUE:
            case.acknowledged = found.state == "acknowledged"
            case.unopened, case.retire_us = False, None
        elif found.state != "pending":
            case.milder = case.milder_at_us = None
        if found.state in ("open", "resolved"):  # while resolving it runs on: it may recur
            case.expires_us = None
        if found.reason == "reopened":
            case.reopen_count += 1
        if found.state == "resolved":
            can_reopen = self._reopen_us > 0 and found.reason != "accepted"
            case.reopen_until_us = case.at_us + self._reopen_us if can_reopen else None
            case.retire_us = case.at_us + self._closed_us
            self._retention.set(case.retire_us, case.fingerprint)

    def _fold(self, case: Case, before: State) -> list[Incident]:
        """What a transition means for what flaps."""
        told: list[Incident] = []
        if case.kind == "flapping":
            if not self._flapping.follow(case):
                for unfolded in unfold(case, self._cases.values()):
                    self._keep(unfolded)
        elif self._flapping.turned(case, before):
            folded_by = case.folded_by
            if (finding := self._flapping.finding(case)) is not None:
                told = self.finding(finding)
                folded_by = fingerprint_of("flapping", case.site, case.model, finding.subject)
            if folded_by is not None:
                self._flapping.fold(case, self._cases[folded_by])
                self._keep(self._cases[folded_by])
        return told

    def _folded_into(self, case: Case) -> str | None:
        return None if case.folded_by is None else self._cases[case.folded_by].incident

    def _keep(self, case: Case) -> list[Incident]:
        self._dirty[case.fingerprint] = None
        self._arm(case)
        return []

    def _arm(self, case: Case) -> None:
        for at_us in case.timers():
            self._timers.set(at_us, case.fingerprint)

    def _obey(self, case: Case, command: Command, at_us: int) -> list[Incident] | ReplyReason:
        """The transitions of one case, or why there are none."""
        if command.expected_seq not in (None, case.seq):
            return "stale_seq"
        if command.action in ROUTED:
            return []
        found = step(case.state, trigger_of(command))
        if found is None:
            return "no_transition"
        if found.reason == "acknowledged":
            until = command.until
            expires_us = at_us + self._acknowledged_us if until is None else to_us(until)
            if expires_us <= at_us:
                return "too_late"
            case.expires_us = expires_us
        return self._move(case, found, at_us, command)

    def _addressed(self, command: Command) -> list[Case]:
        """The case that a command names, or the live ones that it matches, of its own site."""
        if command.incident is None:
            live = sorted(self.live(), key=lambda case: case.fingerprint)
            return [case for case in live if matches(command, case)]
        case = self._cases.get(self._by_incident.get(command.incident, ""))
        is_it = case is not None and (case.site, case.incident) == (command.site, command.incident)
        return [case] if case is not None and is_it else []
