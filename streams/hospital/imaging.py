"""Studies as the scanners of one site make them, and the upserts that tell of them."""

import math
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Literal, NamedTuple

from msgspec.structs import replace

from schemas.fields import Priority, Values
from schemas.study import Patient, Scanner, Study
from streams.clock import from_us
from streams.hospital.draws import Weighted, normal, one_of, to_ms_us
from streams.hospital.faults import Shift, Shifts
from streams.hospital.settings import Hospital, Station

Turn = Literal["none", "upgraded", "corrected_away", "corrected_back", "cancelled"]

_NO_MODEL_READS = "SHOULDER"
_PRIORITIES = Weighted[Priority](("stat", "urgent", "routine"), (0.05, 0.2, 0.75))


class Imaged(NamedTuple):
    """One study: what is true of it, when it is first heard of, and the turn that it takes.

    `asked_us` is when a model can first know that it has to read it.
    """

    study: Study
    first_us: int
    complete_us: int
    turn: Turn
    turn_us: int

    @property
    def asked_us(self) -> int:
        """When a model can first know that the study is for it."""
        return self.turn_us if self.turn == "corrected_back" else self.complete_us

    def upserts(self) -> Iterator[Study]:
        """All that is sent of the study, in order of `at`."""
        if self.first_us < self.complete_us:
            yield replace(self.study, at=from_us(self.first_us), state="received", acquisition=None)
        wrong = replace(self.study, body_part=_NO_MODEL_READS)
        yield wrong if self.turn == "corrected_back" else self.study

        turned_at = from_us(self.turn_us)
        match self.turn:
            case "upgraded":
                yield replace(self.study, at=turned_at, priority="stat")
            case "corrected_away":
                yield replace(wrong, at=turned_at)
            case "corrected_back":
                yield replace(self.study, at=turned_at)
            case "cancelled":
                yield replace(self.study, at=turned_at, state="cancelled")
            case "none":
                pass


class Imaging:
    """The scanners and patients of one site."""

    def __init__(self, hospital: Hospital, site: str, rng: Random) -> None:
        self._site = site
        self._rng = rng
        self._count = 0
        self._received_first = hospital.received_first
        self._shifts = Shifts(hospital.faults, site)
        self._patients: deque[Patient] = deque(maxlen=200)
        self._stations = Weighted(hospital.stations, [s.share for s in hospital.stations])
        shares = (
            hospital.upgraded,
            hospital.corrected / 2,
            hospital.corrected / 2,
            hospital.cancelled,
        )
        turns: tuple[Turn, ...] = (
            "upgraded",
            "corrected_away",
            "corrected_back",
            "cancelled",
            "none",
        )
        self._turns = Weighted(turns, (*shares, 1 - sum(shares)))

    def study(self, first_us: int) -> Imaged:
        """The next study, which is first heard of at `first_us`."""
        rng = self._rng
        self._count += 1
        received_first = rng.random() < self._received_first
        complete_us = first_us + (to_ms_us(20 + 100 * rng.random()) if received_first else 0)
        turn = self._turns.draw(rng)
        turn_us = complete_us + to_ms_us(5 + 30 * rng.random())
        return Imaged(self._image(complete_us), first_us, complete_us, turn, turn_us)

    def _image(self, complete_us: int) -> Study:
        rng = self._rng
        station = self._stations.draw(rng)
        study = Study(
            site=self._site,
            study=f"{self._site}-{self._count:07d}",
            at=from_us(complete_us),
            modality=station.modality,
            priority=_PRIORITIES.draw(rng),
            body_part=one_of(station.body_parts, rng),
            scanner=Scanner(
                manufacturer=station.manufacturer,
                model=station.model,
                software=station.software,
                station=station.station,
            ),
            acquisition=_acquisition(station, rng),
            patient=self._patient(),
        )
        shifts = self._shifts.on(complete_us, station.station)
        return _shifted(study, shifts) if shifts else study

    def _patient(self) -> Patient:
        seen_before, which, female, old = (self._rng.random() for _ in range(4))
        if seen_before < 0.3 and self._patients:
            return self._patients[int(which * len(self._patients))]
        patient = Patient(
            key=f"patient-{self._site}-{self._count}",
            sex="F" if female < 0.52 else "M",
            age_years=float(round(18 + 72 * math.sqrt(old))),
        )
        self._patients.append(patient)
        return patient


def _acquisition(station: Station, rng: Random) -> Values:
    return {
        name: round(quantity.mean + quantity.sd * normal(rng), 4)
        for name, quantity in station.acquisition.items()
    }


def _shifted(study: Study, shifts: list[Shift]) -> Study:
    for shift in shifts:
        match shift.series.split("."):
            case ["acquisition", name]:
                before = (study.acquisition or {}).get(name, 0.0)
                after = round(shift.number(float(before)), 4)
                study = replace(study, acquisition={**(study.acquisition or {}), name: after})
            case ["patient", "age_years"] if study.patient:
                age_years = shift.number(study.patient.age_years or 0.0)
                patient = replace(study.patient, age_years=min(max(age_years, 0.0), 90.0))
                study = replace(study, patient=patient)
            case ["scanner", "software"] if study.scanner:
                study = replace(study, scanner=replace(study.scanner, software=str(shift.to)))
    return study
