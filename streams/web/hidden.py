"""Why nobody is told of an incident now, by the rules of docs/ROUTING.md. Pure."""

from typing import NamedTuple

from schemas.config import Config
from schemas.incident import Incident
from streams.clock import NEVER_US, to_us
from streams.partitioner import partition_of
from streams.routing.follow import Followed
from streams.routing.inhibit import INHIBITORS, explains
from streams.routing.mute import Calendar, Silence
from streams.web.view_incidents import Episode


class Hidden(NamedTuple):
    """In words; `by` is the id of an incident that explains it, `until_us` the end if known."""

    words: str
    by: str | None = None
    until_us: int | None = None


class Hiding:
    """The overlays at one moment."""

    def __init__(
        self,
        config: Config,
        live: list[Episode],
        silences: list[Silence],
        now_us: int,
        partitions: int | None,
    ) -> None:
        self._calendar = Calendar(config)
        self._silences = silences
        self._now_us = now_us
        self._partitions = partitions
        self._inhibitors = [one.last for one in live if one.last.kind in INHIBITORS]

    def of(self, incident: Incident) -> Hidden | None:
        """What suppresses it; None: people are told."""
        if (window := self._calendar.of(incident, self._now_us)) is not None:
            return Hidden("planned maintenance", None, window.until_us)
        muting = [one for one in self._silences if one.mutes(incident, self._now_us)]
        if muting:
            longest = max(muting, key=lambda one: one.until_us)
            what = "maintenance" if longest.why == "maintenance" else "silenced"
            return Hidden(f"{what} by {longest.actor}", None, longest.until_us)
        for inhibitor in self._inhibitors:
            if self._explains(inhibitor, incident):
                return Hidden(f"explained by: {inhibitor.title}", inhibitor.incident)
        return None

    def _explains(self, inhibitor: Incident, incident: Incident) -> bool:
        blind = False
        if inhibitor.kind == "monitor_stale" and self._partitions is not None:
            shard = f"partition-{partition_of(incident.site, self._partitions)}"
            blind = inhibitor.subject == shard and incident.opened_at >= inhibitor.opened_at
        followed = Followed(
            incident=incident, since_us=to_us(incident.opened_at), blind=blind, due_us=NEVER_US
        )
        return explains(inhibitor, followed)
