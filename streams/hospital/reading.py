"""What the patients of one site really have, and what its radiologists report."""

import math
from random import Random

from schemas.report import Label, Report
from streams.clock import from_us
from streams.hospital.draws import normal, to_ms_us
from streams.hospital.faults import Shifts
from streams.hospital.imaging import Imaged
from streams.hospital.settings import Hospital

_MEDIAN_S = {"stat": 1800.0, "urgent": 5400.0, "routine": 10_800.0}
_SPREAD = 0.6
_SLIP = 0.02  # how often a label is wrong


class Reading:
    """The radiologists of one site."""

    def __init__(self, hospital: Hospital, site: str, rng: Random) -> None:
        self._rng = rng
        self._reported = hospital.reported
        self._shifts = Shifts(hospital.faults, site)
        self._prevalence = {
            f: model.prevalence for model in hospital.models for f in model.findings
        }

    def truth(self, imaged: Imaged) -> dict[str, bool]:
        """Which findings the patient has."""
        prevalence = self._prevalence
        station = (imaged.study.scanner and imaged.study.scanner.station) or ""
        for shift in self._shifts.on(imaged.complete_us, station):
            finding, _, measure = shift.series.rpartition(".")
            if measure == "present" and finding in prevalence:
                prevalence = {**prevalence, finding: shift.number(prevalence[finding])}
        return {finding: self._rng.random() < share for finding, share in prevalence.items()}

    def report(self, imaged: Imaged, truth: dict[str, bool], findings: list[str]) -> Report | None:
        """The final report, with a label of each of the `findings`; None if there is none."""
        rng, study = self._rng, imaged.study
        reported = rng.random() < self._reported
        delay_s = _MEDIAN_S[study.priority] * math.exp(_SPREAD * normal(rng))
        reader = int(rng.random() * 6) + 1
        slips = {finding: rng.random() < _SLIP for finding in truth}
        if not reported or imaged.turn == "cancelled":
            return None
        return Report(
            site=study.site,
            study=study.study,
            report=f"{study.study}-r",
            status="final",
            at=from_us(imaged.complete_us + to_ms_us(delay_s)),
            reader=f"reader-{reader}",
            labels=[
                Label(finding=f, value="present" if truth[f] != slips[f] else "absent")
                for f in findings
            ]
            or None,
        )
