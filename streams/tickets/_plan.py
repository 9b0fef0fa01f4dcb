"""What a ticket has to be told of an incident. The decision of all trackers, in one place."""

from schemas.incident import Incident
from schemas.tickets import Tracked
from streams.routing.match import mismatch
from streams.routing.severity import graver
from streams.tickets._contract import Change, Mark, Move, Standing, Ticket

_STANDING: dict[str, Standing] = {
    "pending": "open",
    "open": "open",
    "acknowledged": "taken",
    "resolving": "open",
    "resolved": "over",
    "closed": "over",
}


def mark_of(incident: Incident) -> Mark:
    """What a ticket that is told of this transition has been told."""
    return Mark(incident.seq, _STANDING[incident.state], incident.severity)


def gets_ticket(settings: Tracked, incident: Incident) -> bool:
    """Whether an incident without a ticket gets one.

    Not while it may still be nothing, not when it is over, and not where a `flapping` incident is
    told instead.
    """
    return (
        incident.state in ("open", "acknowledged", "resolving")
        and incident.folded_into is None
        and not graver(settings.min_severity, incident.severity)
        and mismatch(settings.match, incident) is None
    )


def is_news(incident: Incident, told: Mark) -> bool:
    """Whether a ticket with this mark has anything to be told: not of mere updates."""
    now = mark_of(incident)
    return now.seq > told.seq and now[1:] != told[1:]


def change(settings: Tracked, incident: Incident, ticket: Ticket) -> Change | None:
    """What to tell a ticket; None for nothing.

    What people did to it stands: a ticket that they closed is not opened again because the incident
    goes on, only because it is back.
    """
    if not is_news(incident, ticket.mark):
        return None
    now = mark_of(incident)
    return Change(now, _move(settings, now, ticket), now.severity != ticket.mark.severity)


def _move(settings: Tracked, now: Mark, ticket: Ticket) -> Move | None:
    was_over = ticket.mark.standing == "over"
    if now.standing == "over":
        return "close" if settings.closes and not ticket.is_done else None
    if was_over and ticket.is_done:
        return "reopen"
    return "take" if now.standing == "taken" and not ticket.is_done else None
