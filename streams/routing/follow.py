"""An incident as routing sees it: its newest state, and who was told what."""

from collections.abc import Callable

from msgspec import Struct, field

from schemas.incident import Incident
from streams.routing.decide import OVER, Told
from streams.routing.ledger import Key, Record


class Membership(Struct, omit_defaults=True):
    """A receiver hears of an incident in a digest; `urgent`: it was critical, now or before."""

    digest: str
    route: int
    urgent: bool = False


class Followed(Record, kw_only=True, omit_defaults=True):
    """One episode. Receivers are those who were told of it, singly or in a digest."""

    incident: Incident
    since_us: int
    """When it opened; or, if nobody had been told by then, when it was last no longer hidden."""
    hidden: bool = False
    blind: bool = False
    """It opened while the monitor was stale."""
    waits: dict[int, Key] = field(default_factory=dict)
    """By route, the group in which it waits to be told."""
    told: dict[str, Told] = field(default_factory=dict)
    digests: dict[str, Membership] = field(default_factory=dict)
    escalated: list[str] = field(default_factory=list)
    """The receivers to whom it was escalated since it opened."""

    @property
    def key(self) -> Key:
        """The incident's id."""
        return (self.incident.incident,)

    @property
    def is_live(self) -> bool:
        """Whether it has opened and is not over."""
        return self.incident.state not in OVER and self.incident.state != "pending"

    @property
    def is_heard(self) -> bool:
        """Whether anybody has been told of it and not yet of its end."""
        return any(map(self.hears, (*self.told, *self.digests)))

    def hears(self, receiver: str) -> bool:
        """Whether a receiver has been told of it, singly or in a digest, and not yet of its end."""
        return receiver in self.digests or self.is_told(receiver)

    def is_told(self, receiver: str) -> bool:
        """Whether a receiver has been told of it singly, and not yet of its end."""
        told = self.told.get(receiver)
        return told is not None and not told.is_over

    def forget(self, is_known: Callable[[str], bool]) -> bool:
        """Forget receivers that are not known; whether there were any."""
        gone = [each for each in (*self.told, *self.digests) if not is_known(each)]
        for receiver in gone:
            self.told.pop(receiver, None)
            self.digests.pop(receiver, None)
        return bool(gone)
