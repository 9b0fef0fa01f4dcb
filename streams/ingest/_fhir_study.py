"""ImagingStudy as a study: what is on the list, whichever version of FHIR wrote it.

R4 has codings where R5 has concepts (modality), `procedureCode` where R5 has `procedure`; both are
read, since a resource does not say which version it is of.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from schemas.fields import Priority
from schemas.study import Patient, Scanner, Study
from streams.ingest._contract import Translated, Untranslated
from streams.ingest._fhir_codes import STUDY_STATES, codings, is_known
from streams.ingest._fhir_context import Context
from streams.ingest._fhir_device import declared_by
from streams.ingest._fhir_json import Tree, moment, number, tree_at, trees, word
from streams.ingest._fhir_keys import key_of_patient, key_of_study

_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}")
_NO_IMAGES = frozenset({"SR", "PR", "SEG", "KO", "DOC", "REG", "OT", "AU", "FID", "RWV", "PLAN"})
_PRIORITIES: dict[str, Priority] = {
    "routine": "routine",
    "urgent": "urgent",
    "asap": "urgent",
    "stat": "stat",
}
_SEXES: dict[str, Literal["F", "M", "O", "U"]] = {
    "female": "F",
    "male": "M",
    "other": "O",
    "unknown": "U",
}
_SIDES = {"24028007": "R", "7771000": "L", "51440002": "B"}
# DICOM PS3.16, Annex L: SNOMED's structures as BodyPartExamined names them.
_BODY_PARTS = {
    "51185008": "CHEST",
    "816094009": "CHEST",
    "69536005": "HEAD",
    "12738006": "BRAIN",
    "113345001": "ABDOMEN",
    "818981001": "ABDOMEN",
    "12921003": "PELVIS",
    "816092008": "PELVIS",
    "45048000": "NECK",
    "76752008": "BREAST",
    "39607008": "LUNG",
    "80891009": "HEART",
    "72696002": "KNEE",
    "16982005": "SHOULDER",
    "24136001": "HIP",
    "85562004": "HAND",
    "56459004": "FOOT",
}
_MOST_SERIES = 200
_OLDEST_YEARS = 90.0


def translated(study: Tree, context: Context) -> Translated:
    """The study, or why there is none."""
    status = word(study, "status")
    if status is None:
        return Untranslated("missing_field", "ImagingStudy.status")
    state = STUDY_STATES.get(status)
    if state is None:
        return Untranslated("unsupported", "ImagingStudy.status")
    key = key_of_study(study, context)
    if key is None:
        return Untranslated("missing_field", "ImagingStudy.identifier")
    modality = _modality(study, context)
    if modality is None:
        return Untranslated("missing_field", "ImagingStudy.modality")
    began_at = moment(word(study, "started"), context.zone)
    live = context.ingest.stamps == "arrival"
    return Study(
        site=context.ingest.site,
        study=key,
        at=context.received_at if live else context.at(study, "started"),
        modality=modality,
        state=state,
        priority=_priority(study, context),
        body_part=_body_part(study, context),
        procedure=_procedure(study, context),
        scanner=_scanner(study, context),
        patient=_patient(study, began_at or context.received_at, context),
        attributes=dict(_attributes(study)) or None,
    )


def _modality(study: Tree, context: Context) -> str | None:
    """The first of images; reports and segmentations are made later."""
    series = trees(study, "series", most=_MOST_SERIES)
    told = [
        coding.code
        for concept in (*trees(study, "modality"), *(tree_at(one, "modality") for one in series))
        for coding in codings(concept)
        if coding.scheme in ("DCM", "") and _CODE_STRING.fullmatch(coding.code)
    ]
    told.sort(key=_NO_IMAGES.__contains__)  # stable: else in their order
    return context.guard.passes(told[0]) if told else None


def _priority(study: Tree, context: Context) -> Priority:
    for order in trees(study, "basedOn", most=20):
        told = word(context.resources.find(order, study), "priority")
        if told in _PRIORITIES:
            return _PRIORITIES[told]
    return "routine"


def _body_part(study: Tree, context: Context) -> str | None:
    for series in trees(study, "series", most=_MOST_SERIES):
        for coding in codings(tree_at(series, "bodySite")):
            if coding.scheme == "SCT" and is_known(coding, context.ingest.codes):
                named = _BODY_PARTS.get(coding.code, f"SCT:{coding.code}")
                return context.guard.passes(named)
    return None


def _procedure(study: Tree, context: Context) -> str | None:
    for concept in trees(study, "procedureCode", "procedure"):
        for coding in codings(concept):
            if is_known(coding, context.ingest.codes):
                return context.guard.passes(f"{coding.scheme}:{coding.code}"[:256])
    return None


def _scanner(study: Tree, context: Context) -> Scanner | None:
    """The device that performed a series, where one is told."""
    for series in trees(study, "series", most=_MOST_SERIES):
        for performer in trees(series, "performer", most=20):
            actor = tree_at(performer, "actor")
            device = context.resources.find(actor, series) or context.resources.find(actor, study)
            if device.get("resourceType") == "Device":
                told = declared_by(device)
                station = word(device, "serialNumber") or word(device, "id")
                return Scanner(
                    manufacturer=context.guard.passes(word(device, "manufacturer")),
                    model=context.guard.passes(told.name) if told else None,
                    software=context.guard.passes(told.version) if told else None,
                    station=context.ingest.pseudonyms.short("station", station)
                    if station
                    else None,
                )
    return None


def _patient(study: Tree, at: datetime, context: Context) -> Patient | None:
    person = context.resources.find(tree_at(study, "subject"), study)
    key = key_of_patient(study, context)
    patient = Patient(
        key=key,
        sex=_SEXES.get(word(person, "gender") or ""),
        age_years=age_years(word(person, "birthDate"), at),
    )
    return None if patient == Patient() else patient


def age_years(born: str | None, at: datetime) -> float | None:
    """Whole years, of infants whole months, 90 for 90 and more: no date can be counted back.

    >>> from datetime import UTC
    >>> [age_years(born, datetime(2026, 3, 1, tzinfo=UTC)) for born in ("1930-05", "2025-12-31")]
    [90.0, 0.17]
    """
    found = re.fullmatch(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", born or "")
    if found is None:
        return None
    year, month, day = (int(part or 1) for part in found.groups())
    months = (at.year - year) * 12 + at.month - month - (at.day < day)
    if months < 0:
        return None
    years = float(months // 12) if months >= 24 else round(months / 12, 2)
    return min(years, _OLDEST_YEARS)


def _attributes(study: Tree) -> Iterator[tuple[str, float | str]]:
    for name, field in (("series_n", "numberOfSeries"), ("instances_n", "numberOfInstances")):
        told = number(study, field)
        if told is not None and told >= 0:
            yield name, told
    for series in trees(study, "series", most=_MOST_SERIES):
        for coding in codings(tree_at(series, "laterality")):
            if coding.scheme == "SCT" and coding.code in _SIDES:
                yield "laterality", _SIDES[coding.code]
                return
