"""Whether there is news for one receiver of one incident: a pure table.

What a receiver was told last is compared with what the incident is now, so it does not matter how
many transitions lay between. After Alertmanager's `needsUpdate` (nothing told: tell what is open;
told and over: say so; unchanged: repeat after an interval), with the reasons that it does not have.
"""

from typing import NamedTuple

from msgspec import Struct

from schemas.fields import Severity
from schemas.incident import Incident, IncidentState
from schemas.notification import NotificationAction, NotificationReason
from streams.clock import NEVER_US, seconds_to_us
from streams.routing.severity import graver

OVER: frozenset[str] = frozenset({"resolved", "closed"})
_AT_ONCE_US = -NEVER_US


class Told(Struct, omit_defaults=True):
    """What one receiver was last told of one incident; `route` is the one that led there."""

    route: int
    number: int
    seq: int
    state: IncidentState
    severity: Severity
    at_us: int
    disturbed_us: int

    @property
    def is_over(self) -> bool:
        """Whether it was told the end."""
        return self.state in OVER


class News(NamedTuple):
    """What is to be told, and when: `due_us` may be long past."""

    due_us: int
    action: NotificationAction
    why: NotificationReason
    disturb: bool


def decide(
    told: Told | None, incident: Incident, interval_s: float, repeat_s: float
) -> News | None:
    """The next that a receiver is to be told if nothing else happens, or None for nothing."""
    if told is None or told.is_over:
        return _first(incident)
    if incident.state in OVER:
        return News(_AT_ONCE_US, "resolve", "resolved", False)
    news = _changed(told, incident, interval_s)
    if incident.state != "open":
        return news
    repeat_us = told.disturbed_us + seconds_to_us(repeat_s)
    if news is None or repeat_us <= news.due_us:
        return News(repeat_us, "update", "repeated", True)
    return news


def _first(incident: Incident) -> News | None:
    if incident.state not in ("open", "acknowledged"):
        return None
    return News(_AT_ONCE_US, "open", "opened", incident.state == "open")


def _changed(told: Told, incident: Incident, interval_s: float) -> News | None:
    if incident.seq == told.seq:
        return None
    if graver(incident.severity, told.severity):
        return News(_AT_ONCE_US, "update", "severity_raised", True)
    if incident.state != told.state:
        return _moved(told.state, incident.state)
    if incident.reason == "noted":
        return News(_AT_ONCE_US, "update", "noted", False)
    numbers_only = incident.reason == "updated"
    due_us = told.at_us + seconds_to_us(interval_s) if numbers_only else _AT_ONCE_US
    return News(due_us, "update", "changed", False)


def _moved(before: IncidentState, now: IncidentState) -> News:
    if now == "resolving":
        return News(_AT_ONCE_US, "update", "recovering", False)
    if before == "open":
        return News(_AT_ONCE_US, "update", "acknowledged", False)
    if before == "acknowledged":  # nobody has it any more
        return News(_AT_ONCE_US, "update", "unacknowledged", True)
    return News(_AT_ONCE_US, "update", "changed", False)  # it was recovering, and is back
