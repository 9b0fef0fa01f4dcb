"""Incidents about receivers that cannot be told, and who is told of them. Pure.

Delivery stands behind the shards, so these incidents are its own: the same state machine, kept in
the notify-log of the partition that has found it. They are told straight to whom the routes name,
to the fallback and to the log, but never to the receiver that they are about; they go through the
outbox like everything else. docs/decisions/0015-trouble-in-delivery-is-told-by-delivery.md.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from schemas.config import Config
from schemas.incident import Incident, IncidentState
from schemas.notification import Notification, NotificationAction, NotificationReason
from schemas.routing import Recipient
from streams.case import Case
from streams.clock import to_us
from streams.finding import Finding
from streams.incidents import Incidents
from streams.routing.decide import News
from streams.routing.match import LOG, Routes
from streams.routing.notice import notice

_PREFIX = b"trouble/"
_Words = tuple[NotificationAction, NotificationReason]
_OPENS: _Words = ("open", "opened")
_WORDS: dict[IncidentState, _Words] = {
    "open": ("update", "changed"),
    "resolving": ("update", "recovering"),
    "resolved": ("resolve", "resolved"),
}


class ReceiverTrouble:
    """The incidents of one partition of the outbox about receivers."""

    def __init__(self, config: Config, partition: int) -> None:
        self._partition = partition
        self._incidents = Incidents(config)
        self._routes = Routes(config)
        self._receivers: dict[str, Recipient] = {each.name: each for each in config.receivers}

    def restore(self, log: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up what the notify-log has of it; other keys are left alone."""
        values = (value for key, value in log if is_trouble(key))
        self._incidents.restore(msgspec.json.decode(value, type=Case) for value in values)

    def about(self, receiver: str) -> Case | None:
        """The live incident about a receiver, if there is one."""
        subject = self._subject(f"delivery.{receiver}")
        live = self._incidents.live()
        return next((case for case in live if case.subject == subject), None)

    def take(self, finding: Finding) -> list[Incident | Notification]:
        """What is to be published of it: the transitions, and who is told of them."""
        receiver = (finding.subject or "").removeprefix("delivery.")
        subject = self._subject(finding.subject or "")
        # What else it is not told nobody knows; and whoever is told of it is told to the end.
        about = replace(finding, subject=subject, severity="critical")
        published: list[Incident | Notification] = []
        for incident in self._incidents.finding(about):
            published += [incident, *self._told(incident, receiver)]
        return published

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """What is to be kept in the notify-log since the last call."""
        for case in self._incidents.changes():
            yield _PREFIX + case.fingerprint.encode(), msgspec.json.encode(case)

    def _subject(self, subject: str) -> str:
        """Each partition has its own: two workers never write about the same incident."""
        return f"{subject[:240]}/{self._partition}"

    def _told(self, incident: Incident, receiver: str) -> Iterator[Notification]:
        opens = incident.reason == "opened"
        action, why = _OPENS if opens else _WORDS[incident.state]
        at_us = to_us(incident.at)
        news = News(at_us, action, why, disturb=opens)
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
