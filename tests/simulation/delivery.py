"""From what happened in the hospital to what reaches the monitor, and when.

Pure: arrivals in, deliveries out. Each step is one kind of fault and does nothing at weight 0; all
but the first keep the events and change their stamps, their times of arrival, or their number.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from schemas.prediction import Prediction, Reason
from schemas.report import Report
from schemas.study import Expectation, Study
from streams.clock import from_us, to_us
from streams.simulate import Arrival, Event
from tests.simulation.swarm import World

_SECOND_US = 1_000_000
_STUDY = b'{"type":"radvigil.study.v1","site":"%b","study":"x","at":"%b","modality":%b}'
_POISON = (
    b"",
    b"{",
    b"null",
    b"\xff\xfe",
    b'{"type":"radvigil.study.v9","site":"north"}',
    _STUDY % (b"north", b"2026-01-05T10:00:00", b'"DX"'),
    _STUDY % (b"NORTH!", b"2026-01-05T10:00:00Z", b'"DX"'),
    _STUDY % (b"north", b"2026-01-05T10:00:00Z", b"7"),
    b'{"type":"radvigil.prediction.v1","site":"north","study":"north-0000001","model":"ptx",'
    b'"model_version":"1","status":"completed","at":"2026-01-05T10:00:00Z",'
    b'"outputs":[{"finding":"pneumothorax","score":NaN}]}',
    b'{"type":"radvigil.prediction.v1","site":"north","study":"north-0000001","model":"ptx",'
    b'"model_version":"1","status":"completed","at":"2026-01-05T10:00:00Z"}',
    b'{"pad":"' + b"x" * 1_048_576 + b'"}',
)


class Loss(NamedTuple):
    """In the place of `n` records of a feed that were deleted before they were read.

    They came after `since_us`, when the last one before them did, and by `until_us`. `proved_us`:
    how far time was proved when they were found to be gone, which only the reader knows. `rekeyed`:
    deleted before they were re-keyed.
    """

    feed: type
    n: int
    since_us: int
    until_us: int
    rekeyed: bool
    proved_us: int = -1


class Delivery(NamedTuple):
    """An event, poison or a loss, as the monitor reads it, and when the broker took it."""

    event: Event | bytes | Loss
    arrived_us: int


def deliver(world: World, arrivals: Iterable[Arrival]) -> list[Delivery]:
    """All that reaches the monitor, in order of arrival."""
    events = list(arrivals)
    for step in (_said, _stamped, _late, _reordered, _stalled, _duplicated):
        rng = Random(f"{step.__name__}/{world.seed}")
        events = sorted(step(world, events, rng), key=lambda arrival: arrival.arrived_us)
    poisoned = _poisoned(world, events, Random(f"poison/{world.seed}"))
    return list(poisoned)


def _said(world: World, arrivals: list[Arrival], rng: Random) -> Iterator[Arrival]:
    """What senders do: promise, leave out, fail first, run in the shadow, answer nothing asked."""
    weights = world.weights
    promises = {
        f"{site}-{number:07d}": [
            Expectation(model=model, deadline_s=rng.choice((60.0, 600.0)))
            for model in rng.sample(("ptx", "cxr", "ich", "unknown"), rng.randrange(3))
        ]
        for site in world.hospital.sites
        for number in range(1, 1000)
        if rng.random() < weights.promised
    }
    for event, arrived_us in arrivals:
        match event:
            case Study():
                promise = promises.get(event.study) if rng.random() < 0.8 else None
                body_part = event.body_part if rng.random() >= weights.sparse else None
                yield Arrival(replace(event, expects=promise, body_part=body_part), arrived_us)
            case Prediction():
                yield Arrival(event, arrived_us)
                yield from _besides(world, event, arrived_us, rng)
            case Report():
                yield Arrival(event, arrived_us)


def _besides(world: World, answer: Prediction, arrived_us: int, rng: Random) -> Iterator[Arrival]:
    weights = world.weights
    failed = {"status": "failed", "outputs": None, "reason": Reason(code="out_of_memory")}
    if rng.random() < weights.retried:
        before_us = rng.randrange(1, 60) * _SECOND_US
        at = answer.at - timedelta(microseconds=before_us)
        yield Arrival(replace(answer, at=at, **failed), arrived_us - before_us)
    if rng.random() < weights.shadowed:
        yield Arrival(replace(answer, role="shadow", **failed), arrived_us)
    if rng.random() < weights.orphaned:
        yield Arrival(replace(answer, study=f"{answer.study}-nowhere"), arrived_us)


def _stamped(world: World, arrivals: list[Arrival], rng: Random) -> Iterator[Arrival]:
    """Clocks of producers that are off, drift, or step; each feed of each site has its own."""
    clocks = {
        (site, kind): _clock(world, rng)
        for site in world.hospital.sites
        for kind in (Study, Prediction, Report)
    }
    start_us = to_us(world.hospital.start)
    for event, arrived_us in arrivals:
        off_us, drift, step_at_us, step_us = clocks[event.site, type(event)]
        at_us = to_us(event.at)
        at_us += off_us + round(drift * (at_us - start_us)) + (step_us if at_us > step_at_us else 0)
        yield Arrival(replace(event, at=from_us(at_us)), arrived_us)


def _clock(world: World, rng: Random) -> tuple[int, float, int, int]:
    draws = [rng.random() for _ in range(5)]
    if draws[0] >= world.weights.wrong_clocks:
        return 0, 0.0, 0, 0
    off_us = round((draws[1] - 0.5) * 1200 * _SECOND_US)
    day_us = 86_400 * _SECOND_US
    step_at_us = to_us(world.hospital.start) + round(draws[2] * world.hospital.days * day_us)
    return off_us, (draws[3] - 0.5) * 0.004, step_at_us, round((draws[4] - 0.5) * 7200) * _SECOND_US


def _late(world: World, arrivals: list[Arrival], rng: Random) -> Iterator[Arrival]:
    """Delivered beyond the granted lateness: minutes to hours."""
    for event, arrived_us in arrivals:
        is_late = rng.random() < world.weights.late
        delay_us = round((world.config.clock.lateness_s + rng.random() ** 3 * 36_000) * _SECOND_US)
        yield Arrival(event, arrived_us + is_late * delay_us)


def _reordered(world: World, arrivals: list[Arrival], rng: Random) -> Iterator[Arrival]:
    """Delivered out of order, within what lateness grants beyond the usual two seconds."""
    slack_us = max(round(world.config.clock.lateness_s * _SECOND_US) - 3 * _SECOND_US, 0)
    for event, arrived_us in arrivals:
        is_delayed = rng.random() < world.weights.reordered
        yield Arrival(event, arrived_us + is_delayed * round(rng.random() * slack_us))


def _stalled(world: World, arrivals: list[Arrival], rng: Random) -> Iterator[Arrival]:
    """Nothing reaches the broker for a while, and then everything at the same moment."""
    day_us = 86_400 * _SECOND_US
    starts = [
        to_us(world.hospital.start) + round(rng.random() * world.hospital.days * day_us)
        for _ in range(world.weights.stalls)
    ]
    stalls = [(start_us, start_us + rng.randrange(60, 3600) * _SECOND_US) for start_us in starts]
    for event, arrived_us in arrivals:
        ends = [end_us for start_us, end_us in stalls if start_us <= arrived_us < end_us]
        yield Arrival(event, max(ends, default=arrived_us))


def _duplicated(world: World, arrivals: list[Arrival], rng: Random) -> Iterator[Arrival]:
    """Delivered again, seconds to days later, once or several times; half of it has an event id."""
    named = rng.random() < 0.5
    for number, (sent, arrived_us) in enumerate(arrivals):
        event = replace(sent, event_id=f"event-{number}") if named else sent
        yield Arrival(event, arrived_us)
        while rng.random() < world.weights.duplicated * 0.7:
            yield Arrival(event, arrived_us + round(10 ** (rng.random() * 6) * _SECOND_US / 3))


def _poisoned(world: World, arrivals: list[Arrival], rng: Random) -> Iterator[Delivery]:
    """Messages that are none, between the others."""
    for event, arrived_us in arrivals:
        if rng.random() < world.weights.poisoned:
            yield Delivery(rng.choice(_POISON), arrived_us)
        yield Delivery(event, arrived_us)
