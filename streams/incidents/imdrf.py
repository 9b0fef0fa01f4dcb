"""Suggested adverse event codes of an incident: IMDRF terminology, N43, from imdrf.toml.

They are written on each message of an incident, with their release, and looked up for those that
were written without. A suggestion, never a regulatory classification.
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
    known = incident.suggested_codes
    return codes_of(incident.kind) if known is None else known


@cache
def codes_of(kind: IncidentKind) -> list[str] | None:
    """Codes of a kind of incident, with their terms and release; None where there are none."""
    edition = table()
    row = edition.kinds.get(kind, Row())
    told = [f"{code} {edition.terms[code]} (IMDRF {edition.release})" for code in row.codes]
    return told or None
