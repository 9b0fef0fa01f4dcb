"""DICOM images as studies: header only, what is on the list, keys for identifiers.

Each file is an upsert of its study; streams/ingest/assembly.py makes one of many. Structured
reports, segmentations, and what a declared model wrote (`[[ingest.models]]`) are the business of
`sr`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from msgspec import Struct
from pydicom.dataset import Dataset

from schemas.fields import EARLIEST_YEAR, LATEST_YEAR
from schemas.study import Patient, Scanner, Study
from streams.ingest import _dicom_time
from streams.ingest._contract import Ingest, Translated, Untranslated
from streams.ingest._dicom_header import IDENTIFIERS, issuer, items, number, read, text
from streams.ingest._sr_objects import is_of_a_model
from streams.ingest.guard import Guard

_RESULT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.88.",  # structured reports
    "1.2.840.10008.5.1.4.1.1.66.",  # segmentations, registrations, raw data
    "1.2.840.10008.5.1.4.34.6",  # unified procedure steps
    "1.2.840.10008.5.1.4.1.1.11.",  # presentation states
    "1.2.840.10008.5.1.4.1.1.104.",  # encapsulated documents
)
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}")
_AGE = re.compile(r"(\d{3})([DWMY])")
_DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
OLDEST_YEARS = 90.0


class Instance(Struct, frozen=True):
    """One image: the study as it tells it, and keys that tell series and instances apart."""

    study: Study
    series: str
    instance: str


class Translator:
    """See streams.ingest.Translator."""

    kind: ClassVar[str] = "dicom"

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._zone = ZoneInfo(ingest.timezone)
        self.dropped: Counter[str] = Counter()

    def translate(self, content: bytes, received_at: datetime) -> Iterator[Translated]:
        """One study for an image file."""
        found = self.instance(content, received_at)
        yield found.study if isinstance(found, Instance) else found

    def instance(self, content: bytes, received_at: datetime) -> Instance | Untranslated:
        """The image with what is needed to count it."""
        header = read(content)
        if isinstance(header, Untranslated):
            return header
        return self.of_header(header, received_at)

    def of_header(self, header: Dataset, received_at: datetime) -> Instance | Untranslated:
        """The same of a dataset that was read already."""
        is_result = (text(header, "SOPClassUID") or "").startswith(_RESULT_CLASSES)
        if is_result or is_of_a_model(header, self._ingest.models):
            return Untranslated("not_of_this_kind", "(0008,0016)")
        study_uid, modality = text(header, "StudyInstanceUID"), text(header, "Modality")
        if study_uid is None:
            return Untranslated("missing_field", "(0020,000D)")
        if modality is None:
            return Untranslated("missing_field", "(0008,0060)")
        if not _CODE_STRING.fullmatch(modality):
            return Untranslated("bad_value", "(0008,0060)")
        keys = self._ingest.pseudonyms
        guard = Guard((text(header, keyword) for keyword in IDENTIFIERS), self.dropped)
        return Instance(
            study=self._study(header, guard, study_uid, modality, received_at),
            series=keys.key("study", text(header, "SeriesInstanceUID") or ""),
            instance=keys.key("study", text(header, "SOPInstanceUID") or ""),
        )

    def _study(
        self, header: Dataset, guard: Guard, study_uid: str, modality: str, received_at: datetime
    ) -> Study:
        at = self._at(header) if self._ingest.stamps == "header" else None
        return Study(
            site=self._ingest.site,
            study=self._ingest.links.learn(
                study_uid, text(header, "AccessionNumber"), issuer(header)
            ),
            at=at or received_at,
            modality=modality,
            body_part=guard.passes(_code(header, "BodyPartExamined")),
            procedure=guard.passes(_procedure(header)),
            view=guard.passes(_code(header, "ViewPosition")),
            scanner=self._scanner(header, guard),
            acquisition=dict(_guarded(_acquisition(header), guard)) or None,
            patient=self._patient(header),
            attributes=dict(_guarded(_attributes(header), guard)) or None,
        )

    def _scanner(self, header: Dataset, guard: Guard) -> Scanner:
        station = text(header, "StationName")
        return Scanner(
            manufacturer=guard.passes(text(header, "Manufacturer")),
            model=guard.passes(text(header, "ManufacturerModelName")),
            software=guard.passes(text(header, "SoftwareVersions")),
            station=self._ingest.pseudonyms.short("station", station) if station else None,
        )

    def _patient(self, header: Dataset) -> Patient:
        number_of, issuer = text(header, "PatientID"), text(header, "IssuerOfPatientID") or ""
        sex = text(header, "PatientSex")
        return Patient(
            key=self._ingest.pseudonyms.key("patient", number_of, issuer) if number_of else None,
            sex=sex if sex in ("F", "M", "O") else None,  # type: ignore[arg-type]
            age_years=age_years(text(header, "PatientAge")),
        )

    def _at(self, header: Dataset) -> datetime | None:
        """When it was acquired, or else when the study began."""
        zone = _dicom_time.offset(text(header, "TimezoneOffsetFromUTC")) or self._zone
        at = _dicom_time.combined(text(header, "AcquisitionDateTime"), zone)
        for what in ("Acquisition", "Content", "Study"):
            at = at or _dicom_time.moment(
                text(header, f"{what}Date"), text(header, f"{what}Time"), zone
            )
        return at if at is not None and EARLIEST_YEAR < at.year < LATEST_YEAR else None


def age_years(written: str | None) -> float | None:
    """An age string in years, 90 for 90 and more.

    >>> age_years("006M"), age_years("101Y"), age_years("old")
    (0.5, 90.0, None)
    """
    found = _AGE.fullmatch(written or "")
    if found is None:
        return None
    years = int(found[1]) * _DAYS[found[2]] / _DAYS["Y"]
    return min(round(years, 2), OLDEST_YEARS)


def _guarded(
    named: Iterable[tuple[str, float | str]], guard: Guard
) -> Iterator[tuple[str, float | str]]:
    for name, value in named:
        if not isinstance(value, str) or guard.passes(value) is not None:
            yield name, value


def _code(header: Dataset, keyword: str) -> str | None:
    """A code string; anything else in its place may be free text."""
    found = text(header, keyword)
    return found if found is not None and _CODE_STRING.fullmatch(found) else None


def _procedure(header: Dataset) -> str | None:
    """Scheme and code of the procedure; its meaning is free text."""
    for item in items(header, "ProcedureCodeSequence", most=1):
        scheme, code = text(item, "CodingSchemeDesignator"), text(item, "CodeValue")
        if scheme and code and len(scheme) + len(code) <= 48:
            return f"{scheme}:{code}"
    return None


def _acquisition(header: Dataset) -> Iterator[tuple[str, float | str]]:
    exposure_uas = number(header, "ExposureInuAs")
    exposure_mas = number(header, "Exposure") if exposure_uas is None else exposure_uas / 1000
    measures, beam = _of_frames(header, "PixelMeasures"), _of_frames(header, "CTXRayDetails")
    pixel_mm = number(header, "ImagerPixelSpacing") or number(measures, "PixelSpacing")
    numbers = {
        "kvp": number(beam, "KVP"),
        "exposure_mas": exposure_mas,
        "slice_mm": number(measures, "SliceThickness"),
        "pixel_mm": pixel_mm,
        "rows": number(header, "Rows"),
        "cols": number(header, "Columns"),
        "bits": number(header, "BitsStored"),
    }
    yield from ((name, value) for name, value in numbers.items() if value is not None)
    kernel = text(_of_frames(header, "CTReconstruction"), "ConvolutionKernel")
    if kernel is not None and len(kernel) <= 16:
        yield "kernel", kernel


def _of_frames(header: Dataset, group: str) -> Dataset:
    """What all frames of an enhanced image share (PS3.3, C.7.6.16); of another the header."""
    for shared in items(header, "SharedFunctionalGroupsSequence", most=1):
        return next(items(shared, f"{group}Sequence", most=1), header)
    return header


def _attributes(header: Dataset) -> Iterator[tuple[str, float | str]]:
    for name, keyword in (
        ("laterality", "ImageLaterality"),
        ("photometric", "PhotometricInterpretation"),
        ("intent", "PresentationIntentType"),
    ):
        value = _code(header, keyword) or (
            _code(header, "Laterality") if name == "laterality" else None
        )
        if value is not None:
            yield name, value
