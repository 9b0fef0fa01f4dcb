"""Faults that only the reports show, and what of reports is none."""

from bench.hospital.exam import Answer, Exam
from bench.hospital.fault import Fault, of_answers

_MISSED = 4.3  # logits: what is ill looks healthy
_DAY_US = 86_400_000_000


def _misses(answer: Answer, exam: Exam) -> None:
    if answer.is_ill and exam.random.random() < 0.3:
        answer.bias -= _MISSED


def _misses_women(answer: Answer, exam: Exam) -> None:
    if exam.sex == "F":
        _misses(answer, exam)


def _cries(answer: Answer, exam: Exam) -> None:
    if not answer.is_ill and exam.random.random() < 0.06:
        answer.bias += _MISSED


def _sicker(answer: Answer, _: Exam) -> None:
    answer.prevalence *= 2


def _surer(answer: Answer, _: Exam) -> None:
    answer.confidence = 1.8


def _read_later(exam: Exam) -> None:
    if exam.reported_us is not None:
        exam.reported_us += 3 * _DAY_US


def _fewer_verified(exam: Exam) -> None:
    exam.labelled_if_negative = 0.45


_PERFORMANCE = (("performance_drift", "*"), ("calibration_drift", "*"), ("subgroup_gap", "*"))
_SEEN = (("input_drift", "*.present"), ("output_drift", "pneumothorax.*"), *_PERFORMANCE)
REPORTS = (
    Fault(
        "30 % of the ill missed",
        of_answers(_misses),
        (("performance_drift", "*"), ("output_drift", "pneumothorax.*")),
        30,
    ),
    Fault(
        "30 % of the ill women missed, from the first day",
        of_answers(_misses_women),
        (("subgroup_gap", "*"),),
        30,
        from_first_day=True,
        slice="patient.sex=F",
    ),
    Fault("6 % of the healthy called", of_answers(_cries), _SEEN, 30),
    Fault("twice as many ill", of_answers(_sicker), _SEEN, 30),
    Fault(
        "scores too sure (logit x 1.8)",
        of_answers(_surer),
        (("calibration_drift", "*"), ("output_drift", "*")),
        30,
    ),
    Fault(
        "reports of 5 days 3 days later",
        _read_later,
        _PERFORMANCE,
        20,
        hours=120,
        is_none=True,
    ),
    Fault("half as many negatives verified", _fewer_verified, _PERFORMANCE, 30, is_none=True),
)
