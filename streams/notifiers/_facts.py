"""What may leave: the allow-list, as structs without a field for anything else.

Renderers get these and never the incident, so nobody can tell what is not here: no study, no
evidence but the counts and the means, no note, no person. Times are floored to five minutes, what
rests on fewer than five studies is told as "<5", and a mean of so few is not told at all.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import get_args
from urllib.parse import quote, urlsplit

from msgspec import Struct

from schemas.fields import Severity
from schemas.incident import Evidence, Incident
from schemas.notification import Notification
from streams.clock import from_us, to_us
from streams.notifiers._text import clean

FEW = 5
LONGEST_LINK = 1_000
_FLOOR_US = 300_000_000
_SMALL = re.compile(r"\b[1-4] stud(?:y|ies)\b")
SEVERITIES: tuple[str, ...] = get_args(Severity)  # the worst first


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One incident, as it may be told outside."""

    incident: str
    seq: int
    kind: str
    state: str
    severity: str
    site: str
    title: str
    since: str
    model: str = ""
    model_version: str = ""
    subject: str = ""
    affected: str = ""
    before: float | None = None
    after: float | None = None
    owner: str = ""
    runbook: str = ""
    link: str = ""


class Telling(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One notification, as it may be told outside."""

    notification: str
    key: str
    number: int
    action: str
    why: str
    site: str
    at: str
    incidents: Sequence[Facts]
    disturb: bool = False
    more_n: int = 0

    @property
    def severity(self) -> str:
        """The worst among its incidents that are not over; of all, if all are."""
        live = [facts for facts in self.incidents if not is_over(facts)]
        return min((facts.severity for facts in live or self.incidents), key=SEVERITIES.index)

    @property
    def alone(self) -> Facts | None:
        """The one incident that it is about, if it is one."""
        return self.incidents[0] if len(self.incidents) == 1 and not self.more_n else None


def telling(notification: Notification, page: str = "") -> Telling:
    """What may be told of a notification; `page` is the live page's address, for links."""
    return Telling(
        notification=notification.notification,
        key=notification.key,
        number=notification.number,
        action=notification.action,
        why=notification.why,
        site=notification.site,
        at=floored(notification.at),
        disturb=notification.disturb,
        incidents=[facts(incident, page) for incident in notification.incidents],
        more_n=notification.more_n,
    )


def notice(told: Telling) -> dict[str, object]:
    """The payload for machines, in the form of Standard Webhooks."""
    return {"type": "radvigil.notice.v1", "timestamp": told.at, "data": told}


def facts(incident: Incident, page: str = "") -> Facts:
    """What may be told of an incident."""
    evidence = incident.evidence
    return Facts(
        incident=incident.incident,
        seq=incident.seq,
        kind=incident.kind,
        state=incident.state,
        severity=incident.severity,
        site=incident.site,
        title=_SMALL.sub("<5 studies", clean(incident.title)),
        since=floored(incident.opened_at),
        model=clean(incident.model or ""),
        model_version=clean(incident.model_version or ""),
        subject=clean(incident.subject or ""),
        affected=_affected(evidence),
        before=_mean(evidence.before, evidence.reference_n),
        after=_mean(evidence.after, evidence.current_n),
        owner=clean(incident.owner or ""),
        runbook=clean(incident.runbook or ""),
        link=f"{page.rstrip('/')}/incidents/{quote(incident.incident, safe='')}" if page else "",
    )


def is_over(facts: Facts) -> bool:
    """Whether an incident has ended."""
    return facts.state in ("resolved", "closed")


def floored(moment: datetime) -> str:
    """The last full five minutes, RFC 3339.

    >>> from datetime import UTC
    >>> floored(datetime(2026, 1, 5, 8, 14, 59, tzinfo=UTC))
    '2026-01-05T08:10:00Z'
    """
    us = to_us(moment)
    return from_us(us - us % _FLOOR_US).isoformat().replace("+00:00", "Z")


def is_link(address: str) -> bool:
    """Whether a text may stand where providers want a web address.

    >>> is_link("https://wiki/runbook"), is_link("javascript:alert(1)"), is_link("ask Anna")
    (True, False, False)
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    plain = address.isascii() and address.isprintable() and not set(address) & set(' "<>\\^`{|}')
    whole = parts.scheme in ("http", "https") and bool(host)
    return whole and plain and len(address) <= LONGEST_LINK


def _affected(evidence: Evidence) -> str:
    n = evidence.affected_count
    return "" if not n else f"<{FEW}" if n < FEW else str(n)


def _mean(mean: float | None, n: int | None) -> float | None:
    return None if n is not None and n < FEW else mean
