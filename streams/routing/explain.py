"""What would be told of one incident, to whom and when, and why not to others.

It is not worked out a second time: the incident is given to routing as it runs live, and time
passes with nothing else happening.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from schemas.config import Config
from schemas.incident import Incident
from schemas.notification import Notification, NotificationAction, NotificationReason
from schemas.routing import Route
from streams.clock import from_us, seconds_to_us, to_us
from streams.routing.decide import OVER
from streams.routing.match import Routes, mismatch
from streams.routing.stage import Routing

_AHEAD_US = seconds_to_us(86_400)
_MOST_EACH = 2


class RouteSaid(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one route does with the incident."""

    route: str
    """Its path in the configuration."""
    taken: bool
    receivers: list[str]
    why: str


class Sent(Struct, frozen=True, kw_only=True):
    """One thing that a receiver would be told."""

    receiver: str
    action: NotificationAction
    why: NotificationReason
    disturb: bool
    at: datetime
    digest: bool
    """In one message with others, because there would be too many."""


class Suppressed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why nobody is told at first, and until when as far as time alone decides."""

    why: str
    by: str
    until: datetime | None = None


class Explanation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole answer. `sent` is what comes within a day if nothing else happens."""

    incident: str
    at: datetime
    routes: list[RouteSaid]
    sent: list[Sent]
    suppressed: Suppressed | None = None
    not_told: dict[str, str] = {}
    """Receivers of the routes taken who are told nothing, and why."""


def explain(
    config: Config, incident: Incident, others: Iterable[Incident], at_us: int
) -> Explanation:
    """Explain an incident as if it had become what it is at `at_us`, nobody having been told yet.

    `others` are the newest states of other incidents; those that are live may explain this one.
    Silences and announced maintenance are known to the worker alone: only the calendar counts here.
    """
    routing = Routing(config)
    for other in sorted(others, key=lambda each: (each.at, each.incident, each.seq)):
        if other.incident != incident.incident and to_us(other.at) <= at_us:
            routing.tick(to_us(other.at))
            routing.incident(other, to_us(other.at))
    routing.tick(at_us)
    told = routing.incident(replace(incident, at=from_us(at_us)), at_us)
    hidden = dict(routing.suppressed()).get(incident.incident)
    told += routing.tick(at_us + _AHEAD_US)
    sent = list(_sent(told, incident.incident))
    routes = Routes(config)
    suppressed = None
    if hidden is not None and hidden.why != "storm":
        ends = hidden.until_us <= at_us + 30 * _AHEAD_US
        suppressed = Suppressed(
            why=hidden.why, by=hidden.by, until=from_us(hidden.until_us) if ends else None
        )
    return Explanation(
        incident=incident.incident,
        at=from_us(at_us),
        routes=list(_routes(config.routes, incident)),
        sent=sent,
        suppressed=suppressed,
        not_told=dict(_not_told(routes, incident, {one.receiver for one in sent}, suppressed)),
    )


def _sent(told: Iterable[Notification], name: str) -> Iterator[Sent]:
    """What is told of the incident; of what repeats the first."""
    counted: dict[tuple[str, str], int] = {}
    for one in told:
        if not any(each.incident == name for each in one.incidents):
            continue
        which = one.receiver, one.why
        counted[which] = counted.get(which, 0) + 1
        if counted[which] < _MOST_EACH:
            yield Sent(
                receiver=one.receiver,
                action=one.action,
                why=one.why,
                disturb=one.disturb,
                at=one.at,
                digest=one.key != name,
            )


def _routes(routes: list[Route], incident: Incident) -> Iterator[RouteSaid]:
    winner: str | None = None
    matched = False
    for index, route in enumerate(routes):
        path = f"route[{index}]"
        field = mismatch(route.match, incident)
        taken = field is None and winner is None
        if winner is not None:
            why = f"not asked: {winner} matched and does not continue"
        elif field is not None:
            value = getattr(incident, field, None) or "not given"
            why = f"{field} is {value}, wanted is {' or '.join(route.match[field])}"
        elif route.continue_:
            why = "matches, and the routes below are asked as well"
        else:
            why = "matches"
        yield RouteSaid(route=path, taken=taken, receivers=route.receivers, why=why)
        matched |= taken
        if taken and not route.continue_:
            winner = path
    yield RouteSaid(
        route="log",
        taken=not matched,
        receivers=["log"],
        why="a route matched" if matched else "no route matched",
    )


def _not_told(
    routes: Routes, incident: Incident, told: set[str], suppressed: Suppressed | None
) -> Iterator[tuple[str, str]]:
    for index in routes.taken(incident):
        for receiver in routes[index].receivers:
            if receiver in told:
                continue
            if not routes.hears(receiver, incident):
                yield receiver, f"{incident.severity} is below its min_severity"
            elif incident.state == "pending":
                yield receiver, "pending is never told"
            elif incident.state in OVER:
                yield receiver, "the end is told to those who were told of it, and to nobody else"
            elif incident.state == "resolving":
                yield receiver, "it is recovering, and is told only if it recurs"
            elif suppressed is not None:
                yield receiver, f"{suppressed.why} by {suppressed.by}"
