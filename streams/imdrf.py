"""Suggested adverse event codes of an incident: IMDRF terminology, N43, from streams/imdrf.toml.

They are looked up when an incident is read, not when it is written, so that a new edition of the
table needs no new incidents. A suggestion, never a regulatory classification.
"""

from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.incident import Incident, IncidentKind

FILE = Path(__file__).with_suffix(".toml")


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """The codes of a kind, the likeliest first; or why there are none."""

    codes: list[str] = []
    none: str = ""


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """One edition."""

    release: str
    source: str
    terms: dict[str, str]
    kinds: dict[IncidentKind, Row]


@cache
def table() -> Table:
    """The table that this version ships."""
    return msgspec.toml.decode(FILE.read_bytes(), type=Table)


def suggested(incident: Incident) -> list[str] | None:
    """Codes with their terms and release; those that it has already, else by its kind."""
    if incident.suggested_codes is not None:
        return incident.suggested_codes
    edition = table()
    row = edition.kinds.get(incident.kind, Row())
    told = [f"{code} {edition.terms[code]} (IMDRF {edition.release})" for code in row.codes]
    return told or None
