"""The settings of a simulated hospital, and the configuration that watches it.

Without faults a hospital is healthy: every model answers inside its deadline, so an outage
incident on it is false.
"""

from datetime import UTC, datetime

from msgspec import Struct

from schemas.config import Config, Deadlines, Model
from streams.hospital.faults import Fault


class Normal(Struct, frozen=True):
    """A normally distributed quantity; `sd` 0 is a constant."""

    mean: float
    sd: float = 0.0


class Station(Struct, frozen=True, kw_only=True):
    """One scanner of every site, what it images, and its share of the site's studies."""

    station: str
    manufacturer: str
    model: str
    software: str
    modality: str
    body_parts: tuple[str, ...]
    acquisition: dict[str, Normal]
    share: float = 1.0


class SimulatedModel(Struct, frozen=True, kw_only=True):
    """An AI model: what it answers, how well and how fast.

    `separation` is d', the distance of the mean scores with and without the finding, in sd.
    Turnaround is lognormal around `turnaround_s` and never more than 4 times that.
    """

    name: str
    version: str
    modality: str
    body_part: str
    findings: tuple[str, ...]
    prevalence: float
    turnaround_s: float
    separation: float = 2.0
    deadline_s: Deadlines = Deadlines(routine=3600, urgent=900, stat=300)


STATIONS = (
    Station(
        station="DX1",
        manufacturer="Siemens",
        model="Ysio Max",
        software="VE10A",
        modality="DX",
        body_parts=("CHEST", "CHEST", "CHEST", "HAND"),
        acquisition={
            "pixel_mm": Normal(0.148),
            "kvp": Normal(117, 6),
            "exposure_mas": Normal(2.4, 0.5),
        },
        share=3,
    ),
    Station(
        station="CR2",
        manufacturer="FUJIFILM",
        model="FCR Profect",
        software="A08",
        modality="CR",
        body_parts=("CHEST",),
        acquisition={
            "pixel_mm": Normal(0.1),
            "kvp": Normal(88, 5),
            "exposure_mas": Normal(3.1, 0.8),
        },
        share=2,
    ),
    Station(
        station="CT1",
        manufacturer="GE MEDICAL SYSTEMS",
        model="Revolution CT",
        software="20HW37",
        modality="CT",
        body_parts=("HEAD", "HEAD", "ABDOMEN"),
        acquisition={"kvp": Normal(120), "slice_mm": Normal(1.25), "exposure_mas": Normal(180, 25)},
    ),
)

MODELS = (
    SimulatedModel(
        name="ptx",
        version="2.1.0",
        modality="DX",
        body_part="CHEST",
        findings=("pneumothorax",),
        prevalence=0.06,
        turnaround_s=45,
    ),
    SimulatedModel(
        name="cxr",
        version="5.0.2",
        modality="CR",
        body_part="CHEST",
        findings=("effusion", "nodule"),
        prevalence=0.15,
        turnaround_s=60,
    ),
    SimulatedModel(
        name="ich",
        version="1.4.1",
        modality="CT",
        body_part="HEAD",
        findings=("intracranial_hemorrhage",),
        prevalence=0.12,
        turnaround_s=70,
        separation=2.6,
    ),
)


class Hospital(Struct, frozen=True, kw_only=True):
    """All that a simulation depends on, but the seed.

    `studies_per_day` is a weekday's mean at each site. Of the studies a share is announced before
    it is complete (`received_first`), becomes stat later (`upgraded`), changes its body part
    (`corrected`), or is withdrawn (`cancelled`).
    """

    sites: tuple[str, ...] = ("north", "south")
    start: datetime = datetime(2026, 1, 5, tzinfo=UTC)
    days: float = 1.0
    studies_per_day: float = 200.0
    stations: tuple[Station, ...] = STATIONS
    models: tuple[SimulatedModel, ...] = MODELS
    received_first: float = 0.2
    upgraded: float = 0.02
    corrected: float = 0.01
    cancelled: float = 0.01
    reported: float = 0.95
    faults: tuple[Fault, ...] = ()


def config_for(hospital: Hospital) -> Config:
    """The configuration that watches this hospital.

    >>> [model.name for model in config_for(Hospital()).models]
    ['ptx', 'cxr', 'ich']
    """
    return Config(
        models=[
            Model(
                name=model.name,
                applies={"modality": [model.modality], "body_part": [model.body_part]},
                deadline_s=model.deadline_s,
                findings=model.findings,
                criticality="critical",
                owner="imaging-ai-oncall",
            )
            for model in hospital.models
        ]
    )
