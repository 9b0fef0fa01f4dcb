"""One result object: whose study, when, and what may leave of it."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset

from schemas.fields import EARLIEST_YEAR, LATEST_YEAR
from schemas.prediction import Output, Prediction, PredictionStatus, Reason
from streams.ingest import _dicom_time
from streams.ingest._codes import Coding, Meaning
from streams.ingest._contract import Ingest, Untranslated
from streams.ingest._dicom_header import IDENTIFIERS, issuer, items, text
from streams.ingest._model import Declared, Model, model_of
from streams.ingest._sr_tree import Concept
from streams.ingest.guard import Guard

KEYWORDS = (
    *IDENTIFIERS,
    "SOPClassUID",
    "SOPInstanceUID",
    "IssuerOfAccessionNumberSequence",
    "CurrentRequestedProcedureEvidenceSequence",
    "Manufacturer",
    "ManufacturerModelName",
    "SoftwareVersions",
    "ContentDate",
    "ContentTime",
    "TimezoneOffsetFromUTC",
    "SpecificCharacterSet",
    "ValueType",
    "ConceptNameCodeSequence",
    "ContentSequence",
    "SegmentSequence",
)
MOST_EVIDENCE = 16
MOST_NOTED = 64
_PRIVATE_SCHEME = re.compile(r"99[A-Z0-9_]{1,14}")  # PS3.16 8.1: 99 begins a local scheme
_LOCAL_CODE = re.compile(r"[A-Za-z0-9._-]{1,16}")


class Context:
    """What the parts of a translator need to know of the object in hand."""

    def __init__(
        self, ingest: Ingest, header: Dataset, received_at: datetime, dropped: Counter[str]
    ) -> None:
        self.ingest = ingest
        self.header = header
        self.guard = Guard((text(header, keyword) for keyword in IDENTIFIERS), dropped)
        self._received_at = received_at
        self._dropped = dropped
        self._noted: dict[Untranslated, None] = {}

    def study(self) -> str | None:
        """The key of the study that was read: its evidence's, where the result is in another."""
        own = text(self.header, "StudyInstanceUID")
        read = [
            uid
            for item in items(
                self.header, "CurrentRequestedProcedureEvidenceSequence", most=MOST_EVIDENCE
            )
            if (uid := text(item, "StudyInstanceUID")) is not None
        ]
        uid = own if own in read or not read else read[0]
        if uid is None:
            return None
        if uid != own:  # the accession number is the other study's
            return self.ingest.links.learn(uid, None)
        number = text(self.header, "AccessionNumber")
        return self.ingest.links.learn(uid, number, issuer(self.header))

    def model(self, declared: Declared) -> Model | None:
        """As events name it; None where it may not leave."""
        return model_of(declared, self.ingest.models, self.guard)

    def meaning(self, concept: Concept, where: str) -> Meaning:
        """What a code means here."""
        return Meaning(self.ingest.codes, concept, where)

    def unknown(self, meaning: Meaning, where: str) -> None:
        """Note, once, that nobody has mapped a code. One that may be a person's is not told."""
        told = meaning.unknown.code
        if told is None:
            local = next((c for c in meaning.codings if _is_local(c)), None)
            told = None if local is None else f"{local.scheme} {local.code}"
        self._note(Untranslated("unknown_code", where, self.guard.passes(told)))

    def bad(self, where: str) -> None:
        """Note, once, that a value cannot be."""
        self._note(Untranslated("bad_value", where))

    def missing(self, where: str) -> None:
        """Note, once, that something is not there."""
        self._note(Untranslated("missing_field", where))

    def _note(self, what: Untranslated) -> None:
        if len(self._noted) < MOST_NOTED:
            self._noted[what] = None
        elif what not in self._noted:
            self._dropped["note_overflow"] += 1

    def noted(self) -> Iterator[Untranslated]:
        """All that was noted."""
        yield from self._noted

    def prediction(
        self,
        study: str,
        model: Model,
        outputs: list[Output],
        status: PredictionStatus = "completed",
        reason: Reason | None = None,
        features: dict[str, float] | None = None,
    ) -> Prediction:
        """The event. The same object sent again is the same event."""
        uid = text(self.header, "SOPInstanceUID")
        key = self.ingest.pseudonyms.key("report", uid, "/".join(model)) if uid else None
        return Prediction(
            site=self.ingest.site,
            study=study,
            model=model.name,
            model_version=model.version,
            status=status,
            at=self._at(),
            outputs=outputs if status == "completed" else None,
            prediction=key,
            event_id=key,
            reason=reason,
            features=features,
        )

    def _at(self) -> datetime:
        """Its arrival; of old files the time of its content."""
        if self.ingest.stamps == "arrival":
            return self._received_at
        offset = _dicom_time.offset(text(self.header, "TimezoneOffsetFromUTC"))
        at = _dicom_time.moment(
            text(self.header, "ContentDate"),
            text(self.header, "ContentTime"),
            offset or ZoneInfo(self.ingest.timezone),
        )
        inside = at is not None and EARLIEST_YEAR < at.year < LATEST_YEAR
        return at if at is not None and inside else self._received_at


def _is_local(coding: Coding) -> bool:
    return bool(_PRIVATE_SCHEME.fullmatch(coding.scheme) and _LOCAL_CODE.fullmatch(coding.code))
