"""An exam as events, each with the time at which it arrives."""

from collections.abc import Iterator
from random import Random

from msgspec.structs import replace

from bench.hospital.exam import Answer, Exam, share
from schemas.messages import Event
from schemas.prediction import Output, Prediction, Reason
from schemas.report import Label, Report
from schemas.study import Patient, Scanner, Study
from streams.clock import from_us, seconds_to_us

Arrival = tuple[int, Event]
"""When it arrives, in us, and what."""
_SENT_AGAIN, _PRELIMINARY = 0.04, 0.15
_WRONG, _UNCERTAIN = 0.03, 0.02
_LABELLED_IF_POSITIVE = 0.98


def arrivals(exam: Exam) -> Iterator[Arrival]:
    """All that is sent of an exam, in no order. How it travels is drawn from the exam's number."""
    if not exam.is_sent:
        return
    travel = Random(f"{exam.site}/{exam.number}")
    study, arrived_us = _study(exam), exam.at_us + _us(travel.expovariate(1 / 4))
    yield arrived_us, study
    if travel.random() < _SENT_AGAIN:
        yield arrived_us + _us(travel.expovariate(1 / 200)), study
    if exam.answer is not None and exam.answer.is_sent:
        yield from _predictions(exam, exam.answer, _us(travel.expovariate(1 / 2)))
    if exam.reported_us is not None:
        yield from _reports(exam, exam.reported_us, travel)


def _us(seconds: float) -> int:
    return seconds_to_us(round(seconds, 3))


def _key(exam: Exam) -> str:
    return f"{exam.site}-{exam.number}"


def _study(exam: Exam) -> Study:
    scanner = exam.scanner
    settings: dict[str, float | str | None] = {
        "kvp": exam.kvp,
        "pixel_mm": exam.pixel_mm,
        "exposure_mas": exam.exposure_mas,
        "kernel": exam.kernel,
        "slice_mm": exam.slice_mm,
    }
    sex = exam.sex
    return Study(
        site=exam.site,
        study=_key(exam),
        at=from_us(exam.at_us),
        modality=scanner.modality,
        priority=exam.priority,
        body_part=exam.body_part,
        procedure=exam.procedure,
        view=exam.view,
        scanner=Scanner(
            manufacturer=scanner.manufacturer,
            model=scanner.model,
            software=exam.software,
            station=scanner.station,
        ),
        acquisition={name: value for name, value in settings.items() if value is not None},
        patient=Patient(
            key=exam.patient,
            sex="F" if sex == "F" else "M" if sex == "M" else None,
            age_years=exam.age_years,
        ),
        attributes={"snr": exam.snr},
    )


def _predictions(exam: Exam, answer: Answer, travelled_us: int) -> Iterator[Arrival]:
    at_us = exam.at_us + _us(8 + answer.turnaround_s)
    started_us = at_us - _us(0.4 * answer.turnaround_s)
    name, finding = answer.reader.name, answer.reader.finding
    output = Output(finding=finding, score=answer.score, positive=answer.positive)
    is_completed = answer.status == "completed"
    features = {
        "image_quality": answer.quality,
        "embedding_distance": answer.distance,
        "uncertainty": round(1 - 2 * abs(answer.score - 0.5), 3),
    }
    prediction = Prediction(
        site=exam.site,
        study=_key(exam),
        model=name,
        model_version=answer.version,
        status=answer.status,
        at=from_us(at_us),
        started_at=from_us(started_us),
        outputs=[output] if is_completed else None,
        features=features if is_completed else None,
        reason=None if is_completed else Reason(code="E1"),
    )
    yield at_us + travelled_us, prediction
    if answer.shadow is None or not is_completed:
        return
    version, logit = answer.shadow
    yield (
        at_us + travelled_us + _us(5),
        Prediction(
            site=exam.site,
            study=_key(exam),
            model=name,
            model_version=version,
            status="completed",
            role="shadow",
            at=from_us(at_us + _us(5)),
            outputs=[Output(finding=finding, score=share(logit), positive=logit > 0)],
        ),
    )


def _reports(exam: Exam, at_us: int, travel: Random) -> Iterator[Arrival]:
    reader, has_preliminary = f"rd{travel.randint(1, 8)}", travel.random() < _PRELIMINARY
    labels, travelled_us = _labels(exam, travel), _us(travel.expovariate(1 / 20))
    final = Report(
        site=exam.site,
        study=_key(exam),
        report=f"r{exam.number}",
        status="final",
        at=from_us(at_us),
        reader=reader,
        labels=labels,
    )
    if has_preliminary:
        early_us = max(exam.at_us, at_us - _us(3_600))
        early = replace(final, status="preliminary", at=from_us(early_us), labels=None)
        yield early_us + _us(5), early
    yield at_us + travelled_us, final


def _labels(exam: Exam, travel: Random) -> list[Label]:
    """What the report says of the finding: mostly the truth, and not always anything."""
    wrong, unsure, said = travel.random(), travel.random(), travel.random()
    answer = exam.answer
    if answer is None:
        return []
    labelled = _LABELLED_IF_POSITIVE if answer.positive else exam.labelled_if_negative
    if said >= labelled:
        return []
    finding, is_ill = answer.reader.finding, answer.is_ill != (wrong < _WRONG)
    if unsure < _UNCERTAIN:
        return [Label(finding=finding, value="uncertain")]
    return [Label(finding=finding, value="present" if is_ill else "absent")]
