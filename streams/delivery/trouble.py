"""Receivers that cannot be told, as findings: somebody must hear of it another way."""

from schemas.fields import Severity
from schemas.incident import Incident
from streams.finding import MONITOR_SITE, Finding, Signal
from streams.notifiers._text import clean, shorten

_UPDATE_US = 300_000_000


REPAIR = "Repair the receiver: this ends when that takes something."
"""What to do about such an incident."""
NOT_SILENCED = f"It is told past the routes, so that no silence hides it: acknowledge it. {REPAIR}"
_ABOUT = "delivery."


def is_about_receiver(incident: Incident) -> bool:
    """Whether an incident is delivery's own: who obeys is not a shard, and nothing hides it."""
    return incident.site == MONITOR_SITE and (incident.subject or "").startswith(_ABOUT)


class Trouble:
    """Which receivers are known to be well. At first none is: a restart forgets trouble."""

    def __init__(self) -> None:
        self._well: set[str] = set()

    def holds(self, receiver: str, why: str, severity: Severity, now_us: int) -> Finding:
        """A notification was given up, or is told to somebody else."""
        self._well.discard(receiver)
        title = f"{_named(receiver)} cannot be told: {why}"
        return _finding("holds", receiver, title, severity, now_us)

    def over(self, receiver: str, now_us: int) -> list[Finding]:
        """It was told something; that is news once."""
        if receiver in self._well:
            return []
        self._well.add(receiver)
        title = f"{_named(receiver)} is told again"
        return [_finding("eased", receiver, title, "error", now_us)]


def _named(receiver: str) -> str:
    return f"The receiver {shorten(clean(receiver), 80)}"


def _finding(signal: Signal, receiver: str, title: str, severity: Severity, now_us: int) -> Finding:
    return Finding(
        signal=signal,
        kind="monitor_stale",
        site=MONITOR_SITE,
        subject=f"{_ABOUT}{receiver}"[:256],
        at_us=now_us,
        title=shorten(title, 200),
        severity=severity,
        update_us=_UPDATE_US,
    )
