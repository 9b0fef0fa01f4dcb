"""Every episode with its transitions, newest state first, in bounded space. Pure."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from schemas.fields import Severity
from schemas.incident import Incident, IncidentState, TransitionReason
from streams.incidents.lifecycle import LIVE

SEVERITIES: tuple[Severity, ...] = ("critical", "error", "warning", "info")
_STATES = ("open", "pending", "acknowledged", "resolving", "resolved", "closed")
_STEPS = 200


class Step(NamedTuple):
    """One transition as the timeline tells it."""

    at: datetime
    seq: int
    state: IncidentState
    reason: TransitionReason
    severity: Severity
    actor: str | None
    note: str | None


class Episode:
    """One incident: its newest transition, all steps (the first and the last 199), who has it."""

    def __init__(self, incident: Incident) -> None:
        self.last = incident
        self.steps: list[Step] = []
        self.holder: str | None = None
        self.was_false = False  # a person closed it as a false alarm

    def take(self, incident: Incident) -> None:
        """Take its next transition."""
        self.last = incident
        if len(self.steps) >= _STEPS:
            del self.steps[1]
        self.steps.append(_step(incident))
        if incident.reason == "acknowledged":
            self.holder = incident.actor or "someone"
        elif incident.reason in ("unacknowledged", "acknowledgement_expired", "reopened"):
            self.holder = None
        if incident.reason == "resolved_by_hand":
            self.was_false = (incident.note or "").startswith(FALSE_ALARM)
        elif self.is_live:
            self.was_false = False

    @property
    def is_live(self) -> bool:
        """Whether it is neither resolved nor closed."""
        return self.last.state in LIVE

    @property
    def needs_someone(self) -> bool:
        """Whether it is open and disturbs, and nobody has it."""
        return self.last.state == "open" and self.last.severity != "info"

    @property
    def ended_at(self) -> datetime | None:
        """When it was over; None while it lives."""
        if self.is_live:
            return None
        over = (step.at for step in reversed(self.steps) if step.state == "resolved")
        return next(over, self.last.at)


FALSE_ALARM = "false alarm"


class Incidents:
    """The newest `limit` episodes; of those that are over the oldest make room."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._episodes: dict[str, Episode] = {}
        self._live: dict[str, Episode] = {}
        self._sorted: list[Episode] | None = None  # all of them, until there is another
        self.dropped: Counter[str] = Counter()

    def take(self, incident: Incident) -> bool:
        """Take a transition; False when it is no news."""
        episode = self._episodes.get(incident.incident)
        if episode is None:
            self._make_room()
            episode = self._episodes[incident.incident] = Episode(incident)
            self._sorted = None
        elif episode.last.seq >= incident.seq:
            return False
        episode.take(incident)
        if episode.is_live:
            self._live[incident.incident] = episode
        else:
            self._live.pop(incident.incident, None)
        return True

    def get(self, incident: str) -> Episode | None:
        """One of them."""
        return self._episodes.get(incident)

    def all(self) -> list[Episode]:
        """All, the newest first."""
        if self._sorted is None:
            self._sorted = sorted(
                self._episodes.values(),
                key=lambda one: (one.last.opened_at, one.last.incident),
                reverse=True,
            )
        return self._sorted

    def live(self) -> list[Episode]:
        """Those that live, the worst first."""
        return sorted(self._live.values(), key=rank)

    def of(self, fingerprint: str) -> Iterator[Episode]:
        """The episodes of the same trouble."""
        return (one for one in self.all() if one.last.fingerprint == fingerprint)

    def __len__(self) -> int:
        return len(self._episodes)

    def _make_room(self) -> None:
        if len(self._episodes) < self._limit:
            return
        over = (key for key in self._episodes if key not in self._live)
        gone = next(over, next(iter(self._episodes)))
        del self._episodes[gone]
        self._live.pop(gone, None)
        self.dropped["incidents"] += 1


def rank(episode: Episode) -> tuple[bool, int, int, datetime, str]:
    """Worst first: what nobody has, the graver, the older."""
    last = episode.last
    state, severity = _STATES.index(last.state), SEVERITIES.index(last.severity)
    return not episode.needs_someone, severity, state, last.opened_at, last.incident


def _step(incident: Incident) -> Step:
    return Step(
        incident.at,
        incident.seq,
        incident.state,
        incident.reason,
        incident.severity,
        incident.actor,
        incident.note,
    )
