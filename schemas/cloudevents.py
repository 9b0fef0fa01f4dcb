"""CloudEvents 1.0 on Kafka: in as structured or binary, out as binary headers.

In, a content type of `application/cloudevents+json` means structured, else a `ce_type` header means
binary, else the message is bare. The type that the envelope declares decides: the body need not
repeat it, and must not contradict it. CloudEvents identify an event by source and id together, and
so does the `event_id` that is made of them where the body brings none.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from schemas.deadletter import DeadLetter
from schemas.incident import Incident
from schemas.messages import Effect, tag
from schemas.notification import Notification
from schemas.outcome import Outcome
from schemas.refusal import Refused, of_undecodable
from schemas.reply import Reply
from schemas.series import SeriesPoint

Headers = Iterable[tuple[str, bytes | None]]
SOURCE = "radvigil"
STRUCTURED = "application/cloudevents+json"
_FAMILY = "application/cloudevents"
_EVENT_ID_MAX = 256


class Envelope(Struct, frozen=True):
    """What surrounds a body: the type it declares, where that and the body stand, a default id."""

    type: str
    type_path: str
    body: bytes
    body_path: str
    event_id: str | None


class _Structured(Struct, frozen=True):
    specversion: Literal["1.0"]
    type: str
    source: str
    id: str
    data: Raw = Raw()  # empty where there is none; null is a value
    data_base64: bytes | None = None


_decoder = msgspec.json.Decoder(_Structured)


def open_envelope(value: bytes, headers: Headers) -> Envelope | Refused | None:
    """The envelope of a message; None for a bare one."""
    given = {name.lower(): content or b"" for name, content in headers}
    media_type = _text(given, "content-type").partition(";")[0].strip().lower()
    if media_type == STRUCTURED:
        return _structured(value)
    if media_type.startswith(_FAMILY):
        return Refused(path="headers.content-type", reason="bad_value", expected=STRUCTURED)
    if "ce_type" in given:
        return _binary(value, given)
    return None


def _binary(value: bytes, given: Mapping[str, bytes]) -> Envelope | Refused:
    if given.get("ce_specversion", b"1.0") != b"1.0":
        return Refused(path="headers.ce_specversion", reason="bad_value", expected="1.0")
    return Envelope(
        type=_text(given, "ce_type"),
        type_path="headers.ce_type",
        body=value,
        body_path="$",
        event_id=_event_id(_text(given, "ce_source"), _text(given, "ce_id")),
    )


def _structured(value: bytes) -> Envelope | Refused:
    try:
        value.decode()
        event = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return of_undecodable(error, value, _Structured)
    data = bytes(event.data)
    if data and event.data_base64 is not None:
        return Refused(path="$", reason="inconsistent", expected="one of data and data_base64")
    if data:
        path, body = "$.data", data
    elif event.data_base64 is not None:
        path, body = "$.data_base64", event.data_base64
    else:
        return Refused(path="$.data", reason="missing_field", expected="object")
    return Envelope(event.type, "$.type", body, path, _event_id(event.source, event.id))


def _text(given: Mapping[str, bytes], name: str) -> str:
    return given.get(name, b"").decode(errors="backslashreplace")


def _event_id(source: str, identifier: str) -> str | None:
    if not identifier:
        return None
    both = f"{source}#{identifier}" if source else identifier
    return both if len(both) <= _EVENT_ID_MAX else sha256(both.encode()).hexdigest()


def headers_of(message: Effect | DeadLetter, source: str = SOURCE) -> list[tuple[str, bytes]]:
    """The binary-mode headers of a message that we publish; the same message, the same headers.

    `ce_id` names what happened, not when it was sent, so that a reader can drop a repetition.
    """
    subject, identifier = _identity(message)
    attributes = (
        ("ce_specversion", "1.0"),
        ("ce_id", identifier),
        ("ce_source", source),
        ("ce_type", tag(type(message))),
        ("ce_time", rfc3339(message.at)),
        ("ce_subject", subject),
        ("content-type", "application/json"),
    )
    return [(name, value.encode()) for name, value in attributes]


def _identity(message: Effect | DeadLetter) -> tuple[str, str]:
    match message:
        case Incident(incident=incident, seq=seq):
            return incident, f"{incident}/{seq}"
        case Outcome(site=site, study=study, model=model, revision=revision):
            return study, f"{site}/{study}/{model}/{revision}"
        case SeriesPoint(site=site, subject=subject, model=model, at=at):
            return subject, f"{site}/{model or ''}/{subject}/{rfc3339(at)}"
        case Notification(notification=notification, key=key):
            return key, notification
        case Reply(command_id=command_id, site=site, at=at, reason=reason):
            return command_id, f"{site}/{command_id}/{reason}/{rfc3339(at)}"
        case DeadLetter(topic=topic, partition=partition, offset=offset):
            place = f"{topic}/{'' if partition is None else partition}/{offset}"
            return place, place


def rfc3339(moment: datetime) -> str:
    """An aware time in UTC, ending in Z.

    >>> rfc3339(datetime(2026, 3, 1, 6, 30, tzinfo=UTC))
    '2026-03-01T06:30:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
