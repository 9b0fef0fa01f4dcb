"""One message for the many incidents of a storm, updated in place until all of them are over."""

from collections.abc import Callable, Iterable

from schemas.notification import Notification
from streams.clock import seconds_to_us
from streams.routing import severity
from streams.routing.decide import News
from streams.routing.follow import Followed, Membership
from streams.routing.ledger import Key, Ledger, Record
from streams.routing.match import Routes, Target
from streams.routing.notice import notice


class Digest(Record, kw_only=True, omit_defaults=True):
    """What one receiver was told of one storm. Its members know that they are."""

    digest: str
    receiver: str
    route: int
    number: int = 0
    at_us: int = 0
    disturbed_us: int = 0
    grown: bool = False
    changed: bool = False
    urgent: bool = False

    @property
    def key(self) -> Key:
        """Its id."""
        return (self.digest,)


class Digests:
    """The digests of one shard."""

    def __init__(self, ledger: Ledger, routes: Routes) -> None:
        self._ledger = ledger
        self._routes = routes
        self._members: dict[str, dict[str, Followed]] = {}

    def join(self, digest_id: str, followed: Followed, target: Target, at_us: int) -> None:
        """Let an incident be told in a digest. One that would have been told singly hurries it."""
        if (membership := followed.digests.get(target.receiver)) is not None:
            self.urge(membership.digest, at_us)
            return
        digest = self._ledger.of(Digest).get((digest_id,))
        if digest is None:
            digest = Digest(digest=digest_id, receiver=target.receiver, route=target.route)
        is_critical = followed.incident.severity == "critical"
        followed.digests[target.receiver] = Membership(
            digest=digest_id, route=target.route, urgent=is_critical
        )
        self._members.setdefault(digest_id, {})[followed.incident.incident] = followed
        digest.grown = True
        digest.urgent |= is_critical
        self._arm(digest, at_us)

    def urge(self, digest_id: str, at_us: int) -> None:
        """One of its members became worth disturbing somebody."""
        digest = self._ledger.of(Digest)[digest_id,]
        digest.urgent = True
        self._arm(digest, at_us)

    def touch(self, followed: Followed, at_us: int) -> None:
        """One of its members has changed."""
        for membership in followed.digests.values():
            digest = self._ledger.of(Digest)[membership.digest,]
            digest.changed = True
            self._arm(digest, at_us)

    def tell(
        self, digest: Digest, is_hidden: Callable[[Followed], bool], at_us: int
    ) -> tuple[list[Notification], list[Followed]]:
        """What is due to be told, and the members that are over and have left with it.

        It is not repeated for the sake of members that are hidden.
        """
        members = sorted(self._members[digest.digest].values(), key=_weight)
        left = [each for each in members if not each.is_live]
        news = self._news(digest, members, is_hidden, at_us)
        told = [self._notice(digest, news, members, at_us)] if news else []
        for each in left:
            del self._members[digest.digest][each.incident.incident]
            del each.digests[digest.receiver]
        if len(left) == len(members):
            del self._members[digest.digest]
            self._ledger.drop(digest)
        else:
            digest.grown = digest.changed = digest.urgent = False
            repeat_us = digest.disturbed_us + self._repeat_us(digest)
            digest.due_us = repeat_us if repeat_us > at_us else at_us + self._repeat_us(digest)
            self._ledger.keep(digest)
        return told, left

    def restore(self, followed: Iterable[Followed]) -> None:
        """Find again who is a member of what; what is for nobody is forgotten."""
        for digest in list(self._ledger.of(Digest).values()):
            if not self._routes.knows(digest.receiver):
                self._ledger.drop(digest)
        for each in followed:
            for membership in each.digests.values():
                members = self._members.setdefault(membership.digest, {})
                members[each.incident.incident] = each

    def _news(
        self,
        digest: Digest,
        members: list[Followed],
        is_hidden: Callable[[Followed], bool],
        at_us: int,
    ) -> News | None:
        if not any(each.is_live for each in members):
            ends = digest.number and self._routes.sends_resolved(digest.receiver)
            return News(at_us, "resolve", "resolved", False) if ends else None
        if not digest.number:
            return News(at_us, "open", "digest", True)
        if at_us >= digest.disturbed_us + self._repeat_us(digest) and any(
            each.incident.state == "open" and not is_hidden(each) for each in members
        ):
            return News(at_us, "update", "repeated", True)
        if digest.grown:
            return News(at_us, "update", "joined", digest.urgent)
        if digest.changed or digest.urgent:
            return News(at_us, "update", "changed", digest.urgent)
        return None

    def _notice(
        self, digest: Digest, news: News, members: list[Followed], at_us: int
    ) -> Notification:
        digest.number += 1
        digest.at_us = max(digest.at_us, at_us)
        if news.disturb:
            digest.disturbed_us = digest.at_us
        incidents = [each.incident for each in members]
        return notice(digest.receiver, digest.digest, digest.number, news, incidents, digest.at_us)

    def _arm(self, digest: Digest, at_us: int) -> None:
        """The first is told when the storm has had time to show, like that of a group."""
        route = self._routes[digest.route]
        if digest.number:
            due_us = max(at_us, digest.at_us + seconds_to_us(route.group_interval_s))
        else:
            due_us = at_us + seconds_to_us(route.group_wait_s)
        digest.due_us = min(digest.due_us, due_us)
        self._ledger.keep(digest)

    def _repeat_us(self, digest: Digest) -> int:
        return seconds_to_us(self._routes[digest.route].repeat_s)


def _weight(followed: Followed) -> tuple[bool, int, int, Key]:
    """What is open comes first, then what is gravest, then what is oldest."""
    incident = followed.incident
    return not followed.is_live, severity.rank(incident.severity), followed.since_us, followed.key
