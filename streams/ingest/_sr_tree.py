"""The content tree of a structured report (PS3.3 C.17.3): items with a concept and a value.

Bounded in depth. Of values only what is asked for is read.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple

from pydicom.dataset import Dataset

from streams.ingest._codes import Coding
from streams.ingest._dicom_header import items, number, text

MOST_DEPTH = 32
_MOST_CHILDREN = 100_000  # more than a document that `sr` takes can have
_TEXTS = {"TEXT": "TextValue", "UIDREF": "UID", "DATE": "Date", "TIME": "Time", "PNAME": ""}
_SNOMED_RT = frozenset({"SRT", "SNM3", "99SDM"})  # one code system by three names, PS3.16 8.

Concept = tuple[Coding, ...]
"""A code as written, and as SNOMED CT where it was written in SNOMED RT."""
NOTHING: Concept = ()


class TooLarge(Exception):
    """A tree that is too deep."""


class Item(NamedTuple):
    """One content item: what it speaks of, and what it says."""

    value_type: str
    concept: Concept
    dataset: Dataset
    children: tuple["Item", ...]

    def named(self, *codes: str) -> Iterator["Item"]:
        """The children with one of these DICOM concepts."""
        return (child for child in self.children if child.has(*codes))

    def has(self, *codes: str) -> bool:
        """Whether its concept is one of these of DICOM (DCM)."""
        return any(coding.scheme == "DCM" and coding.code in codes for coding in self.concept)

    def walk(self) -> Iterator["Item"]:
        """Itself and all below, in the order of the document."""
        waiting = [self]
        while waiting:
            item = waiting.pop()
            yield item
            waiting.extend(reversed(item.children))

    @property
    def relationship(self) -> str:
        """To the item above it; empty for the document."""
        return text(self.dataset, "RelationshipType") or ""

    @property
    def code(self) -> Concept:
        """The value of a CODE item."""
        return coded(self.dataset, "ConceptCodeSequence")

    @property
    def number(self) -> float | None:
        """The value of a NUM item."""
        for value in items(self.dataset, "MeasuredValueSequence", most=1):
            return number(value, "NumericValue")
        return None

    @property
    def unit(self) -> str | None:
        """The unit of a NUM item, as UCUM has it."""
        for value in items(self.dataset, "MeasuredValueSequence", most=1):
            for coding in coded(value, "MeasurementUnitsCodeSequence"):
                return coding.code
        return None

    @property
    def text(self) -> str | None:
        """The value of a TEXT, UIDREF, DATE or TIME item; that of a person's name never."""
        keyword = _TEXTS.get(self.value_type)
        return text(self.dataset, keyword) if keyword else None


def tree(document: Dataset) -> Item:
    """The tree of a document. Raises TooLarge."""
    return _item(document, MOST_DEPTH)


def coded(dataset: Dataset, keyword: str) -> Concept:
    """The code in a code sequence, without its meaning, which is text."""
    for item in items(dataset, keyword, most=1):
        code = text(item, "CodeValue") or text(item, "LongCodeValue") or text(item, "URNCodeValue")
        scheme = text(item, "CodingSchemeDesignator") or ""
        if code is None:
            return NOTHING
        written = Coding(scheme, code, scheme)
        newer = _snomed_ct().get(code) if scheme in _SNOMED_RT else None
        return (written,) if newer is None else (written, Coding("SCT", newer, "SCT"))
    return NOTHING


def _item(dataset: Dataset, depth: int) -> Item:
    if depth == 0:
        raise TooLarge
    below = items(dataset, "ContentSequence", most=_MOST_CHILDREN)
    return Item(
        text(dataset, "ValueType") or "",
        coded(dataset, "ConceptNameCodeSequence"),
        dataset,
        tuple(_item(content, depth - 1) for content in below),
    )


@cache
def _snomed_ct() -> dict[str, str]:
    """SNOMED RT to CT. Looked up when a document needs it: its neighbours take long to import."""
    mapping: dict[str, dict[str, str]] = import_module("pydicom.sr._snomed_dict").mapping
    return mapping["SRT"]
