"""What one model at one site answers: when, how sure it is, and when it does not."""

import math
from collections.abc import Mapping
from random import Random

from schemas.prediction import Output, Prediction, Reason
from streams.clock import from_us
from streams.hospital.draws import normal, to_ms_us
from streams.hospital.faults import Failure, Outage, Shift, Shifts, active, windows
from streams.hospital.imaging import Imaged
from streams.hospital.settings import Hospital, SimulatedModel

_SLOWEST = 4.0  # times the median: a healthy model never misses a deadline
_SPREAD = 0.4  # of the logarithm of the turnaround
_THRESHOLD = 0.5


class Answering:
    """One model at one site; it takes as many draws for every study that it reads."""

    def __init__(self, hospital: Hospital, model: SimulatedModel, site: str, rng: Random) -> None:
        self._model = model
        self._rng = rng
        self._shifts = Shifts(hospital.faults, site)
        here = (site, model.name)
        self._outages = windows(
            f for f in hospital.faults if isinstance(f, Outage) and (f.site, f.model) == here
        )
        self._failures = windows(
            f for f in hospital.faults if isinstance(f, Failure) and (f.site, f.model) == here
        )

    @property
    def findings(self) -> tuple[str, ...]:
        """What a complete answer holds."""
        return self._model.findings

    def reads(self, imaged: Imaged) -> bool:
        """Whether the study is for this model, when all is known of it."""
        study = imaged.study
        return (study.modality, study.body_part) == (self._model.modality, self._model.body_part)

    def answer(self, imaged: Imaged, truth: Mapping[str, bool]) -> Prediction | None:
        """The answer to the study; None if it never comes."""
        rng, model, study = self._rng, self._model, imaged.study
        turnaround_s = model.turnaround_s * min(math.exp(_SPREAD * normal(rng)), _SLOWEST)
        inference_us = to_ms_us(2 + 8 * rng.random())
        bad_luck = rng.random()
        quality = round(0.8 + 0.05 * normal(rng), 4)
        logits = {f: model.separation * (truth[f] - 0.5) + normal(rng) for f in model.findings}

        station = (study.scanner and study.scanner.station) or ""
        for shift in self._shifts.on(imaged.complete_us, station):
            turnaround_s, logits = _shifted(shift, turnaround_s, logits)
        at_us = self._answered_us(imaged, imaged.asked_us + to_ms_us(turnaround_s))
        if at_us is None:
            return None
        failure = active(self._failures, at_us)
        status = failure.fault.status if failure and bad_luck < failure.fault.share else "completed"
        completed = status in ("completed", "incomplete")
        return Prediction(
            site=study.site,
            study=study.study,
            model=model.name,
            model_version=model.version,
            status="completed" if status == "incomplete" else status,
            at=from_us(at_us),
            requested_at=from_us(imaged.asked_us),
            started_at=from_us(max(at_us - inference_us, imaged.asked_us)),
            outputs=_outputs(logits, complete=status == "completed") if completed else None,
            reason=None if completed else Reason(code=f"simulated_{status}"),
            features={"image_quality": quality},
        )

    def _answered_us(self, imaged: Imaged, at_us: int) -> int | None:
        if imaged.turn == "cancelled" and at_us > imaged.turn_us:
            return None
        outage = active(self._outages, at_us)
        if outage is None:
            return at_us
        return outage.caught_up_us(at_us) if outage.fault.catches_up else None


def _outputs(logits: Mapping[str, float], *, complete: bool) -> list[Output]:
    """One output a finding; an incomplete answer lacks the last finding, but is never empty."""
    outputs = []
    for finding, logit in logits.items():
        score = round(1 / (1 + math.exp(-logit)), 4)
        outputs.append(Output(finding=finding, score=score, positive=score >= _THRESHOLD))
    if complete:
        return outputs
    return outputs[:-1] or [Output(finding="image_quality", positive=False)]


def _shifted(
    shift: Shift, turnaround_s: float, logits: dict[str, float]
) -> tuple[float, dict[str, float]]:
    finding, _, measure = shift.series.rpartition(".")
    if shift.series == "turnaround_s":
        turnaround_s = max(shift.number(turnaround_s), 0.0)
    elif measure == "score" and finding in logits:
        logits = {**logits, finding: shift.number(logits[finding])}
    return turnaround_s, logits
