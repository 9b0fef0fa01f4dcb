"""Routing: incidents, commands and proved time go in, notifications come out.

Sans-IO and in event time: each notification is dated by when it became due, so a replay of the
same log tells the same. Whether anybody is to be told is asked anew each time: suppression is no
state of an incident, and what is still open when it ends is told then.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import ClassVar

from msgspec import Struct

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Incident
from schemas.notification import Notification, NotificationReason
from streams.clock import NEVER_US, seconds_to_us, to_us
from streams.routing.decide import OVER
from streams.routing.digest import Digest, Digests
from streams.routing.follow import Followed
from streams.routing.group import Group, Groups
from streams.routing.inhibit import Inhibitors
from streams.routing.ledger import Key, Ledger, Record
from streams.routing.match import Routes
from streams.routing.mute import Answer, Hidden, Silence
from streams.routing.storm import Storm, Storms
from streams.routing.suppress import Suppress
from streams.routing.tell import Tell

KINDS: dict[str, type[Record]] = {
    "followed/1": Followed,
    "group/1": Group,
    "silence/1": Silence,
    "digest/1": Digest,
    "storm/1": Storm,
}
_PER_SITE = 5_000


class Routing:
    """Who is told what of the incidents of one shard."""

    kinds: ClassVar[dict[str, type[Record]]] = KINDS

    def __init__(self, config: Config) -> None:
        self._ledger = Ledger(KINDS)
        self._routes = Routes(config)
        self._groups = Groups(self._ledger, self._routes)
        self._digests = Digests(self._ledger, self._routes)
        self._inhibitors = Inhibitors()
        self._suppress = Suppress(config, self._ledger, self._inhibitors)
        storms = Storms(self._ledger, self._routes)
        self._tell = Tell(self._routes, storms, self._digests)
        self._kept_us = seconds_to_us(config.bounds.closed_s)
        self._now_us = -NEVER_US
        self.dropped: Counter[str] = Counter()

    def incident(self, incident: Incident, at_us: int) -> list[Notification]:
        """Take a transition, `at_us` its own date; what is to be told at once.

        One that was taken before, or an older one, changes nothing.
        """
        self._now_us = max(self._now_us, at_us)
        followed = self._follow(incident, at_us)
        if followed is None:
            return []
        if self._inhibitors.take(incident, followed.is_live):
            everywhere = incident.kind == "monitor_stale"
            self._ask_again(None if everywhere else incident.site, at_us)
        told = list(self._look(followed, at_us))
        self._digests.touch(followed, at_us)
        return told

    def command(self, command: Command, at_us: int) -> Answer:
        """Take a silence, unsilence or maintain; what it brings to light is told by `tick`."""
        self._now_us = max(self._now_us, at_us)
        if command.action != "unsilence":
            return self._suppress.silences.begin(command, at_us)
        answer = self._suppress.silences.end(command, at_us)
        if answer == "ok":
            self._ask_again(command.site, at_us)
        return answer

    def tick(self, now_us: int) -> list[Notification]:
        """What became due by `now_us`, proved time, in the order in which it did."""
        self._now_us = max(self._now_us, now_us)
        told: list[Notification] = []
        while (due := self._ledger.next_due(now_us)) is not None:
            told += self._due(*due)
        return told

    def earliest_us(self) -> int:
        """When time alone next matters here, perhaps too early; NEVER_US for never."""
        return self._ledger.earliest_us()

    def suppressed(self) -> Iterator[tuple[str, Hidden]]:
        """The live incidents of which nobody, or somebody only in a digest, is told, and why."""
        for followed in self._ledger.of(Followed).values():
            if not followed.is_live:
                continue
            if (hidden := self._suppress.why(followed, self._now_us)) is not None:
                yield followed.incident.incident, hidden
            for receiver, membership in followed.digests.items():
                if receiver not in followed.told:
                    yield followed.incident.incident, Hidden("storm", membership.digest, NEVER_US)

    def silences(self) -> Iterable[Silence]:
        """The silences in force, and those that have ended within five days."""
        return self._suppress.silences.known()

    def changes(self) -> Iterator[tuple[str, Key, Struct | None]]:
        """Records changed since the last call: kind, key, and None for a tombstone."""
        return self._ledger.changes()

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint, in any order; before the first incident.

        The configuration may have changed since: who is no longer in it is forgotten.
        """
        self._ledger.restore(records)
        followed = self._ledger.of(Followed).values()
        for each in followed:
            if each.forget(self._routes.knows):
                each.due_us = to_us(each.incident.at)
                self._ledger.keep(each)
        self._groups.restore(followed)
        self._digests.restore(followed)
        for each in followed:
            self._inhibitors.take(each.incident, each.is_live)

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""
        return {
            "incidents_followed": len(self._ledger.of(Followed)),
            "silences": len(self._ledger.of(Silence)),
            "digests": len(self._ledger.of(Digest)),
        }

    def _follow(self, incident: Incident, at_us: int) -> Followed | None:
        followed = self._ledger.of(Followed).get((incident.incident,))
        if followed is None:
            if (
                incident.state in OVER
                or incident.state == "pending"
                or not self._has_room(incident)
            ):
                return None
            return Followed(incident=incident, since_us=at_us, blind=self._inhibitors.blind)
        if incident.seq <= followed.incident.seq:
            return None
        was_live, followed.incident = followed.is_live, incident
        if followed.is_live and not was_live:
            followed.since_us, followed.blind = at_us, self._inhibitors.blind
            followed.escalated = []
        return followed

    def _has_room(self, incident: Incident) -> bool:
        """Room for one more of its site; what was over first makes it."""
        followed = self._ledger.of(Followed).values()
        if len(followed) < _PER_SITE:
            return True
        there = [each for each in followed if each.incident.site == incident.site]
        if len(there) < _PER_SITE:
            return True
        over = [each for each in there if not each.is_live and not each.is_heard]
        self.dropped["followed"] += 1
        if over:
            self._ledger.drop(min(over, key=lambda each: (each.incident.at, each.key)))
        return bool(over)

    def _ask_again(self, site: str | None, at_us: int) -> None:
        """What may have been suppressed until then is looked at."""
        for followed in self._suppress.hidden(site):
            followed.due_us = min(followed.due_us, at_us)
            self._ledger.keep(followed)

    def _due(self, due_us: int, record: Record) -> Iterator[Notification]:
        match record:
            case Followed() if record.is_live:
                yield from self._look(record, due_us)
            case Group():
                yield from self._together(record, due_us)
            case Digest():
                yield from self._digest(record, due_us)
            case _:  # it has been kept for as long as it is
                self._ledger.drop(record)

    def _look(self, followed: Followed, at_us: int) -> Iterator[Notification]:
        """Tell what is due of one incident, and note when to look again."""
        if followed.incident.state in OVER:
            self._groups.leave(followed)
            yield from self._tell.the_end(followed, at_us)
        elif followed.is_live and not self._is_hidden(followed, at_us):
            is_critical = followed.incident.severity == "critical"
            for route in {target.route: None for target in self._tell.untold(followed)}:
                group = self._groups.join(followed, route, at_us)
                if is_critical:
                    yield from self._together(group, at_us)
            yield from self._tell.news(followed, at_us)
            yield from self._tell.escalations(followed, at_us)
        self._keep(followed, at_us)

    def _together(self, group: Group, at_us: int) -> Iterator[Notification]:
        """Tell of all that waits in a group and nothing suppresses."""
        told = False
        why: NotificationReason = "opened" if group.told_us is None else "joined"
        for followed in self._groups.take(group):
            if not self._is_hidden(followed, at_us):
                for target in list(self._tell.untold(followed)):
                    if target.route == group.route:
                        told = True
                        yield from self._tell.first(followed, target, why, at_us)
                    elif target.route not in followed.waits:  # the routes have changed since
                        self._groups.join(followed, target.route, at_us)
            self._keep(followed, at_us)
        self._groups.was_told(group, at_us, told)

    def _digest(self, digest: Digest, at_us: int) -> Iterator[Notification]:
        why = self._suppress.why
        told, left = self._digests.tell(digest, lambda each: bool(why(each, at_us)), at_us)
        yield from told
        for followed in left:
            self._keep(followed, at_us)

    def _is_hidden(self, followed: Followed, at_us: int) -> bool:
        hidden = self._suppress.why(followed, at_us)
        if hidden is not None:
            self._groups.leave(followed)
            followed.hidden, followed.due_us = True, hidden.until_us
            return True
        if followed.hidden and not followed.is_heard:
            followed.since_us = at_us  # whoever it is escalated to had no part in the delay
        followed.hidden = False
        return False

    def _keep(self, followed: Followed, at_us: int) -> None:
        """Write an incident down with the time when it is to be looked at again."""
        if followed.is_live:
            if not followed.hidden:
                followed.due_us = self._tell.next_us(followed)
        elif followed.digests:
            followed.due_us = NEVER_US  # the digest has yet to tell the end
        elif followed.told and followed.incident.state != "closed":
            followed.due_us = at_us + self._kept_us
        else:
            self._ledger.drop(followed)
            return
        self._ledger.keep(followed)
