"""The account of false alarms, from the newest state of every incident. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from schemas.config import Config
from schemas.incident import Incident
from streams.account import Spent, spent
from streams.budget import promise
from streams.incidents.lifecycle import ENDS
from streams.web.view_incidents import Episode
from streams.web.words import count


class FalseAlarms(NamedTuple):
    """What was promised, what was spent of it, and over how many days incidents are known."""

    promise: str
    spent: Spent
    per_days: float
    closed_false: int
    known_days: int | None

    @property
    def fates(self) -> str:
        """What became of those under the promise."""
        spent = self.spent
        return ", ".join(
            (
                count(spent.live, "is open", "are open"),
                count(spent.went_back, "went back by itself", "went back by themselves"),
                count(spent.by_person, "was ended by a person", "were ended by a person"),
            )
        )


def account(config: Config, episodes: list[Episode], now: datetime) -> FalseAlarms:
    """Promised and spent; docs/DETECTION.md says what exactly is promised."""
    oldest = min((one.last.opened_at for one in episodes), default=None)
    since = now - timedelta(days=config.budget.per_days)
    recent = (one for one in episodes if one.last.opened_at > since)
    return FalseAlarms(
        promise=promise(config),
        spent=spent(config, map(_as_ended, recent), now),
        per_days=config.budget.per_days,
        closed_false=sum(one.was_false for one in episodes),
        known_days=None if oldest is None else max(1, (now - oldest).days),
    )


def _as_ended(episode: Episode) -> Incident:
    """One transition that says how it ended: the closing one does not."""
    if episode.is_live:
        return episode.last
    ends = (step.reason for step in reversed(episode.steps) if step.reason in ENDS)
    return replace(episode.last, state="resolved", reason=next(ends, "recovered"))
