"""FHIR JSON within bounds, and careful looks into it: whatever is sent, only what fits is seen."""

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any, Literal

import msgspec

from schemas.fields import EARLIEST_YEAR, LATEST_YEAR

Tree = dict[str, Any]

LARGEST_BYTES = 64 * 1024 * 1024
MOST_ITEMS = 1_000
_LONGEST_WORD = 256
_MARK = b"\xef\xbb\xbf"
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?(Z|[+-]\d\d:\d\d)?)?"
)


class NotFhir(Exception):
    """The bytes are no FHIR JSON; says where it fails, never what stands there."""

    def __init__(
        self, where: str, reason: Literal["unreadable", "too_large", "unsupported"] = "unreadable"
    ) -> None:
        super().__init__(where)
        self.where = where
        self.reason = reason


def parse(content: bytes) -> Tree:
    """The resource. Raises NotFhir; XML is FHIR too, but not read here."""
    if len(content) > LARGEST_BYTES:
        raise NotFhir("resource", "too_large")
    bare = content.removeprefix(_MARK).strip()
    if bare.startswith(b"<"):
        raise NotFhir("XML", "unsupported")
    try:
        bare.decode()  # the decoder looks at no text that it skips
        tree = msgspec.json.decode(bare)
    except RecursionError:
        raise NotFhir("resource", "too_large") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotFhir("JSON") from None
    if not isinstance(tree, dict):
        raise NotFhir("JSON")
    return tree


def word(tree: Tree, name: str) -> str | None:
    """A short string; None where there is none, or something else.

    >>> word({"status": " final "}, "status"), word({"status": 7}, "status")
    ('final', None)
    """
    found = tree.get(name)
    if not isinstance(found, str):
        return None
    return found.strip()[:_LONGEST_WORD] or None


def long_text(tree: Tree, name: str) -> str:
    """A string of any length, or nothing."""
    found = tree.get(name)
    return found if isinstance(found, str) else ""


def tree_at(tree: Tree, name: str) -> Tree:
    """What is below a name; empty where it is nothing of the kind."""
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def trees(tree: Tree, *names: str, most: int = MOST_ITEMS) -> Iterator[Tree]:
    """The objects of a list, or the one that stands there alone; of several names in turn."""
    for name in names:
        found = tree.get(name)
        for one in found[:most] if isinstance(found, list) else [found]:
            if isinstance(one, dict):
                yield one


def number(tree: Tree, name: str) -> float | None:
    """A number that the wire can carry."""
    found = tree.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if abs(found) <= 1e30 else None


def moment(written: str | None, zone: tzinfo) -> datetime | None:
    """A date, dateTime or instant, aware; None where it is not one, or no whole day.

    >>> from datetime import UTC
    >>> moment("2026-01-05T08:15:00+01:00", UTC).isoformat()
    '2026-01-05T08:15:00+01:00'
    """
    found = _TIME.fullmatch(written or "")
    if found is None:
        return None
    day, clock, second, fraction, offset = found.groups()
    second = min(second or "00", "59")  # 60 is a leap second
    micros = (fraction or "0")[:6].ljust(6, "0")
    try:
        at = datetime.fromisoformat(f"{day}T{clock or '00:00'}:{second}.{micros}{offset or ''}")
    except ValueError:
        return None
    if not EARLIEST_YEAR < at.year < LATEST_YEAR:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)
