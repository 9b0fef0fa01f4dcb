"""Unified Procedure Steps (PS3.4 CC): a cancelled one is why a result will not come.

One that is scheduled, in progress or completed is no event: the result itself says more, and a
completed step of which the result got lost must not settle it. The words of a reason
(0074,1238) are free text, and are not read; its code (CID 9300) says who has to act.
"""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from pydicom.dataset import Dataset

from schemas.prediction import PredictionStatus, Reason
from streams.ingest import _dicom_time
from streams.ingest._codes import Coding, is_known
from streams.ingest._contract import Translated, Untranslated
from streams.ingest._dicom_header import items, text
from streams.ingest._model import Declared, Model
from streams.ingest._sr_context import Context
from streams.ingest._sr_tree import coded

KEYWORDS = (
    "ProcedureStepState",
    "ProcedureStepProgressInformationSequence",
    "ProcedureStepDiscontinuationReasonCodeSequence",
    "ProcedureStepCancellationDateTime",
    "ScheduledStationNameCodeSequence",
    "ScheduledWorkitemCodeSequence",
    "UnifiedProcedureStepPerformedProcedureSequence",
    "InputInformationSequence",
    "ReferencedRequestSequence",
)
_STATES = ("SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED")
_STATE, _STATION, _REASON = "(0074,1000)", "(0040,4025)", "(0074,100E)"
# CID 9300. An input that the algorithm cannot take is `rejected`; what broke is `failed`; what the
# hospital called off is `not_applicable`; what comes again, or nobody explains, is `cancelled`.
_MEANS: dict[str, PredictionStatus] = {
    **dict.fromkeys(("110521", "110522", "110523", "110530"), "rejected"),
    **dict.fromkeys(("110501", "110524", "110526", "110527", "110533"), "failed"),
    **dict.fromkeys(("110513", "110516", "110528", "110529"), "cancelled"),
    **dict.fromkeys((str(code) for code in range(110502, 110513)), "not_applicable"),
    **dict.fromkeys(("110500", "110514", "110515", "113568"), "not_applicable"),
}
_CLINICAL = frozenset({"SCT", "SRT"})


def predictions(context: Context) -> Iterator[Translated]:
    """The cancelled one as a prediction that will not come."""
    step = context.header
    state = text(step, "ProcedureStepState")
    if state != "CANCELED":
        reason = "missing_field" if state is None else "bad_value"
        yield Untranslated("ignored" if state in _STATES else reason, _STATE)  # type: ignore[arg-type]
        return
    study, model = _study(context), _model(context)
    if study is None:
        yield Untranslated("missing_field", "(0040,4021)")
        return
    if model is None:
        yield Untranslated("missing_field", _STATION)
        return
    status, why = _why(step, context)
    told = context.prediction(study, model, [], status, why)
    at = _cancelled_at(step, context)
    yield told if at is None else replace(told, at=at)
    yield from context.noted()


def _why(step: Dataset, context: Context) -> tuple[PredictionStatus, Reason | None]:
    for item in (*_progress(step), step):
        for coding in coded(item, "ProcedureStepDiscontinuationReasonCodeSequence"):
            if coding.scheme in _CLINICAL:  # what ails the patient is not repeated
                return "not_applicable", None
            status = _MEANS.get(coding.code) if coding.scheme == "DCM" else None
            if status is not None:
                return status, Reason(code=coding.code, scheme="DCM")
            context.unknown(context.meaning((coding,), _REASON), _REASON)
            told = is_known(coding, context.ingest.codes)
            return "cancelled", _reason(coding) if told else None
    return "cancelled", None


def _reason(coding: Coding) -> Reason:
    return Reason(code=coding.code, scheme=coding.scheme)


def _progress(step: Dataset) -> Iterator[Dataset]:
    return items(step, "ProcedureStepProgressInformationSequence", most=1)


def _cancelled_at(step: Dataset, context: Context) -> datetime | None:
    """Of old files; what comes now is dated by its arrival."""
    if context.ingest.stamps == "arrival":
        return None
    offset = _dicom_time.offset(text(step, "TimezoneOffsetFromUTC"))
    zone = offset or ZoneInfo(context.ingest.timezone)
    for item in _progress(step):
        return _dicom_time.combined(text(item, "ProcedureStepCancellationDateTime"), zone)
    return None


def _model(context: Context) -> Model | None:
    """The station that performed it, or was to, else the kind of work."""
    step = context.header
    performed = items(step, "UnifiedProcedureStepPerformedProcedureSequence", most=1)
    codes = [
        *(coded(item, "PerformedStationNameCodeSequence") for item in performed),
        coded(step, "ScheduledStationNameCodeSequence"),
        coded(step, "ScheduledWorkitemCodeSequence"),
    ]
    names = [concept[0].code for concept in codes if concept]
    mapped = (name for name in names if context.ingest.models.find(name, None) is not None)
    name = next(mapped, names[0] if names else None)
    return None if name is None else context.model(Declared(name, None, None))


def _study(context: Context) -> str | None:
    """The study of its input, else of its request, by UID or accession number."""
    step, links = context.header, context.ingest.links
    requests = list(items(step, "ReferencedRequestSequence", most=8))
    inputs = items(step, "InputInformationSequence", most=64)
    numbers = (number for one in requests if (number := text(one, "AccessionNumber")) is not None)
    number = next(numbers, None)
    for one in (step, *inputs, *requests):
        if (uid := text(one, "StudyInstanceUID")) is not None:
            return links.learn(uid, number)
    return None if number is None else links.by_accession(number)
