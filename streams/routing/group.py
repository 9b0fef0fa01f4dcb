"""Incidents that are told together: what waits, and for how long.

The first of a group waits `group_wait_s` for others, and for an incident that explains it; what
joins a group that was told waits until `group_interval_s` have passed since. A group lasts no
longer than that, so that what comes later is the first of a new one.
"""

from collections.abc import Iterable

from schemas.incident import Incident
from schemas.routing import Route
from streams.clock import NEVER_US, seconds_to_us
from streams.routing.follow import Followed
from streams.routing.ledger import Key, Ledger, Record
from streams.routing.match import Routes


class Group(Record, kw_only=True, omit_defaults=True):
    """What waits on one route, alike in the fields that it groups by."""

    name: list[str]
    told_us: int | None = None

    @property
    def key(self) -> Key:
        """The route's place, and the values."""
        return tuple(self.name)

    @property
    def route(self) -> int:
        """The route's place."""
        return int(self.name[0])


class Groups:
    """The groups of one shard. An incident knows the routes on which it waits."""

    def __init__(self, ledger: Ledger, routes: Routes) -> None:
        self._ledger = ledger
        self._routes = routes
        self._waiting: dict[Key, dict[str, Followed]] = {}

    def join(self, followed: Followed, route: int, at_us: int) -> Group:
        """Let an incident wait on a route; a critical one makes its whole group due."""
        key = _key(route, self._routes[route], followed.incident)
        if followed.waits.get(route) != key:
            self._leave(followed, route)
            followed.waits[route] = key
        group = self._ledger.of(Group).get(key, Group(name=list(key)))
        if not self._waiting.get(key):
            group.due_us = NEVER_US  # it was to be forgotten then
        self._waiting.setdefault(key, {})[followed.incident.incident] = followed
        group.due_us = min(group.due_us, self._due_us(group, followed.incident, at_us))
        self._ledger.keep(group)
        return group

    def leave(self, followed: Followed) -> None:
        """An incident waits no more."""
        for route in list(followed.waits):
            self._leave(followed, route)

    def _leave(self, followed: Followed, route: int) -> None:
        if (key := followed.waits.pop(route, None)) is not None:
            self._waiting[key].pop(followed.incident.incident)

    def take(self, group: Group) -> list[Followed]:
        """All that wait in a group, in the order of opening; they wait in it no more."""
        waiting = self._waiting.pop(group.key, {}).values()
        for followed in waiting:
            del followed.waits[group.route]
        return sorted(waiting, key=lambda each: (each.since_us, each.key))

    def was_told(self, group: Group, at_us: int, told: bool) -> None:
        """A group was due; it is forgotten an interval after it was last told."""
        if told:
            group.told_us = at_us
        interval_us = seconds_to_us(self._routes[group.route].group_interval_s)
        group.due_us = at_us if group.told_us is None else group.told_us + interval_us
        if group.due_us > at_us:
            self._ledger.keep(group)
        else:
            self._ledger.drop(group)

    def restore(self, followed: Iterable[Followed]) -> None:
        """Find again who waits where."""
        for each in followed:
            for key in each.waits.values():
                self._waiting.setdefault(key, {})[each.incident.incident] = each

    def _due_us(self, group: Group, incident: Incident, at_us: int) -> int:
        route = self._routes[group.route]
        if incident.severity == "critical":
            return at_us
        due_us = at_us + seconds_to_us(route.group_wait_s)
        if group.told_us is None:
            return due_us
        return max(due_us, group.told_us + seconds_to_us(route.group_interval_s))


def _key(place: int, route: Route, incident: Incident) -> Key:
    fields = (field for field in route.group_by if field != "site")
    values = (getattr(incident, field) or "" for field in fields)
    return (str(place), incident.site, *values)
