"""DICOM JSON (PS3.18, annex F) as a header: what may be read of one, and nothing else."""

from typing import Any

import msgspec
from msgspec import Struct, field
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from streams.ingest._dicom_header import KEYWORDS

MORE_KEYWORDS = ("NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances")
_CARRIED = {f"{tag_for_keyword(name):08X}" for name in (*KEYWORDS, *MORE_KEYWORDS)}
_ITEMS_MOST = 100
_SCRIPTS = ("Alphabetic", "Ideographic", "Phonetic")  # of a person's name, each may be missing


class _Attribute(Struct, frozen=True):
    values: list[Any] = field(name="Value", default_factory=list)


_Attributes = dict[str, _Attribute]
_decoder = msgspec.json.Decoder(list[_Attributes])


def headers_of(content: bytes) -> list[Dataset]:
    """An array of datasets; raises msgspec.DecodeError. No content at all is none (HTTP 204)."""
    if not content.strip():
        return []
    return [
        _dataset({tag: told for tag, told in attributes.items() if tag.upper() in _CARRIED})
        for attributes in _decoder.decode(content)
    ]


def _dataset(attributes: _Attributes) -> Dataset:
    dataset = Dataset()
    for tag, told in attributes.items():
        items = [one for one in told.values[:_ITEMS_MOST] if isinstance(one, dict)]
        if items and not any(script in items[0] for script in _SCRIPTS):
            nested = [_dataset(_item(one)) for one in items]
            dataset.add(DataElement(int(tag, 16), "SQ", Sequence(nested)))
        else:
            # Whatever it is, text and number are made of it later: LO parts it at backslashes.
            told_as = "\\".join(map(_text, told.values[:_ITEMS_MOST]))
            dataset.add(DataElement(int(tag, 16), "LO", told_as))
    return dataset


def _item(told: Any) -> _Attributes:
    """The plain values of an item; sequences within sequences are not needed."""
    attributes = msgspec.convert(told, _Attributes)
    return {
        tag: one
        for tag, one in attributes.items()
        if len(tag) == 8 and tag.isalnum() and not any(isinstance(v, dict) for v in one.values)
    }


def _text(value: Any) -> str:
    """A person's name stands by the scripts that it is written in; as in DICOM, `=` is between."""
    if not isinstance(value, dict):
        return str(value)
    return "=".join(str(value.get(script, "")) for script in _SCRIPTS).rstrip("=")
