"""A fault that is planted at the site `north`: what it does, and as what it may be told."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.hospital.exam import Answer, Exam
from bench.hospital.rhythm import day_us
from bench.hospital.world import Alter

SITE = "north"
_HOUR_US = 3_600_000_000
_ONSET_HOUR = 10
_FOREVER_H = 1e5


@dataclass(frozen=True)
class Fault:
    """`told_as` are kinds and subjects, as shell-style patterns, of which one must be told.

    Where `is_none`, nothing is wrong with what is watched, and none of them may be told.
    """

    name: str
    alter: Alter
    told_as: tuple[tuple[str, str], ...]
    watched_days: int
    hours: float = _FOREVER_H
    slice: str | None = None
    """What must be named as the part of the studies that has it."""
    from_first_day: bool = False
    """It was always there: no reference is without it."""
    is_none: bool = False

    def onset_us(self, onset_day: int) -> int:
        """When it begins."""
        if self.from_first_day:
            return day_us(0)
        return day_us(onset_day) + _ONSET_HOUR * _HOUR_US

    def planted(self, onset_day: int) -> Alter:
        """What it does to the exams of its time and site."""
        from_us = self.onset_us(onset_day)
        until_us = from_us + int(self.hours * _HOUR_US)

        def alter(exam: Exam) -> None:
            if exam.site == SITE and from_us <= exam.at_us < until_us:
                self.alter(exam)

        return alter


def of_answers(change: Callable[[Answer, Exam], None], station: str | None = None) -> Alter:
    """Alter what the model of the chest says, of one scanner's images or of all."""

    def alter(exam: Exam) -> None:
        answer = exam.answer
        if answer is None or answer.reader.name != "ptx":
            return
        if station in (None, exam.scanner.station):
            change(answer, exam)

    return alter


def of_scanner(change: Alter, station: str) -> Alter:
    """Alter the exams of one scanner."""

    def alter(exam: Exam) -> None:
        if exam.scanner.station == station:
            change(exam)

    return alter
