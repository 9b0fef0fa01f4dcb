"""One seed: build its world, watch it with and without trouble, and say what is wrong.

`python -m tests.simulation SEED...` repeats seeds and makes a failing one small.
"""

from collections.abc import Iterator
from itertools import islice
from random import Random
from zlib import crc32

import msgspec

from schemas.incident import Incident
from schemas.study import Study
from streams.clock import to_us
from streams.simulate import simulate
from tests.simulation.checks import agreement, laws
from tests.simulation.delivery import Delivery, deliver
from tests.simulation.monitor import Said, Trouble, watch
from tests.simulation.oracle import account
from tests.simulation.swarm import World, world


def problems_of(seed: int) -> list[str]:
    """Everything that is wrong with the run of a seed; empty if nothing is."""
    subject = world(seed)
    deliveries = deliver(subject, simulate(subject.hospital, seed))
    return list(islice(problems(subject, deliveries), 20))


def problems(subject: World, deliveries: list[Delivery]) -> Iterator[str]:
    """What is wrong when these deliveries reach the monitor of this world."""
    for partition in range(subject.partitions):
        yield from _problems_of_shard(
            subject, [d for d in deliveries if _partition(subject, d) == partition]
        )


def _problems_of_shard(subject: World, deliveries: list[Delivery]) -> Iterator[str]:
    said = watch(subject.config, deliveries, Trouble(), Random(subject.seed))
    patients = {
        delivery.event.patient.key
        for delivery in deliveries
        if isinstance(delivery.event, Study) and delivery.event.patient
    }
    yield from laws(said.effects, (key for key in patients if key))
    yield from agreement(said.effects, account(subject.config, deliveries))
    if subject.is_healthy:
        end_us = deliveries[-1].arrived_us if deliveries else 0  # then silence is no error
        yield from (
            f"false: {e.kind} {e.title}"
            for e in said.effects
            if isinstance(e, Incident) and (to_us(e.at) <= end_us or "silence" not in e.kind)
        )
    yield from _differences_after_trouble(subject, deliveries, said)


def _differences_after_trouble(
    subject: World, deliveries: list[Delivery], smooth: Said
) -> Iterator[str]:
    weights = subject.weights
    trouble = Trouble(ticks=weights.ticks, checkpoints=weights.checkpoints, crashes=weights.crashes)
    rough = watch(subject.config, deliveries, trouble, Random(subject.seed))
    for number, (wanted, got) in enumerate(zip(smooth.effects, rough.effects, strict=False)):
        if wanted != got:
            yield f"ticks or restarts changed effect {number}: {wanted} became {got}"
            return
    if len(smooth.effects) != len(rough.effects):
        yield f"ticks or restarts: {len(rough.effects)} effects, not {len(smooth.effects)}"
    for key in smooth.state.keys() | rough.state.keys():
        if smooth.state.get(key) != rough.state.get(key):
            wanted, got = (_readable(said.state.get(key)) for said in (smooth, rough))
            yield f"ticks or restarts changed the state {key!r}: {wanted} became {got}"


def _readable(value: bytes | None) -> object:
    try:
        return None if value is None else msgspec.msgpack.decode(value)
    except msgspec.DecodeError:
        return value


def _partition(subject: World, delivery: Delivery) -> int:
    site = "poison" if isinstance(delivery.event, bytes) else delivery.event.site
    return crc32(site.encode()) % subject.partitions
