"""The demo's hospital and the configuration that watches it: everything small enough for a minute.

Only the scale is the demo's. Deadlines are seconds instead of minutes and studies come a thousand
times as fast; references, detectors and the promise are those of any deployment.
"""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from schemas.config import Bounds, Budget, Clock, Config, Deadlines, Outage, Reference
from streams.hospital import faults
from streams.hospital.settings import MODELS, Hospital, config_for

SITES = ("north", "south")
LONGEST_S = 3600
_START = datetime(2026, 1, 5, 10, tzinfo=UTC)  # a busy hour: the simulator's nights are quiet
_STUDIES_S = 30.0  # of each site
_BUSY = 2.24  # the rhythm of the simulator at 10 in the morning, relative to the day's mean
_TURNAROUND_S = 0.8
_DEADLINES = Deadlines(routine=8, urgent=7, stat=6)
_ROUND_S = 120.0
_OUTAGE_S = (10.0, 10.0)  # from, and how long
_DRIFT_S = (30.0, 25.0)


def hospital() -> Hospital:
    """An hour of two sites. Every two minutes a model stops answering, then a scanner drifts."""
    return Hospital(
        sites=SITES,
        start=_START,
        days=LONGEST_S / 86_400,
        studies_per_day=_STUDIES_S * 86_400 / _BUSY,
        models=tuple(
            replace(model, turnaround_s=_TURNAROUND_S, deadline_s=_DEADLINES) for model in MODELS
        ),
        received_first=0,
        upgraded=0,
        corrected=0,
        cancelled=0,
        reported=0,  # a radiologist takes longer than the demo lasts
        faults=tuple(
            fault for number in range(int(LONGEST_S / _ROUND_S)) for fault in _planted(number)
        ),
    )


def _planted(number: int) -> tuple[faults.Fault, faults.Fault]:
    start = _START + timedelta(seconds=number * _ROUND_S)
    (out_s, out_length_s), (drift_s, drift_length_s) = _OUTAGE_S, _DRIFT_S
    return (
        faults.Outage(
            "north", "ptx", start + timedelta(seconds=out_s), timedelta(seconds=out_length_s)
        ),
        faults.Shift(
            "acquisition.pixel_mm",
            start + timedelta(seconds=drift_s),
            by=-0.009,
            site="south",
            station="DX1",
            length=timedelta(seconds=drift_length_s),
        ),
    )


def config() -> Config:
    """What a deployment's configuration would say of this hospital, at the demo's scale."""
    watched = config_for(hospital())
    return replace(
        watched,
        models=[replace(model, missing=Outage(hold_s=5, update_s=5)) for model in watched.models],
        clock=Clock(lateness_s=3, stale_after_s=30),
        reference=Reference(observations=500),
        bounds=Bounds(patient_s=5),  # days are seconds here, and patients come again as fast
        budget=Budget(false_incidents=1, per_days=1, sites=len(SITES)),
    )


def planted_at(elapsed_s: float) -> str:
    """What is wrong in the hospital so long after its start, for the viewer to compare.

    >>> planted_at(15)
    'planted now: ptx at north answers nothing'
    """
    within_s = elapsed_s % _ROUND_S
    for (from_s, length_s), what in (
        (_OUTAGE_S, "ptx at north answers nothing"),
        (_DRIFT_S, "scanner DX1 at south has other pixels (0.139 mm instead of 0.148)"),
    ):
        if within_s < from_s:
            return f"planted: in {from_s - within_s:.0f} s {what}"
        if within_s < from_s + length_s:
            return f"planted now: {what}"
    return f"planted: nothing for {_ROUND_S - within_s:.0f} s"
