"""Why nobody is to be told of an incident at a time: the overlays, asked in one order."""

from collections.abc import Iterator

from schemas.config import Config
from streams.clock import NEVER_US
from streams.routing.follow import Followed
from streams.routing.inhibit import Inhibitors
from streams.routing.ledger import Ledger
from streams.routing.mute import Calendar, Hidden, Silences


class Suppress:
    """Maintenance, silences and inhibition of one shard."""

    def __init__(self, config: Config, ledger: Ledger, inhibitors: Inhibitors) -> None:
        self._ledger = ledger
        self._inhibitors = inhibitors
        self._calendar = Calendar(config)
        self.silences = Silences(ledger)

    def why(self, followed: Followed, at_us: int) -> Hidden | None:
        """What suppresses an incident then, and until when as far as time alone decides."""
        incident = followed.incident
        hidden = self._calendar.of(incident, at_us) or self.silences.of(incident, at_us)
        if hidden is None and (by := self._inhibitors.of(followed)) is not None:
            return Hidden("inhibited", by, NEVER_US)
        return hidden

    def hidden(self, site: str | None) -> Iterator[Followed]:
        """The live incidents that were found suppressed when last looked at; None: of all sites."""
        for followed in self._ledger.of(Followed).values():
            here = site is None or followed.incident.site == site
            if here and followed.hidden and followed.is_live:
                yield followed
