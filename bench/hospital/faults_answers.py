"""Faults of what the model of the chest says, and when."""

from bench.hospital.exam import Answer, Exam
from bench.hospital.fault import Fault, of_answers


def _lost(answer: Answer, _: Exam) -> None:
    answer.is_sent = False


def _half_lost(answer: Answer, exam: Exam) -> None:
    answer.is_sent = exam.random.random() < 0.5


def _ten_times_as_slow(answer: Answer, _: Exam) -> None:
    answer.turnaround_s *= 10


def _half_as_slow_again(answer: Answer, _: Exam) -> None:
    answer.turnaround_s *= 1.5


def _fails(answer: Answer, exam: Exam) -> None:
    if exam.random.random() < 0.12:
        answer.status = "failed"


def _higher(answer: Answer, _: Exam) -> None:
    answer.bias += 0.8


def _all_negative(answer: Answer, _: Exam) -> None:
    answer.is_called = False


def _calls_sooner(answer: Answer, _: Exam) -> None:
    answer.threshold = -1.0


def _stuck(answer: Answer, _: Exam) -> None:
    answer.stuck_score, answer.is_called = 0.1234, False


def _farther(answer: Answer, _: Exam) -> None:
    answer.distance = round(answer.distance + 0.35, 3)


def _next_version(answer: Answer, _: Exam) -> None:
    answer.version = "2.2.0"
    answer.bias += 0.4


def _shadow(answer: Answer, exam: Exam) -> None:
    answer.shadow = ("3.0.0", answer.logit + exam.random.gauss(0.8, 1.0))


_SCORES = (("output_drift", "pneumothorax.*"), ("performance_drift", "*"))
ANSWERS = (
    Fault(
        "no result for 3 hours",
        of_answers(_lost),
        (("missing_output", "*"), ("silence", "*")),
        2,
        hours=3,
    ),
    Fault(
        "half of the results lost for 6 hours",
        of_answers(_half_lost),
        (("missing_output", "*"), ("partial_silence", "*")),
        2,
        hours=6,
    ),
    Fault(
        "results ten times as slow for a day",
        of_answers(_ten_times_as_slow),
        (("latency", "*"), ("missing_output", "*")),
        2,
        hours=24,
    ),
    Fault(
        "results half as slow again",
        of_answers(_half_as_slow_again),
        (("output_drift", "turnaround_s"), ("output_drift", "inference_s"), ("latency", "*")),
        7,
    ),
    Fault("12 % of the answers fail", of_answers(_fails), (("failed_output", "*"),), 3),
    Fault(
        "scores of DX1 + .8 (logit)",
        of_answers(_higher, "DX1"),
        _SCORES,
        20,
        slice="scanner.station=DX1",
    ),
    Fault(
        "all calls of DX1 negative",
        of_answers(_all_negative, "DX1"),
        (*_SCORES, ("subgroup_gap", "*")),
        30,
        slice="scanner.station=DX1",
    ),
    Fault("it calls from .27 instead of .5", of_answers(_calls_sooner), _SCORES, 14),
    Fault("every score is .1234", of_answers(_stuck), (("data_quality", "*"), *_SCORES), 3),
    Fault(
        "embedding distance + .7 sd",
        of_answers(_farther),
        (("output_drift", "features.embedding_distance"),),
        10,
    ),
    Fault("version 2.2.0", of_answers(_next_version), (("version_change", "*"),), 7),
    Fault(
        "a shadow that calls more often",
        of_answers(_shadow),
        (("version_disagreement", "*"),),
        14,
    ),
)
