"""Unified Procedure Steps, as files or as DICOM JSON: why an algorithm's result will not come.

JSON (PS3.18 F) is what a DICOMweb server answers to `GET /workitems`: one object, or a list.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from schemas.fields import MAX_MESSAGE_BYTES
from streams.ingest import _ups_item
from streams.ingest._contract import Ingest, Translated, Untranslated
from streams.ingest._dicom_header import read, text
from streams.ingest._sr_context import KEYWORDS, Context

MOST_STEPS = 10_000
_WORK = "1.2.840.10008.5.1.4.34.6"
_KEYWORDS = KEYWORDS + _ups_item.KEYWORDS
_TAGS = tuple(f"{tag_for_keyword(keyword):08X}" for keyword in _KEYWORDS)


class Translator:
    """See streams.ingest.Translator."""

    kind: ClassVar[str] = "ups"

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self.dropped: Counter[str] = Counter()

    def translate(self, content: bytes, received_at: datetime) -> Iterator[Translated]:
        """One prediction for each step that was cancelled."""
        for step in _steps(content):
            if isinstance(step, Untranslated):
                yield step
            elif not (text(step, "SOPClassUID") or "").startswith(_WORK):
                yield Untranslated("not_of_this_kind", "(0008,0016)")
            else:
                context = Context(self._ingest, step, received_at, self.dropped)
                yield from _ups_item.predictions(context)


def _steps(content: bytes) -> Iterator[Dataset | Untranslated]:
    if content.lstrip()[:1] not in (b"{", b"["):
        yield read(content, _KEYWORDS)
        return
    if len(content) > MAX_MESSAGE_BYTES:
        yield Untranslated("too_large", "file")
        return
    try:
        told = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield Untranslated("unreadable", "file")
        return
    steps = told if isinstance(told, list) else [told]
    yield from map(_from_json, steps[:MOST_STEPS])
    if len(steps) > MOST_STEPS:
        yield Untranslated("too_large", "file")


def _from_json(step: Any) -> Dataset | Untranslated:
    """Only what is wanted is turned into a dataset."""
    if not isinstance(step, dict):
        return Untranslated("unreadable", "file")
    try:
        return Dataset.from_json({tag: step[tag] for tag in _TAGS if tag in step})
    except Exception:  # a parser of others on any values whatever
        return Untranslated("unreadable", "file")
