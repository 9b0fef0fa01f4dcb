"""Reads what may be carried of a DICOM file, and nothing else: PS3.3 attributes by keyword.

Free text (study, series and protocol descriptions, comments) is never read: descriptions are where
names hide. Pixel data are not read, and nothing is decompressed.
"""

import logging
import warnings
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from math import isfinite
from typing import Any

from pydicom import config
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from streams.ingest._contract import Untranslated

# pydicom repeats the values that it finds odd, in its log and in warnings: patients' values.
config.settings.reading_validation_mode = config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pydicom\..*")

LARGEST_BYTES = 512 * 1024 * 1024
HEADER_BYTES = 2 * 1024 * 1024
"""What is wanted stands within so many bytes, and nothing after them is looked at: made of nothing
but the least elements and items, they still take less than a second."""
MOST_ITEMS = 40_000
# Little and big endian. A last zero would be looked for at every pixel of a black image.
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0")
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_MOST_ICONS = 8
_DEFLATED = DeflatedExplicitVRLittleEndian.encode("ascii")
# Read to be keyed, or to be kept out: streams/ingest/guard.py.
IDENTIFIERS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "ReferringPhysicianName",
    "OperatorsName",
    "AccessionNumber",
    "StudyInstanceUID",
)
KEYWORDS = (
    *IDENTIFIERS,
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "IssuerOfAccessionNumberSequence",
    "IssuerOfPatientID",
    "PatientSex",
    "PatientAge",
    "Modality",
    "BodyPartExamined",
    "ProcedureCodeSequence",
    "ViewPosition",
    "ImageLaterality",
    "Laterality",
    "Manufacturer",
    "ManufacturerModelName",
    "SoftwareVersions",
    "StationName",
    "KVP",
    "ExposureInuAs",
    "Exposure",
    "SliceThickness",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "Rows",
    "Columns",
    "BitsStored",
    "ConvolutionKernel",
    "PhotometricInterpretation",
    "PresentationIntentType",
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentDate",
    "ContentTime",
    "StudyDate",
    "StudyTime",
    "TimezoneOffsetFromUTC",
    "SpecificCharacterSet",
    "SharedFunctionalGroupsSequence",
)
_SHARED_BY_FRAMES = 0x52009229


def read(content: bytes, keywords: tuple[str, ...] | None = KEYWORDS) -> Dataset | Untranslated:
    """The header of a file; all of it, without pixels, for `None`. Never raises."""
    if len(content) > LARGEST_BYTES:
        return Untranslated("too_large", "file")
    if content[128:132] != b"DICM":
        return Untranslated("not_of_this_kind", "file")
    head = content[: _before_pixels(content)]
    if _DEFLATED in head:  # the parser inflates before it can be asked: a small file to any size
        return Untranslated("unsupported", "(0002,0010)")
    if items_n(head) > MOST_ITEMS:
        return Untranslated("too_large", "sequence")
    try:
        return _parsed(head, keywords)
    except Exception:  # a parser of others on any bytes whatever: it raises nearly everything
        return Untranslated("unreadable", "file")


def _parsed(head: bytes, keywords: tuple[str, ...] | None) -> Dataset:
    tags: list[BaseTag | int] | None = None if keywords is None else [_tag(k) for k in keywords]
    return read_partial(BytesIO(head), _after_header, specific_tags=tags)


def _before_pixels(content: bytes) -> int:
    """Where uncompressed pixels begin that reach to the end; else as much as is read at most.

    What is scanned for bombs is what is parsed, wherever this says that the header ends. Pixel
    data within a sequence, of an icon, are not the last bytes.
    """
    at = -1
    for _ in range(_MOST_ICONS):
        at = content.find(_PIXEL_DATA, at + 1, HEADER_BYTES)
        if at < 0:
            break
        starts = (at + 8, at + 12)  # without and with a value representation, PS3.5 7.1.2
        if any(s + int.from_bytes(content[s - 4 : s], "little") == len(content) for s in starts):
            return at
    return HEADER_BYTES


def _after_header(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    """From the frames' own groups on: one item for each of thousands, then the pixels."""
    return int(tag) > _SHARED_BY_FRAMES


def items_n(content: bytes) -> int:
    """How many items of sequences there are at most, by their tag alone."""
    return max(content.count(item) for item in _ITEMS)


def text(dataset: Dataset, keyword: str) -> str | None:
    """The first value as text, trimmed; None where there is none, or it is longer than 256."""
    value = _first(dataset, keyword)
    if value is None or isinstance(value, Dataset):
        return None
    found = str(value).strip().strip("\0")
    return found if 0 < len(found) <= 256 and found.isprintable() else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a finite number."""
    value = _first(dataset, keyword)
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if isfinite(found) and abs(found) <= 1e30 else None


def items(dataset: Dataset, keyword: str, most: int = 1000) -> Iterator[Dataset]:
    """The items of a sequence, at most so many."""
    for index, item in enumerate(_value(dataset, keyword) or ()):
        if index < most and isinstance(item, Dataset):
            yield item


def issuer(dataset: Dataset) -> str:
    """Who gave the accession number; empty where it is not said."""
    for item in items(dataset, "IssuerOfAccessionNumberSequence", most=1):
        return text(item, "UniversalEntityID") or text(item, "LocalNamespaceEntityID") or ""
    return ""


def _first(dataset: Dataset, keyword: str) -> Any:
    value = _value(dataset, keyword)
    if isinstance(value, MultiValue | list | tuple):
        return value[0] if len(value) else None
    return value


def _value(dataset: Dataset, keyword: str) -> Any:
    """By tag: what has a keyword is first looked for among the attributes of Python."""
    try:
        element = dataset.get(_tag(keyword))
    except Exception:  # converted on access, by a parser of others
        return None
    return None if element is None else element.value


@cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)
