"""Why a message is refused: where, for which reason, what was expected. Never what it says.

The decoder's own errors may quote values, so only their form is read here: which reason, and a
path made of the names that our structs have. The words come from the structs.
"""

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

import msgspec
from msgspec import Struct

from schemas import shape
from schemas.deadletter import Refusal
from schemas.fields import Site
from schemas.messages import BY_TAG, EVENTS, tag

ONE_OBJECT = "one UTF-8 JSON object"
_CONFLUENT = "JSON; this begins with a zero byte, like the Confluent wire format"
_ONE_EVENT = "one of " + ", ".join(map(tag, EVENTS))
_NO_JSON = object()

# What msgspec's messages begin with; the first that matches. A test holds each of them to msgspec.
_READINGS: tuple[tuple[re.Pattern[str], Refusal], ...] = (
    (re.compile(r"Object missing required field"), "missing_field"),
    (re.compile(r"Invalid RFC3339"), "bad_time"),
    (re.compile(r"Expected `datetime` with a timezone"), "bad_time"),
    (re.compile(r"Expected `str` of length <="), "too_long"),
    (re.compile(r"Expected `(?:object|array)` of length <="), "too_many"),
    (re.compile(r"Expected `\w+` of length"), "bad_value"),
    (re.compile(r"Expected `str` matching"), "bad_pattern"),
    (re.compile(r"Expected `(?:int|float)` [<>]"), "out_of_range"),
    (re.compile(r"Integer value out of range"), "out_of_range"),
    (re.compile(r"Number out of range"), "not_finite"),
    (re.compile(r"Expected"), "wrong_type"),
)
_PLACE = re.compile(r" - at (?P<key>`key` in )?`(?P<path>\$[^`]*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_SAFE_PATH = re.compile(r"\$(?:\.[a-z_0-9]+|\[\d+\]|\[\.\.\.\])*")


class Refused(Struct, frozen=True, kw_only=True):
    """A message that cannot be taken. `site` is what it names, where that can be read."""

    path: str
    reason: Refusal
    expected: str | None = None
    site: str | None = None


def of_undecodable(
    error: msgspec.DecodeError | UnicodeDecodeError | RecursionError,
    body: bytes,
    root: type[Struct] | None = None,
) -> Refused:
    """Why msgspec does not take a body; `root` is what it was declared to be, else its `type`."""
    if isinstance(error, UnicodeDecodeError):
        return Refused(path="$", reason="not_utf8", expected=ONE_OBJECT)
    tree = _tree(body)
    if not isinstance(tree, dict):
        return _no_object(tree, body)
    if not isinstance(error, msgspec.ValidationError):
        return _malformed(tree)
    declared = tree.get("type")
    if root is None and (root := _event_named(declared)) is None:
        return Refused(
            path="$.type", reason=_no_event(declared), expected=_ONE_EVENT, site=_site(tree)
        )
    return _invalid(error, tree, root)


def of_undeclared(declared: str, path: str, body: bytes) -> Refused:
    """An envelope declares, at `path`, a type that is none of our events."""
    tree = _tree(body)
    site = _site(tree) if isinstance(tree, dict) else None
    return Refused(path=path, reason=_no_event(declared), expected=_ONE_EVENT, site=site)


def _tree(body: bytes) -> Any:
    """The body as Python reads it, with NaN and Infinity; `_NO_JSON` where even that fails."""
    try:
        return json.loads(body.decode(), parse_int=float)
    except (ValueError, RecursionError):
        return _NO_JSON


def _no_object(tree: Any, body: bytes) -> Refused:
    if tree is not _NO_JSON:
        return Refused(path="$", reason="not_an_object", expected=ONE_OBJECT)
    words = _CONFLUENT if body.startswith(b"\x00") else ONE_OBJECT
    return Refused(path="$", reason="not_json", expected=words)


def _malformed(tree: dict[str, Any]) -> Refused:
    """What Python reads and msgspec does not: NaN and Infinity, or half a surrogate pair."""
    path = next(_non_finite(tree, "$"), None)
    if path is None:
        return Refused(path="$", reason="not_json", expected=ONE_OBJECT, site=_site(tree))
    return Refused(path=path, reason="not_finite", expected="finite number", site=_site(tree))


def _event_named(declared: Any) -> type[Struct] | None:
    return next((event for event in EVENTS if tag(event) == declared), None)


def _no_event(declared: Any) -> Refusal:
    if declared is None:
        return "missing_field"
    if not isinstance(declared, str):
        return "wrong_type"
    return "not_an_event" if declared in BY_TAG else "unknown_type"


def _invalid(error: msgspec.ValidationError, tree: dict[str, Any], root: type[Struct]) -> Refused:
    path, site = _place(str(error)), _site(tree)
    if isinstance(error.__cause__, ValueError):  # a struct's own rule: a sentence of ours
        return Refused(path=path, reason="inconsistent", expected=str(error.__cause__), site=site)
    if path == "$.type" and root in EVENTS:
        return Refused(path=path, reason="inconsistent", expected=tag(root), site=site)
    return Refused(path=path, reason=_reason(str(error)), expected=_words(error, root), site=site)


def _reason(message: str) -> Refusal:
    return next((reason for start, reason in _READINGS if start.match(message)), "bad_value")


def _place(message: str) -> str:
    found = _PLACE.search(message)
    path = found["path"] + ("[...]" if found["key"] else "") if found else "$"
    if missing := _MISSING.match(message):
        path += "." + missing[1]
    return path if _SAFE_PATH.fullmatch(path) else "$"


def _words(error: msgspec.ValidationError, root: type[Struct]) -> str | None:
    message = str(error)
    if (found := _PLACE.search(message)) and found["key"]:
        return "names of 1 to 256 characters"
    return shape.describe(shape.at(shape.kinds_of(root), _place(message)))


def _site(tree: dict[str, Any]) -> str | None:
    try:
        return msgspec.convert(tree.get("site"), Site)
    except msgspec.ValidationError:
        return None


def _non_finite(tree: Any, path: str, levels: int = 8) -> Iterator[str]:
    """Where NaN and Infinity stand; no event of ours is as deep as `levels`."""
    if isinstance(tree, float) and not isfinite(tree):
        yield path
    elif isinstance(tree, dict) and levels:
        for name, value in tree.items():
            step = f".{name}" if name in _FIELDS else "[...]"
            yield from _non_finite(value, path + step, levels - 1)
    elif isinstance(tree, list) and levels:
        for index, value in enumerate(tree):
            yield from _non_finite(value, f"{path}[{index}]", levels - 1)


def _field_names() -> frozenset[str]:
    """Every field name of every event: what a path may say of a message that has no struct yet."""
    _, schemas = msgspec.json.schema_components(EVENTS)
    return frozenset(name for schema in schemas.values() for name in schema.get("properties", ()))


_FIELDS = _field_names()
