"""What a seed stands for: a hospital, its configuration, and which faults are on, how strongly.

Swarm testing: a run with a few faults, each strong, finds what a run with all of them hides.
"""

from datetime import timedelta
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from schemas.config import Bounds, Clock, Config, Deadlines, Model, Outage, Range, Reference
from schemas.incident_settings import IncidentSettings
from streams.hospital import faults as hospital_faults
from streams.hospital.settings import Hospital, config_for

_STUDIES_N = 200  # at most: many small hospitals find more than a few large ones


class Weights(Struct, frozen=True, kw_only=True):
    """How often each fault strikes, as a share of the events; 0 is never."""

    # what senders do
    retried: float = 0.0  # a failed answer comes before the good one
    promised: float = 0.0  # studies with `expects` of their own
    shadowed: float = 0.0
    orphaned: float = 0.0  # answers whose study never comes
    sparse: float = 0.0  # upserts that leave the body part out
    # what happens on the way
    duplicated: float = 0.0
    reordered: float = 0.0
    late: float = 0.0
    wrong_clocks: float = 0.0  # share of producers
    stalls: int = 0
    poisoned: float = 0.0
    # what happens to the monitor
    rows: float = 1.0  # share of the events after which all that were read are handled
    ticks: float = 0.0
    checkpoints: float = 0.0
    crashes: float = 0.0
    losses: float = 0.0  # records are deleted before they are read


class World(Struct, frozen=True, kw_only=True):
    """Everything that a run depends on."""

    seed: int
    hospital: Hospital
    config: Config
    weights: Weights
    partitions: int
    is_healthy: bool = False  # nothing that matters is wrong, so no incident may be told


def world(seed: int) -> World:
    """The world of a seed; one in eight is healthy."""
    rng = Random(f"world/{seed}")
    healthy = seed % 8 == 0
    hospital = _hospital(rng, healthy)
    weights = _weights(rng, healthy)
    return World(
        seed=seed,
        hospital=hospital,
        config=_config(rng, hospital, weights, healthy),
        weights=weights,
        partitions=rng.choice((1, 1, 2, 3)),
        is_healthy=healthy,
    )


def _hospital(rng: Random, healthy: bool) -> Hospital:
    sites = ("north", "south", "west")[: rng.choice((1, 1, 2, 3))]
    days = rng.choice((0.5, 1.0, 1.0, 2.0))
    hospital = Hospital(
        sites=sites,
        days=days,
        studies_per_day=min(rng.choice((20, 60, 150)), _STUDIES_N / days / len(sites)),
        received_first=rng.choice((0.0, 0.2, 0.8)),
        upgraded=rng.choice((0.0, 0.02, 0.2)),
        corrected=rng.choice((0.0, 0.02, 0.2)),
        cancelled=rng.choice((0.0, 0.02, 0.2)),
    )
    if healthy:
        return hospital
    return replace(hospital, faults=tuple(_fault(rng, hospital) for _ in range(rng.randrange(8))))


def _fault(rng: Random, hospital: Hospital) -> hospital_faults.Fault:
    site, model = rng.choice(hospital.sites), rng.choice(hospital.models).name
    at = hospital.start + timedelta(hours=24 * hospital.days * rng.random())
    length = timedelta(hours=rng.choice((0.2, 1.0, 4.0)))
    catches_up = rng.random() < 0.5
    feed = rng.choice(("studies", "predictions", "reports"))
    status = rng.choice(("failed", "rejected", "incomplete"))
    return rng.choice(
        (
            hospital_faults.Outage(site, model, at, length, catches_up),
            hospital_faults.Outage(site, model, at, length, catches_up),
            hospital_faults.Silence(site, feed, at, length, catches_up),
            hospital_faults.Failure(site, model, at, length, status, rng.choice((0.2, 1.0))),
            hospital_faults.Failure(site, model, at, length, "incomplete"),
            hospital_faults.Shift("turnaround_s", at, by=rng.choice((60.0, 600.0, 4000.0))),
            hospital_faults.Shift("pneumothorax.score", at, by=3.0),
        )
    )


def _config(rng: Random, hospital: Hospital, weights: Weights, healthy: bool) -> Config:
    # The oracle knows episodes; what comes back soon or again and again is tested elsewhere.
    plain = IncidentSettings(reopen_s=0, flapping_cycles=50, flapping_s=60)
    config = replace(config_for(hospital), incidents=plain)
    small = Reference(observations=50)
    clock = Clock(
        lateness_s=rng.choice((0.0, 5.0, 60.0, 600.0)), max_skew_s=rng.choice((30.0, 300.0))
    )
    if healthy:  # fast enough for every deadline, and no series is watched long enough to alarm
        return replace(config, clock=replace(clock, lateness_s=max(clock.lateness_s, 5.0)))
    # What is forgotten early and comes again under another, clamped stamp is another study.
    remembered_s = 7 * 86_400.0 if weights.wrong_clocks else rng.choice((4 * 3600.0, 7 * 86_400.0))
    bounds = Bounds(settled_s=remembered_s, series_per_site=rng.choice((5, 2000)))
    models = [_model(rng, model) for model in config.models]
    return replace(config, clock=clock, reference=small, bounds=bounds, models=models)


def _model(rng: Random, model: Model) -> Model:
    changes: dict[str, Any] = {}
    if rng.random() < 0.5:
        changes["deadline_s"] = rng.choice((120.0, 900.0, Deadlines(routine=600.0, stat=60.0)))
    if rng.random() < 0.3:
        changes["starts_at"] = rng.choice(("received", "stable"))
    if rng.random() < 0.2:
        changes["applies"] = {**model.applies, "patient.age_years": Range(min=40)}
    for word in ("missing", "failed", "incomplete"):
        hold_s, update_s = rng.choice((1.0, 300.0, 3600.0)), rng.choice((1.0, 60.0))
        open_after = rng.choice((1, 1, 1, 3))
        changes[word] = Outage(open_after=open_after, hold_s=hold_s, update_s=update_s)
    return replace(model, **changes)


def _weights(rng: Random, healthy: bool) -> Weights:
    def sometimes(*strengths: float) -> float:
        return rng.choice(strengths) if rng.random() < 0.4 else 0.0

    monitor = {
        "shadowed": sometimes(0.05, 0.5),
        "orphaned": sometimes(0.01, 0.1),
        "poisoned": sometimes(0.01, 0.3),
        "ticks": sometimes(0.05, 0.5),
        "checkpoints": rng.choice((0.01, 0.1, 1.0)),
        "crashes": sometimes(0.005, 0.02),
        "losses": sometimes(0.002, 0.02),
        "rows": rng.choice((0.01, 0.1, 1.0)),
    }
    # Crashes that outnumber checkpoints would only read the same records over and over.
    monitor["crashes"] = min(monitor["crashes"], monitor["checkpoints"])
    if healthy:
        return Weights(**monitor)
    return Weights(
        **monitor,
        retried=sometimes(0.05, 0.5),
        promised=sometimes(0.05, 0.5),
        sparse=sometimes(0.05, 0.5),
        duplicated=sometimes(0.05, 0.5, 0.9),
        reordered=sometimes(0.1, 0.9),
        late=sometimes(0.02, 0.3),
        wrong_clocks=sometimes(0.3, 0.9),
        stalls=int(sometimes(1, 5)),
    )
