"""Jira Cloud: an issue per incident, found by a label, marked by an issue property.

Of developer.atlassian.com, The Jira Cloud platform REST API v3: issues are searched by JQL in an
index that lags behind (`/rest/api/3/search/jql`), and read by id as they are; texts are Atlassian
Document Format; an issue moves by transitions, which differ with its status and its workflow.
Comments and transitions have requests of their own, so the mark is set last, and a comment says
which transition of the incident it tells of.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct, field

from schemas.tickets import Jira
from streams.notifiers import Answer, Pace, Request
from streams.notifiers._text import shorten
from streams.tickets import _http
from streams.tickets._contract import UNMARKED, Change, Mark, Move, Ticket, Way
from streams.tickets._draft import Draft

PACE = Pace(per_s=2.0, at_once=5)
PROPERTY = "radvigil"
_ISSUES = "/rest/api/3/issue"
_SUMMARY = 255
_COMMENTS = "50"
_PLAIN = re.compile(r"[A-Za-z0-9-]{1,200}")
_TOLD = re.compile(r"\(radvigil #(\d{1,16})\)")
Json = dict[str, Any]

read = _http.read
seal = _http.seal


class _Created(Struct):
    id: str


class _Found(Struct):
    issues: list[_Created]


class _Category(Struct):
    key: str


class _Status(Struct):
    name: str
    category: _Category = field(name="statusCategory")


class _Transition(Struct):
    id: str
    to: _Status


class _Fields(Struct):
    status: _Status


class _Issue(Struct):
    id: str
    key: str
    fields: _Fields
    transitions: list[_Transition] = []
    properties: dict[str, Any] = {}


class _Comments(Struct):
    comments: list[Any]


def label(incident: str) -> str:
    """The label by which an incident's issue is found.

    >>> label("0b5f"), len(label("a b"))
    ('radvigil-0b5f', 41)
    """
    if _PLAIN.fullmatch(incident):
        return f"radvigil-{incident}"
    return f"radvigil-{sha256(incident.encode()).hexdigest()[:32]}"


def search(settings: Jira, incident: str) -> Request:
    """In all projects: people move issues."""
    jql = f'labels = "{label(incident)}" ORDER BY created ASC'
    query = {"jql": jql, "fields": "status", "maxResults": "5"}
    return _http.ask(settings, "search", "/rest/api/3/search/jql", query)


def found(answer: Answer) -> list[str]:
    """Ids, the oldest first."""
    return [issue.id for issue in _http.content(answer, _Found).issues]


def create(settings: Jira, draft: Draft, mark: Mark) -> Request:
    """With the label and the mark in it."""
    fields: Json = dict(settings.fields)
    fields |= {
        "project": {"key": settings.project},
        "issuetype": {"name": settings.issue_type},
        "summary": shorten(draft.summary, _SUMMARY),
        "description": _document(_description(draft)),
        "labels": [*settings.labels, label(draft.incident)],
    }
    fields |= _priority(settings, draft)
    properties = [{"key": PROPERTY, "value": mark._asdict()}]
    body = {"fields": fields, "properties": properties}
    return _http.tell(settings, "POST", "create", _ISSUES, body)


def created(answer: Answer) -> str:
    """The id."""
    return _http.content(answer, _Created).id


def look(settings: Jira, ticket: str) -> tuple[Request, ...]:
    """The issue with its mark and its ways, and its latest comments."""
    query = {"fields": "status", "properties": PROPERTY, "expand": "transitions"}
    latest = {"orderBy": "-created", "maxResults": _COMMENTS}
    return (
        _http.ask(settings, "look", f"{_ISSUES}/{ticket}", query),
        _http.ask(settings, "look", f"{_ISSUES}/{ticket}/comment", latest),
    )


def seen(answers: Sequence[Answer]) -> Ticket:
    """The issue."""
    issue = _http.content(answers[0], _Issue)
    comments = _http.content(answers[1], _Comments).comments
    texts = (text for comment in comments for text in _texts(comment))
    return Ticket(
        issue.id,
        issue.key,
        _mark(issue.properties.get(PROPERTY)),
        _is_done(issue.fields.status),
        tuple(Way(one.id, one.to.name, _is_done(one.to)) for one in issue.transitions),
        frozenset(int(told[1]) for text in texts for told in _TOLD.finditer(text)),
    )


def change(settings: Jira, ticket: Ticket, draft: Draft, change: Change) -> tuple[Request, ...]:
    """A comment, a transition, the priority, the mark; what is there already is left out."""
    path = f"{_ISSUES}/{ticket.id}"
    requests = []
    if change.mark.seq not in ticket.said:
        body = {"body": _document([draft.comment, f"(radvigil #{change.mark.seq})"])}
        requests.append(_http.tell(settings, "POST", "comment", f"{path}/comment", body))
    if change.move is not None and (way := _way(settings, ticket, change.move)) is not None:
        fields = {"fields": settings.closing_fields} if change.move == "close" else {}
        moved = {"transition": {"id": way.id}} | (fields if settings.closing_fields else {})
        requests.append(_http.tell(settings, "POST", "move", f"{path}/transitions", moved))
    if change.severity_changed and (priority := _priority(settings, draft)):
        requests.append(_http.tell(settings, "PUT", "priority", path, {"fields": priority}))
    marked = f"{path}/properties/{PROPERTY}"
    requests.append(_http.tell(settings, "PUT", "mark", marked, change.mark._asdict()))
    return tuple(requests)


def _way(settings: Jira, ticket: Ticket, move: Move) -> Way | None:
    """The transition to the status that is configured, else the first that fits.

    None where the workflow has none from here: then the comment has to do.
    """
    wanted = {
        "take": settings.acknowledged_status,
        "close": settings.closed_status,
        "reopen": settings.reopened_status,
    }[move]
    if wanted is not None:
        return next((way for way in ticket.ways if way.to.lower() == wanted.lower()), None)
    if move == "take":
        return None
    return next((way for way in ticket.ways if way.is_done == (move == "close")), None)


def _priority(settings: Jira, draft: Draft) -> Json:
    name = settings.priority.get(draft.severity)
    return {"priority": {"name": name}} if name else {}


def _is_done(status: _Status) -> bool:
    return status.category.key == "done"


def _mark(value: Any) -> Mark:
    match value:
        case {"seq": int(seq), "standing": "open" | "taken" | "over" as standing}:
            return Mark(seq, standing, str(value.get("severity", "")))
    return UNMARKED


def _texts(node: Any) -> Iterator[str]:
    """All texts of an ADF node, bounded by the decoder's depth."""
    match node:
        case {"text": str(text)}:
            yield text
        case dict():
            for inner in node.values():
                yield from _texts(inner)
        case list():
            for inner in node:
                yield from _texts(inner)


def _description(draft: Draft) -> list[str | tuple[str, str]]:
    rows = [f"{name}: {value}" for name, value in draft.rows]
    return [draft.title, *rows, *draft.links]


def _document(lines: Sequence[str | tuple[str, str]]) -> Json:
    """Atlassian Document Format: a paragraph a line, a pair is a link's words and address."""
    paragraphs = [
        {"type": "paragraph", "content": [_text(line)]} for line in lines if line and any(line)
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}


def _text(line: str | tuple[str, str]) -> Json:
    if isinstance(line, str):
        return {"type": "text", "text": line}
    words, address = line
    link = {"type": "link", "attrs": {"href": address}}
    return {"type": "text", "text": words, "marks": [link]}


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
