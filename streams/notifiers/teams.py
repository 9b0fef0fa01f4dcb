"""Microsoft Teams, by a workflow that posts an Adaptive Card.

A workflow cannot change what it posted, so quiet updates say nothing here. All text stands in text
runs, which read no markup. 28 KB at most (learn.microsoft.com, Teams limits); what does not fit is
counted. The workflow's whole address is a secret: the request is rendered without it.
"""

from typing import Any

from schemas.notification import Notification
from schemas.routing import Teams
from streams.notifiers import _words
from streams.notifiers._contract import (
    Answer,
    Occasion,
    Pace,
    Refs,
    Request,
    Result,
    Secrets,
)
from streams.notifiers._facts import Facts, Telling, is_over, telling
from streams.notifiers._http import JSON, encode, read_status
from streams.notifiers._text import shorten

SECRETS = ("url",)
PACE = Pace(per_s=1.0, at_once=2)
REFRESH_S = None
LONGEST_BYTES = 28_000
_LINE = 400
_COLOURS = {"critical": "Attention", "error": "Attention", "warning": "Warning", "info": "Accent"}
Element = dict[str, Any]


def render(
    notification: Notification, receiver: Teams, refs: Refs, occasion: Occasion
) -> tuple[Request, ...]:
    """A card, where there is something to disturb for, to begin or to end."""
    told = telling(notification, occasion.page)
    if refs and told.action == "update" and not told.disturb:
        return ()
    body = _body(told, _words.headline(told, occasion.perhaps_told))
    return (Request("POST", "", JSON, body, step="card", repeatable=False, refs={"told": "yes"}),)


def read(request: Request, answer: Answer) -> Result:
    """By the status; 202 is the usual one."""
    return read_status(request, answer)


def seal(request: Request, secrets: Secrets, now_us: int) -> Request:
    """With the workflow's address."""
    return request._replace(url=secrets["url"])


def _body(told: Telling, head: str) -> bytes:
    for n in range(len(told.incidents), 0, -1):
        left_out_n = told.more_n + len(told.incidents) - n
        card = {
            "type": "AdaptiveCard",
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "version": "1.4",
            "fallbackText": shorten(head, _LINE),
            "msteams": {"width": "Full"},
            "body": [_head(told, head), *_lines(told, n, left_out_n)],
            "actions": _links(told.incidents[0]),
        }
        attachment = {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": None,
            "content": card,
        }
        body = encode({"type": "message", "attachments": [attachment]})
        if len(body) <= LONGEST_BYTES:
            break
    return body


def _head(told: Telling, head: str) -> Element:
    over = all(map(is_over, told.incidents)) and not told.more_n
    colour = "Good" if over else _COLOURS[told.severity]
    return _runs({"text": head, "weight": "Bolder", "size": "Medium", "color": colour})


def _lines(told: Telling, n: int, left_out_n: int) -> list[Element]:
    why = _runs({"text": f"{_words.clock(told.at)}: {_words.reason(told)}", "isSubtle": True})
    alone = told.alone
    if alone:
        rows = [
            _runs({"text": f"{label}: ", "weight": "Bolder"}, {"text": value})
            for label, value in _words.rows(alone)
        ]
        return [_runs({"text": alone.title or "…"}), why, *rows]
    lines = [
        _runs({"text": f"{_words.state(facts)}, {facts.severity}: {facts.title}"})
        for facts in told.incidents[:n]
    ]
    rest = [_runs({"text": f"and {left_out_n} more"})] if left_out_n else []
    return [why, *lines, *rest]


def _runs(*runs: Element) -> Element:
    inlines = [{"type": "TextRun", **run, "text": shorten(run["text"], _LINE)} for run in runs]
    return {"type": "RichTextBlock", "inlines": inlines}


def _links(facts: Facts) -> list[Element]:
    return [
        {"type": "Action.OpenUrl", "title": words, "url": address}
        for words, address in _words.links(facts)
    ]
