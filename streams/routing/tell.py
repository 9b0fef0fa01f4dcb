"""What each receiver is told of one incident that nothing suppresses."""

from collections.abc import Iterator

from schemas.notification import Notification, NotificationReason
from streams.clock import NEVER_US
from streams.routing.decide import News, Told, decide
from streams.routing.digest import Digests
from streams.routing.escalate import steps
from streams.routing.follow import Followed
from streams.routing.match import Routes, Target
from streams.routing.notice import notice
from streams.routing.storm import Storms


class Tell:
    """Keeps account, in the incident's own record, of who was told what."""

    def __init__(self, routes: Routes, storms: Storms, digests: Digests) -> None:
        self._routes = routes
        self._storms = storms
        self._digests = digests

    def untold(self, followed: Followed) -> Iterator[Target]:
        """Whom it is for and who has not heard of it."""
        if followed.incident.state in ("open", "acknowledged"):
            for target in self._routes.targets(followed.incident):
                if not followed.hears(target.receiver):
                    yield target

    def first(
        self, followed: Followed, target: Target, why: NotificationReason, at_us: int
    ) -> Iterator[Notification]:
        """Tell a receiver that has not been told singly; in a storm it is told by the digest."""
        digest = self._storms.admit(followed, target, at_us)
        if digest is None:
            disturb = followed.incident.state == "open"
            yield self._notice(followed, target, News(at_us, "open", why, disturb), at_us)
        else:
            self._digests.join(digest, followed, target, at_us)

    def news(self, followed: Followed, at_us: int) -> Iterator[Notification]:
        """Tell what has changed, and what is to be repeated, to those who were told."""
        for receiver, told in list(followed.told.items()):
            if told.is_over:
                continue
            news = self._next(followed, told)
            if news is not None and news.due_us <= at_us:
                yield self._notice(followed, Target(told.route, receiver), news, at_us)
        if followed.incident.severity == "critical":
            yield from self._risen(followed, at_us)

    def escalations(self, followed: Followed, at_us: int) -> Iterator[Notification]:
        """Tell those to whom it is to be escalated by now."""
        for step in list(steps(followed, self._routes)):
            target = step.target
            if step.due_us > at_us or target.receiver in followed.escalated:
                continue
            followed.escalated.append(target.receiver)
            if followed.is_told(target.receiver):
                news = News(at_us, "update", "escalated", True)
                yield self._notice(followed, target, news, at_us)
            else:
                yield from self.first(followed, target, "escalated", at_us)

    def the_end(self, followed: Followed, at_us: int) -> Iterator[Notification]:
        """Tell that it is over, to those who were told of it and to nobody else."""
        for receiver, told in list(followed.told.items()):
            if told.is_over:
                continue
            news = self._next(followed, told)
            if news is not None and self._routes.sends_resolved(receiver):
                yield self._notice(followed, Target(told.route, receiver), news, at_us)
            last = followed.told[receiver]
            last.state, last.seq = followed.incident.state, followed.incident.seq

    def next_us(self, followed: Followed) -> int:
        """When time alone next matters to it."""
        live = (told for told in followed.told.values() if not told.is_over)
        news = (self._next(followed, told) for told in live)
        due = [each.due_us for each in news if each is not None]
        due += [step.due_us for step in steps(followed, self._routes)]
        return min(due, default=NEVER_US)

    def _next(self, followed: Followed, told: Told) -> News | None:
        route = self._routes[told.route]
        return decide(told, followed.incident, route.group_interval_s, route.repeat_s)

    def _risen(self, followed: Followed, at_us: int) -> Iterator[Notification]:
        """What a digest tells of has become critical: now it is told singly too."""
        for receiver, membership in followed.digests.items():
            if not membership.urgent:
                membership.urgent = True
                target = Target(membership.route, receiver)
                yield from self.first(followed, target, "severity_raised", at_us)

    def _notice(self, followed: Followed, target: Target, news: News, at_us: int) -> Notification:
        before = followed.told.get(target.receiver)
        incident = followed.incident
        told = Told(
            route=target.route,
            number=1,
            seq=incident.seq,
            state=incident.state,
            severity=incident.severity,
            at_us=at_us,
            disturbed_us=at_us,
        )
        if before is not None:
            told.number = before.number + 1
            told.at_us = max(at_us, before.at_us)
            told.disturbed_us = told.at_us
        if before is not None and news.action != "open":
            told.route = before.route
            told.disturbed_us = told.at_us if news.disturb else before.disturbed_us
        followed.told[target.receiver] = told
        return notice(target.receiver, incident.incident, told.number, news, [incident], told.at_us)
