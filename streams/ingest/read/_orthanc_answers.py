"""What Orthanc answers, as far as it is of use: changes, series, and the tags of an instance.

Orthanc Book, "REST API" and "Tracking changes". Its times are UTC.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from streams.ingest._dicom_header import KEYWORDS

_CARRIED = {f"{tag_for_keyword(name):08x}" for name in KEYWORDS}
_NESTED_MOST = 100


class Change(Struct, frozen=True):
    """Something that happened to a resource."""

    seq: int = field(name="Seq")
    what: str = field(name="ChangeType")
    resource: str = field(name="ID")
    date: str = field(name="Date")


class Changes(Struct, frozen=True):
    """A page of them. `last` is where to go on."""

    changes: list[Change] = field(name="Changes")
    done: bool = field(name="Done")
    last: int = field(name="Last")


class Series(Struct, frozen=True):
    """A series of a study, with its instances in the order in which they came."""

    tags: dict[str, Any] = field(name="MainDicomTags")
    instances: list[str] = field(name="Instances", default_factory=list)
    updated: str = field(name="LastUpdate", default="")


class _Tag(Struct, frozen=True):
    kind: str = field(name="Type")
    value: Any = field(name="Value", default=None)


_changes = msgspec.json.Decoder(Changes)
_series = msgspec.json.Decoder(list[Series])
_tags = msgspec.json.Decoder(dict[str, _Tag])


def changes_of(content: bytes) -> Changes:
    """`/changes`; raises msgspec.DecodeError."""
    return _changes.decode(content)


def series_of(content: bytes) -> list[Series]:
    """`/studies/{id}/series`; raises msgspec.DecodeError."""
    return _series.decode(content)


def header_of(content: bytes) -> Dataset:
    """`/instances/{id}/tags` as a header: what may be read of one; raises msgspec.DecodeError."""
    named = {tag.replace(",", ""): told for tag, told in _tags.decode(content).items()}
    return _dataset({tag: told for tag, told in named.items() if tag in _CARRIED})


def _dataset(tags: dict[str, _Tag]) -> Dataset:
    dataset = Dataset()
    for tag, told in tags.items():
        if told.kind == "String" and isinstance(told.value, str):
            # Whatever it is, text and number are made of it later: LO parts it at backslashes.
            dataset.add(DataElement(int(tag, 16), "LO", told.value))
        elif told.kind == "Sequence" and isinstance(told.value, list):
            items = [_dataset(_item(one)) for one in told.value[:_NESTED_MOST]]
            dataset.add(DataElement(int(tag, 16), "SQ", Sequence(items)))
    return dataset


def _item(told: Any) -> dict[str, _Tag]:
    """The strings of an item; sequences within sequences are not needed."""
    tags = msgspec.convert(told, dict[str, _Tag])
    flat = {tag.replace(",", ""): one for tag, one in tags.items() if one.kind == "String"}
    return {tag: one for tag, one in flat.items() if len(tag) == 8 and tag.isalnum()}


def moment(written: str) -> datetime | None:
    """A date as Orthanc writes it.

    >>> moment("20261121T101256").isoformat()
    '2026-11-21T10:12:56+00:00'
    """
    try:
        return datetime.strptime(written[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
