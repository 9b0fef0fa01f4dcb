"""The exams of one site, day by day. The same seed gives the same exams."""

from bisect import bisect
from collections import deque
from collections.abc import Iterator
from itertools import accumulate
from math import exp, log, sqrt
from random import Random
from typing import NamedTuple, TypeVar

from bench.hospital.exam import READERS, Answer, Exam, Reader
from bench.hospital.rhythm import HOURS, Day, day_us, hours_of
from bench.hospital.scanner import Scanner, fleet
from schemas.fields import Priority
from schemas.prediction import PredictionStatus

T = TypeVar("T")
_HOUR_US = 3_600_000_000
_AGAIN, _REMEMBERED_N = 0.18, 400
_FOLLOWS = 0.3  # the signal to noise of a scanner's image on that of the one before
_OTHER_DX, _CT_PARTS = ("HAND", "KNEE", "SPINE"), ("HEAD", "HEAD", "CHEST", "ABDOMEN")
_CT_KVP, _CT_SLICE_MM = (100.0, 120.0, 120.0, 120.0, 140.0), (1.0, 2.0, 2.0, 5.0, 5.0)


class SiteKind(NamedTuple):
    """A site by its size. `per_day`: studies of a mean weekday."""

    name: str
    per_day: float
    dx_n: int
    ct_n: int


class _Patient(NamedTuple):
    key: str
    sex: str
    age_years: float


class Site:
    """One site of a hospital."""

    def __init__(self, kind: SiteKind, seed: int, differs: float = 1.0) -> None:
        self.kind = kind
        self._differs = differs
        self._seed = f"{seed}/{kind.name}"
        self.scanners = fleet(Random(self._seed), kind.dx_n, kind.ct_n)
        self._recent: deque[_Patient] = deque(maxlen=_REMEMBERED_N)
        self._exams_n = 0

    def day(self, number: int) -> Iterator[Exam]:
        """All exams of the day, in order."""
        random = Random(f"{self._seed}/day {number}")
        stations = [scanner.station for scanner in self.scanners]
        day = Day(number, random, stations, self._differs)
        mean = self.kind.per_day * day.busy
        n = max(0, round(random.gauss(mean, sqrt(mean))))
        hours = hours_of(day.is_weekend)
        for hour in sorted(bisect(hours, random.random()) + random.random() for _ in range(n)):
            self._exams_n += 1
            own = Random(f"{self._seed}/{self._exams_n}")
            yield self._exam(day, hour, own)

    def _exam(self, day: Day, hour: float, random: Random) -> Exam:
        scanner = self._scanner(day, hour, random)
        patient = self._patient(random)
        at_us = day_us(day.number) + int(hour * _HOUR_US)
        night = hour < 7 or hour > 19
        level = day.level(scanner.station, int(hour))
        fresh = random.gauss(0, sqrt(1 - _FOLLOWS**2))
        scanner.wander = _FOLLOWS * scanner.wander + fresh
        priority = _priority(night, random)
        part = _part(scanner, random)
        is_dx = scanner.modality == "DX"
        exam = Exam(
            site=self.kind.name,
            number=self._exams_n,
            at_us=at_us,
            scanner=scanner,
            random=random,
            patient=patient.key,
            sex=_unless(patient.sex, 0.01, random),
            age_years=_unless(patient.age_years, 0.03, random),
            priority=priority,
            body_part=_unless(part, 0.012, random),
            procedure=f"{scanner.modality} {part.lower()} {_manner(scanner, priority)}",
            view=_view(scanner, random) if is_dx else None,
            software=scanner.software,
            kernel=scanner.kernel,
            slice_mm=None if is_dx else random.choice(_CT_SLICE_MM),
            pixel_mm=scanner.pixel_mm,
            kvp=_unless(_kvp(scanner, random), 0.02, random),
            exposure_mas=round(random.lognormvariate(1.2 if is_dx else 5.0, 0.4), 2),
            snr=round(scanner.snr + 3 * (scanner.wander + level), 2),
            reported_us=_reported_us(at_us, day, hour, priority, random),
        )
        for reader in READERS:
            if (reader.modality, reader.body_part) == (scanner.modality, exam.body_part):
                exam.answer = _answer(reader, exam, day, level, random)
        return exam

    def _scanner(self, day: Day, hour: float, random: Random) -> Scanner:
        by_night = 2.0 if hour < 7 or hour > 20 else 1.0
        shares = (
            (scanner.weekend_share if day.is_weekend else scanner.share)
            * (by_night if scanner.is_portable else 1.0)
            for scanner in self.scanners
        )
        sums = list(accumulate(shares))
        return self.scanners[bisect(sums, random.random() * sums[-1])]

    def _patient(self, random: Random) -> _Patient:
        """One who was there before, or a new one."""
        if self._recent and random.random() < _AGAIN:
            return random.choice(self._recent)
        age_years = float(min(90, max(18, round(random.gauss(62, 18)))))
        if random.random() < 0.004:
            age_years = float(random.randint(5, 17))
        sex = "F" if random.random() < 0.49 else "M"
        self._recent.append(_Patient(f"p{self._exams_n}", sex, age_years))
        return self._recent[-1]


def _answer(reader: Reader, exam: Exam, day: Day, level: float, random: Random) -> Answer:
    scanner = exam.scanner
    hour = (exam.at_us - day_us(day.number)) // _HOUR_US
    load = 1.0 if day.is_weekend else 1 + 0.3 * HOURS[min(23, hour)]
    stat = 1.5 if exam.priority == "stat" else 1.0
    turnaround_s = reader.usual_s * load * random.lognormvariate(0, 0.45)
    return Answer(
        reader=reader,
        version=reader.version,
        illness=random.random(),
        prevalence=reader.prevalence * scanner.prevalence * exp(0.15 * day.cases) * stat,
        noise=random.gauss(0, 1),
        bias=scanner.bias,
        quality=round(min(1.0, max(0.0, scanner.quality + 0.08 * (level + random.gauss(0, 1)))), 3),
        distance=round(max(0.3, scanner.distance + random.gauss(0, 0.5)), 3),
        turnaround_s=min(reader.longest_s, turnaround_s),
        status=_status(random),
    )


def _status(random: Random) -> PredictionStatus:
    drawn = random.random()
    return "failed" if drawn < 0.003 else "rejected" if drawn < 0.006 else "completed"


def _priority(night: bool, random: Random) -> Priority:
    if random.random() < (0.25 if night else 0.08):
        return "stat"
    return "urgent" if random.random() < 0.25 else "routine"


def _part(scanner: Scanner, random: Random) -> str:
    if scanner.modality == "CT":
        return random.choice(_CT_PARTS)
    chest = random.random() < (0.95 if scanner.is_portable else 0.6)
    return "CHEST" if chest else random.choice(_OTHER_DX)


def _view(scanner: Scanner, random: Random) -> str:
    if random.random() < (0.95 if scanner.is_portable else 0.12):
        return "AP"
    return "PA" if random.random() < 0.7 else "LATERAL"


def _kvp(scanner: Scanner, random: Random) -> float:
    few = random.choice(_CT_KVP)
    return few if scanner.modality == "CT" else round(random.gauss(scanner.kvp, 3), 1)


def _manner(scanner: Scanner, priority: Priority) -> str:
    return "portable" if scanner.is_portable else "routine" if priority == "routine" else "urgent"


def _reported_us(at_us: int, day: Day, hour: float, priority: Priority, random: Random) -> int:
    """Half a day later and more, stat ones sooner; hardly at night, and little on weekends."""
    hours = random.lognormvariate(log(18), 0.55) * (0.5 if priority == "stat" else 1.0)
    due_hour = hour + min(96.0, max(4.0, hours))
    later = random.random()
    if (due_hour % 24) < 6 and priority != "stat":
        due_hour += 6 - due_hour % 24 + 3 * later
    waits = random.random() < 0.5 and priority == "routine"
    weekday = (day.number + int(due_hour // 24)) % 7
    if waits and weekday >= 5:
        due_hour += 24.0 * (7 - weekday)
    return day_us(day.number) + int(due_hour * _HOUR_US) + at_us % 1_000_000


def _unless(value: T, chance: float, random: Random) -> T | None:
    """The value, or nothing, as it happens."""
    return None if random.random() < chance else value
