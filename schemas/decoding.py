"""Bytes to events, strictly; anything to canonical bytes.

Taken: one UTF-8 JSON object of at most 1 MiB and 600 levels, bare or as a CloudEvent. Unknown
fields are ignored, of repeated names the last counts, and a repeated `type` must repeat itself.
Everything else comes back as a `Refused`, which never holds a value of the message.

Times are RFC 3339 with an offset, in the years 1900 to 2999. As RFC 3339 allows, `t`, `z` and a
space for the `T` are taken, an offset without its colon as well; a leap second, 24:00 and a time
without seconds are not. Digits beyond microseconds are rounded.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import structs

from schemas import shape
from schemas.cloudevents import Envelope, Headers, open_envelope
from schemas.fields import EARLIEST_YEAR, LATEST_YEAR, MAX_DEPTH, MAX_MESSAGE_BYTES
from schemas.incident import Evidence
from schemas.messages import EVENTS, MESSAGES, Event, Message, tag
from schemas.refusal import ONE_OBJECT, Refused, of_undeclared, of_undecodable

__all__ = ["Refused", "decode_event", "encode"]

_any_event: Callable[[bytes], Event] = msgspec.json.Decoder(Event).decode
_declared = {tag(event): (event, msgspec.json.Decoder(event).decode) for event in EVENTS}
_encoder = msgspec.json.Encoder(order="deterministic")
_TIMES = {
    message: shape.names_of(message, msgspec.inspect.DateTimeType)
    for message in (*MESSAGES, Evidence)
}
_SMALL = 2 * MAX_DEPTH  # bytes: each level of well-formed JSON has a begin and an end
_CALENDAR = f"year from {EARLIEST_YEAR} to {LATEST_YEAR}"
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(rb"[\[\]{}]")


def decode_event(value: bytes | None, headers: Headers = ()) -> Event | Refused:
    """The event that a message carries, or why it carries none. Never raises for its content."""
    if not value:
        return Refused(path="$", reason="empty", expected=ONE_OBJECT)
    if len(value) > _SMALL and (unfit := _unfit(value)) is not None:
        return unfit
    envelope = open_envelope(value, headers) if headers else None
    if envelope is None:
        return _decode(value)
    return envelope if isinstance(envelope, Refused) else _decode_enveloped(envelope)


def encode(message: Message | datetime) -> bytes:
    """Canonical JSON of a wire struct, or of one of its times: in UTC, map keys in order."""
    return _encoder.encode(_in_utc(message))


def _unfit(value: bytes) -> Refused | None:
    """Whether a body is too large or too deep to be looked at."""
    if len(value) > MAX_MESSAGE_BYTES:
        return Refused(path="$", reason="oversized", expected=f"at most {MAX_MESSAGE_BYTES} bytes")
    if _depth(value) > MAX_DEPTH:
        return Refused(path="$", reason="too_many", expected=f"at most {MAX_DEPTH} levels")
    return None


def _depth(value: bytes) -> int:
    """How deep arrays and objects are nested, or a bound on it that is low enough."""
    opened = value.count(b"[") + value.count(b"{")
    if opened <= MAX_DEPTH:
        return opened
    deepest = level = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", value)):
        level += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, level)
    return deepest


def _decode(
    body: bytes, decode: Callable[[bytes], Event] = _any_event, root: type[Event] | None = None
) -> Event | Refused:
    try:
        body.decode()  # msgspec looks at no text that it skips
        event = decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return of_undecodable(error, body, root)
    for name in _TIMES[type(event)]:
        moment = getattr(event, name)
        if moment is not None and not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            return Refused(
                path=f"$.{name}", reason="out_of_range", expected=_CALENDAR, site=event.site
            )
    return event


def _decode_enveloped(envelope: Envelope) -> Event | Refused:
    if (unfit := _unfit(envelope.body)) is not None:  # of what was base64
        return structs.replace(unfit, path=envelope.body_path)
    if envelope.type not in _declared:
        return of_undeclared(envelope.type, envelope.type_path, envelope.body)
    root, decode = _declared[envelope.type]
    event = _decode(envelope.body, decode, root)
    if isinstance(event, Refused):
        return structs.replace(event, path=envelope.body_path + event.path.removeprefix("$"))
    if getattr(event, "event_id", envelope.event_id) is None:
        return structs.replace(event, event_id=envelope.event_id)
    return event


def _in_utc(value: Any) -> Any:
    """The same value with every time in UTC, which alone is written with a Z."""
    if isinstance(value, datetime):
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    moved = {}
    for name in _TIMES[type(value)]:
        moment = getattr(value, name)
        if moment is not None and moment.tzinfo is not UTC:
            moved[name] = moment.astimezone(UTC)
    evidence = getattr(value, "evidence", None)
    if evidence is not None and (told := _in_utc(evidence)) is not evidence:
        moved["evidence"] = told
    return structs.replace(value, **moved) if moved else value
