"""Slack, by Block Kit: one message that is updated in place, its history in the thread.

Every value stands in `plain_text`, where Slack reads no markup: no mention, link or formatting can
be smuggled in by a name. Limits: docs.slack.dev, Block Kit reference (50 blocks, header 150,
section 3000, field 2000, button value 2000, address 3000); the whole stays under 10 000 characters,
because Slack refuses some messages from 13 000 on. A post has no key that Slack would know a
repeat by, hence `repeatable=False` and the words "(possible duplicate)".
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.notification import Notification
from schemas.routing import Slack
from streams.notifiers import _words
from streams.notifiers._contract import (
    Answer,
    Occasion,
    Pace,
    Refs,
    Refused,
    Request,
    Result,
    Retry,
    Secrets,
    Sent,
    Unknown,
)
from streams.notifiers._facts import Facts, Telling, is_over, telling
from streams.notifiers._http import JSON, encode, read_status, retry_after_s
from streams.notifiers._text import length, shorten

SECRETS = ("token",)
PACE = Pace(per_s=1.0, at_once=1)  # of a channel
REFRESH_S = None
LONGEST = 9_900
_HEADER, _LINE, _FIELD, _BUTTON, _TEXT = 150, 500, 200, 75, 250
_MARKS = {"critical": "🔴", "error": "🟠", "warning": "🟡", "info": "🔵"}
_AGAIN = frozenset({"ratelimited", "rate_limited", "service_unavailable", "request_timeout"})
# "It's possible some aspect of the operation succeeded before the error was raised."
_PERHAPS_DONE = frozenset({"internal_error", "fatal_error"})
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
Block = dict[str, Any]


def render(
    notification: Notification, receiver: Slack, refs: Refs, occasion: Occasion
) -> tuple[Request, ...]:
    """A post where it begins; else an update, and a line in the thread of what has happened.

    Slack makes no sound for an update: a line that is to disturb is shown in the channel too.
    """
    told = telling(notification, occasion.page)
    begins = not refs or told.action == "open"
    message = _message(told, _words.headline(told, occasion.perhaps_told and begins))
    if begins:
        return (_post(receiver, "post", {"channel": receiver.channel, **message}),)
    update = _request(receiver, "chat.update", "update", {**refs, **message}, refs)
    if told.why == "changed" and not told.disturb:
        return (update,)
    where = {"channel": refs["channel"], "thread_ts": refs["ts"]}
    line = _line(told, occasion.perhaps_told)
    thread = {**where, "reply_broadcast": told.disturb, **line}
    return update, _post(receiver, "thread", thread, refs)


def read(request: Request, answer: Answer) -> Result:
    """Slack answers 200 to most of what it refuses; `error` says what it was."""
    if not 200 <= answer.status < 300:
        return read_status(request, answer)
    try:
        said = msgspec.json.decode(answer.body, type=_Said)
    except msgspec.DecodeError:  # a page of a proxy in between, not Slack
        return Retry("not_json") if request.repeatable else Unknown("not_json")
    if not said.ok:
        return _failed(request, answer, said.error)
    if request.step == "post":
        return Sent({"channel": said.channel, "ts": said.ts} if said.ts else {})
    return Sent(request.refs)


def seal(request: Request, secrets: Secrets, now_us: int) -> Request:
    """With the bot's token."""
    headers = {**request.headers, "Authorization": f"Bearer {secrets['token']}"}
    return request._replace(headers=headers)


class _Said(msgspec.Struct):
    ok: bool
    error: str = ""
    channel: str = ""
    ts: str = ""


def _failed(request: Request, answer: Answer, error: str) -> Result:
    named = error.isascii() and error.replace("_", "").isalnum() and len(error) <= 64
    why = f"slack_{error}" if named else "slack_other"
    if error in _GONE and request.step == "update":
        return Retry(why, anew=True)
    if error in _AGAIN:
        return Retry(why, retry_after_s(answer))
    if error in _PERHAPS_DONE:
        return Retry(why) if request.repeatable else Unknown(why)
    return Refused(why)


def _post(
    receiver: Slack, step: str, payload: Mapping[str, object], refs: Refs | None = None
) -> Request:
    quiet = {"unfurl_links": False, "unfurl_media": False}
    request = _request(receiver, "chat.postMessage", step, {**payload, **quiet}, refs or {})
    return request._replace(repeatable=False)


def _request(
    receiver: Slack, method: str, step: str, payload: Mapping[str, object], refs: Refs
) -> Request:
    url = f"{receiver.url.rstrip('/')}/{method}"
    return Request("POST", url, JSON, encode(payload), step=step, refs=refs)


def _line(told: Telling, perhaps_told: bool) -> Block:
    line = _words.history(told)
    line = f"{line} {_words.PERHAPS_TOLD}" if perhaps_told else line
    section = {"type": "section", "text": _plain(line, _LINE)}
    return {"text": _fallback(line), "blocks": [section]}


def _message(told: Telling, head: str) -> Block:
    for n in range(len(told.incidents), 0, -1):
        shown = msgspec.structs.replace(
            told, incidents=told.incidents[:n], more_n=told.more_n + len(told.incidents) - n
        )
        blocks = _alone(told.incidents[0]) if told.alone else _several(shown)
        message = {
            "text": _fallback(f"{head}. {told.alone.title}" if told.alone else head),
            "blocks": [_header(told, head), *blocks, _context(told)],
        }
        if length(encode(message).decode()) <= LONGEST:
            break
    return message


def _header(told: Telling, head: str) -> Block:
    resolved = all(map(is_over, told.incidents)) and not told.more_n
    mark = "✅" if resolved else _MARKS[told.severity]
    return {"type": "header", "text": _plain(f"{mark} {head}", _HEADER)}


def _alone(facts: Facts) -> list[Block]:
    rows = _words.rows(facts)
    fields = [_plain(f"{label}\n{value}", _FIELD) for label, value in rows]
    blocks: list[Block] = [
        {"type": "section", "block_id": "title", "text": _plain(facts.title or "…", _LINE)},
        {"type": "section", "block_id": "facts", "fields": fields},
    ]
    buttons = [*_acts(facts), *_links(facts)]
    if buttons:
        blocks.append({"type": "actions", "block_id": "acts", "elements": buttons})
    return blocks


def _several(told: Telling) -> list[Block]:
    blocks = []
    for index, facts in enumerate(told.incidents):
        line = f"{_MARKS[facts.severity]} {_words.state(facts)}: {facts.title}"
        section: Block = {"type": "section", "block_id": f"incident-{index}"}
        section["text"] = _plain(line, _FIELD)
        acts = _acts(facts)
        blocks.append(section | ({"accessory": acts[0]} if acts else {}))
    if told.more_n:
        blocks.append({"type": "section", "text": _plain(_words.more(told), _LINE)})
    return blocks


def _acts(facts: Facts) -> list[Block]:
    if is_over(facts):
        return []
    value = f"{facts.incident}:{facts.seq}:{facts.site}"
    acknowledge = {**_button("acknowledge", "Acknowledge"), "value": value, "style": "primary"}
    silence = {**_button("silence", "Silence 1 h"), "value": value}
    return [acknowledge, silence] if facts.state == "open" else [silence]


def _links(facts: Facts) -> list[Block]:
    return [
        {**_button(f"link-{index}", words), "url": address}
        for index, (words, address) in enumerate(_words.links(facts))
    ]


def _button(action: str, words: str) -> Block:
    return {"type": "button", "action_id": action, "text": _plain(words, _BUTTON)}


def _context(told: Telling) -> Block:
    since = f"radvigil, {_words.clock(told.at)}, {told.key}"
    return {"type": "context", "elements": [_plain(since, _FIELD)]}


def _plain(text: str, longest: int) -> Block:
    return {"type": "plain_text", "text": shorten(text, longest), "emoji": False}


def _fallback(text: str) -> str:
    """For notifications and old clients; Slack reads markup here, so its three letters go."""
    short = shorten(text, _TEXT)
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
