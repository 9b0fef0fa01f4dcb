"""ServiceNow: a record per incident, found by its `correlation_id`.

Of the Table API (`/api/now/table/{table}`): one PATCH changes state, journal and mark together, so
nothing is told twice. The mark is `correlation_display`, which nobody else uses then.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct

from schemas.tickets import ServiceNow
from streams.notifiers import Answer, Pace, Request
from streams.notifiers._text import shorten
from streams.tickets import _http
from streams.tickets._contract import UNMARKED, Change, Mark, Ticket, Way
from streams.tickets._draft import Draft

PACE = Pace(per_s=2.0, at_once=5)
_SHORT = 160
_LONG = 4_000
_PLAIN = re.compile(r"[A-Za-z0-9-]{1,100}")
_MARK = re.compile(r"radvigil #(\d{1,16}) (open|taken|over) (\w{0,16})")
_RESOLVED, _CLOSED, _CANCELLED = "6", "7", "8"
_WEIGHTS = {"critical": "1", "error": "2", "warning": "3", "info": "3"}
Json = dict[str, Any]

read = _http.read
seal = _http.seal


class _Record(Struct):
    sys_id: str
    number: str = ""
    state: str = ""
    correlation_display: str = ""


class _One(Struct):
    result: _Record


class _Some(Struct):
    result: list[_Record]


def correlation(incident: str) -> str:
    """The `correlation_id`, 100 characters at most and none that a query reads as its own.

    >>> correlation("0b5f"), len(correlation("a^b"))
    ('0b5f', 64)
    """
    return incident if _PLAIN.fullmatch(incident) else sha256(incident.encode()).hexdigest()


def search(settings: ServiceNow, incident: str) -> Request:
    """By correlation, the oldest first."""
    query = {
        "sysparm_query": f"correlation_id={correlation(incident)}^ORDERBYsys_created_on",
        "sysparm_fields": "sys_id",
        "sysparm_limit": "5",
    }
    return _http.ask(settings, "search", _path(settings), query)


def found(answer: Answer) -> list[str]:
    """Ids, the oldest first."""
    return [one.sys_id for one in _http.content(answer, _Some).result]


def create(settings: ServiceNow, draft: Draft, mark: Mark) -> Request:
    """With the incident's id and the mark in it."""
    rows = [f"{name}: {value}" for name, value in draft.rows]
    links = [f"{words}: {address}" for words, address in draft.links]
    body: Json = dict(settings.fields)
    if settings.assignment_group is not None:
        body["assignment_group"] = settings.assignment_group
    body |= {
        "short_description": shorten(draft.summary, _SHORT),
        "description": shorten("\n".join([draft.title, *rows, *links]), _LONG),
        "correlation_id": correlation(draft.incident),
        "correlation_display": _written(mark),
    }
    if mark.standing == "taken":
        body["state"] = settings.acknowledged_state
    body |= _weight(settings, draft)
    return _http.tell(settings, "POST", "create", _path(settings), body)


def created(answer: Answer) -> str:
    """The sys_id."""
    return _http.content(answer, _One).result.sys_id


def look(settings: ServiceNow, ticket: str) -> tuple[Request, ...]:
    """The record."""
    query = {"sysparm_fields": "sys_id,number,state,correlation_display"}
    return (_http.ask(settings, "look", f"{_path(settings)}/{ticket}", query),)


def seen(answers: Sequence[Answer]) -> Ticket:
    """The record. What is closed or cancelled is done for good: it moves nowhere."""
    record = _http.content(answers[0], _One).result
    told = _MARK.fullmatch(record.correlation_display)
    mark = _mark(told) if told else UNMARKED
    is_final = record.state in (_CLOSED, _CANCELLED)
    ways = () if is_final else (Way("state", "any", is_done=False),)
    return Ticket(record.sys_id, record.number, mark, is_final or record.state == _RESOLVED, ways)


def change(
    settings: ServiceNow, ticket: Ticket, draft: Draft, change: Change
) -> tuple[Request, ...]:
    """One PATCH with all of it."""
    note = shorten(draft.comment, _LONG)
    body: Json = {"work_notes": note, "correlation_display": _written(change.mark)}
    if change.move == "close":
        body |= settings.closing_fields
        body |= {"close_notes": note, "close_code": settings.close_code}
        body["state"] = settings.closed_state
    elif change.move is not None and ticket.ways:
        taken = change.mark.standing == "taken"
        body["state"] = settings.acknowledged_state if taken else settings.reopened_state
    if change.severity_changed:
        body |= _weight(settings, draft)
    return (_http.tell(settings, "PATCH", "change", f"{_path(settings)}/{ticket.id}", body),)


def _path(settings: ServiceNow) -> str:
    return f"/api/now/table/{settings.table}"


def _weight(settings: ServiceNow, draft: Draft) -> Json:
    weight = _WEIGHTS[draft.severity]
    return {
        "impact": settings.impact.get(draft.severity, weight),
        "urgency": settings.urgency.get(draft.severity, weight),
    }


def _written(mark: Mark) -> str:
    return f"radvigil #{mark.seq} {mark.standing} {mark.severity}"


def _mark(told: re.Match[str]) -> Mark:
    standing: Any = told[2]
    return Mark(int(told[1]), standing, told[3])


__all__ = [
    "PACE",
    "change",
    "create",
    "created",
    "found",
    "look",
    "read",
    "seal",
    "search",
    "seen",
]
