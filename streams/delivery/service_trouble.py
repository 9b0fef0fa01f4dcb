"""Incidents about receivers that cannot be told, and who is told of them. Pure.

Delivery stands behind the shards, so these incidents are its own: the same state machine, kept in
the notify-log of the partition that has found it. They are told straight to whom the routes name,
to the fallback and to the log, but never to the receiver that they are about; they go through the
outbox like everything else. docs/decisions/0015-trouble-in-delivery-is-told-by-delivery.md.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Incident, IncidentState, TransitionReason
from schemas.notification import Notification, NotificationAction, NotificationReason
from schemas.reply import Reply
from schemas.routing import Recipient
from streams.clock import to_us
from streams.finding import Finding
from streams.incidents.case import Case
from streams.incidents.commands import ROUTED, Commands, Taken, matches
from streams.incidents.stage import Incidents
from streams.routing.decide import News
from streams.routing.match import LOG, Routes
from streams.routing.notice import notice

_PREFIX = b"trouble/"
_TAKEN = _PREFIX + b"commands"
POSITION = _PREFIX + b"position"
"""Key of the offset from which commands are to be read, as decimal digits."""
Published = list[Incident | Notification]
_Words = tuple[NotificationAction, NotificationReason, bool]
_OF_REASON: dict[TransitionReason, _Words] = {
    "opened": ("open", "opened", True),
    "reopened": ("open", "opened", True),
    "acknowledged": ("update", "acknowledged", False),
    "unacknowledged": ("update", "unacknowledged", True),
    "acknowledgement_expired": ("update", "unacknowledged", True),
    "noted": ("update", "noted", False),
}
_OF_STATE: dict[IncidentState, _Words] = {
    "open": ("update", "changed", False),
    "acknowledged": ("update", "changed", False),
    "resolving": ("update", "recovering", False),
    "resolved": ("resolve", "resolved", False),
}


class ReceiverTrouble:
    """The incidents of one partition of the outbox about receivers."""

    def __init__(self, config: Config, partition: int) -> None:
        self._partition = partition
        self._incidents = Incidents(config)
        self._commands = Commands()
        self._routes = Routes(config)
        self._receivers: dict[str, Recipient] = {each.name: each for each in config.receivers}

    def restore(self, log: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up what the notify-log has of it; other keys are left alone."""
        kept = {key: value for key, value in log if is_trouble(key)}
        kept.pop(POSITION, None)
        if (taken := kept.pop(_TAKEN, None)) is not None:
            self._commands.restore([msgspec.json.decode(taken, type=Taken)])
        self._incidents.restore(msgspec.json.decode(value, type=Case) for value in kept.values())

    def about(self, receiver: str) -> Case | None:
        """The live incident about a receiver, if there is one."""
        subject = self._subject(f"delivery.{receiver}")
        live = self._incidents.live()
        return next((case for case in live if case.subject == subject), None)

    def take(self, finding: Finding) -> Published:
        """What is to be published of it: the transitions, and who is told of them."""
        subject = self._subject(finding.subject or "")
        # What else it is not told nobody knows; and whoever is told of it is told to the end.
        about = replace(finding, subject=subject, severity="critical")
        return self._published(self._incidents.finding(about))

    def obey(self, command: Command, at_us: int) -> tuple[Published, Reply | None]:
        """What a person did; no reply where it is about none of these, or is routing's to do.

        The shards reply to every command about the monitor, and know none of these.
        """
        live = self._incidents.live()
        named = any(case.incident == command.incident for case in live)
        matched = command.incident is None and any(matches(command, case) for case in live)
        if command.action in ROUTED or not (named or matched):
            return [], None
        if not self._commands.is_new(command):
            return [], self._commands.again(command, at_us)
        answer = self._incidents.answer(command, at_us)
        self._commands.answered(command, answer)
        return self._published(answer.told), answer.reply(command, at_us)

    def tick(self, now_us: int) -> Published:
        """What time alone brings about: that an acknowledgement expires, that it is forgotten."""
        if self._incidents.earliest_us() > now_us:
            return []
        return self._published(self._incidents.tick(now_us))

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """What is to be kept in the notify-log since the last call."""
        for case in self._incidents.changes():
            yield _PREFIX + case.fingerprint.encode(), msgspec.json.encode(case)
        for taken in self._commands.changes():
            yield _TAKEN, msgspec.json.encode(taken)

    def _subject(self, subject: str) -> str:
        """Each partition has its own: two workers never write about the same incident."""
        return f"{subject[:240]}/{self._partition}"

    def _published(self, incidents: Iterable[Incident]) -> Published:
        published: Published = []
        for incident in incidents:
            published += [incident, *self._told(incident)]
        return published

    def _told(self, incident: Incident) -> Iterator[Notification]:
        words = _OF_REASON.get(incident.reason) or _OF_STATE.get(incident.state)
        if words is None:
            return
        receiver = (incident.subject or "").removeprefix("delivery.").rpartition("/")[0]
        at_us = to_us(incident.at)
        news = News(at_us, *words)
        for name in self._hearers(incident, receiver):
            yield notice(name, incident.incident, incident.seq, news, [incident], at_us)

    def _hearers(self, incident: Incident, receiver: str) -> list[str]:
        """Whom the routes name, the fallback, and the log."""
        troubled = self._receivers.get(receiver)
        fallback = troubled.fallback if troubled is not None else None
        named = [target.receiver for target in self._routes.targets(incident)]
        everybody = dict.fromkeys([*named, *([fallback] if fallback else []), LOG])
        return [name for name in everybody if name != receiver]


def is_trouble(key: bytes) -> bool:
    """Whether a record of the notify-log is one of these."""
    return key.startswith(_PREFIX)
