"""What algorithms give back as DICOM objects: structured reports, segmentations, and the like.

Measurement reports (TID 1500) and CAD reports become predictions with their findings; other objects
become the prediction that something came, where the product that wrote them is declared to be a
model (`[[ingest.models]]`). Workflow items are the business of `ups`.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from streams.ingest import _sr_cad, _sr_groups, _sr_objects, _ups_item
from streams.ingest._contract import Ingest, Translated, Untranslated
from streams.ingest._dicom_header import HEADER_BYTES, items_n, read, text
from streams.ingest._sr_context import KEYWORDS, Context
from streams.ingest._sr_tree import TooLarge, tree

MOST_ITEMS = 10_000
"""Of all sequences of a report, three or so for each content item: read within a second."""
_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.5")
_WORK = "1.2.840.10008.5.1.4.34.6"
_NO_RESULTS = frozenset(
    {
        _REPORTS + "40",  # procedure log
        _REPORTS + "59",  # key object selection
        _REPORTS + "67",  # radiation dose of X-rays, of a radiopharmaceutical, of the patient
        _REPORTS + "68",
        _REPORTS + "73",
        _REPORTS + "71",  # acquisition context
        _REPORTS + "74",  # imaging agent, planned and given
        _REPORTS + "75",
    }
)


class Translator:
    """See streams.ingest.Translator."""

    kind: ClassVar[str] = "sr"

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self.dropped: Counter[str] = Counter()

    def translate(self, content: bytes, received_at: datetime) -> Iterator[Translated]:
        """The predictions that an object is."""
        header = read(content, KEYWORDS + _ups_item.KEYWORDS)
        if isinstance(header, Untranslated):
            yield header
            return
        context = Context(self._ingest, header, received_at, self.dropped)
        sop_class = text(header, "SOPClassUID") or ""
        if sop_class in _NO_RESULTS:
            yield Untranslated("ignored", "(0008,0016)")
        elif sop_class.startswith(_REPORTS):
            yield from _report(context, content)
        elif sop_class in _SEGMENTATIONS:
            yield from _sr_objects.segmentation(context)
        elif sop_class.startswith(_WORK):
            yield from _ups_item.predictions(context)
        elif _sr_objects.is_of_a_model(header, self._ingest.models):
            yield from _sr_objects.declared_object(context)
        else:
            yield Untranslated("not_of_this_kind", "(0008,0016)")


def _report(context: Context, content: bytes) -> Iterator[Translated]:
    is_cut = len(content) > HEADER_BYTES
    if is_cut or items_n(content) > MOST_ITEMS:
        yield Untranslated("too_large", "(0040,A730)")
        return
    try:
        document = tree(context.header)
    except TooLarge:
        yield Untranslated("too_large", "(0040,A730)")
        return
    if document.has(*_sr_cad.TITLES):
        yield from _sr_cad.predictions(document, context)
    elif _sr_groups.is_measurement_report(document):
        yield from _sr_groups.predictions(document, context)
    else:
        yield Untranslated("unsupported", "(0040,A043)")
