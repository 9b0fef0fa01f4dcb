"""One seed: build its world, watch it with and without trouble, and say what is wrong.

`python -m tests.simulation SEED...` repeats seeds and makes a failing one small.
"""

from collections import Counter
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
from tests.simulation.checks_of_losses import is_of_a_loss, losses, unjust
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
    rough = watch(subject.config, deliveries, _trouble(subject), Random(subject.seed))
    said = watch(subject.config, rough.read, Trouble(), Random(subject.seed))
    patients = {
        delivery.event.patient.key
        for delivery in deliveries
        if isinstance(delivery.event, Study) and delivery.event.patient
    }
    wanted = account(subject.config, rough.read)
    yield from laws(rough.effects, (key for key in patients if key))
    yield from agreement(said.effects, wanted)
    unhurt = rough.read == deliveries
    if not unhurt:
        yield from losses(said.effects, rough.read)
        yield from unjust(wanted, account(subject.config, deliveries), rough.read, deliveries)
    if subject.is_healthy:
        end_us = deliveries[-1].arrived_us if deliveries else 0  # then silence is no error
        yield from (
            f"false: {e.kind} {e.title}"
            for e in said.effects
            if isinstance(e, Incident)
            and not is_of_a_loss(e)
            and (unhurt or e.kind != "missing_output")  # a cancellation may be lost; see `unjust`
            and (to_us(e.at) <= end_us or "silence" not in e.kind)
        )
    yield from _differences(said, rough)


def _trouble(subject: World) -> Trouble:
    weights = subject.weights
    return Trouble(
        rows=weights.rows,
        ticks=weights.ticks,
        checkpoints=weights.checkpoints,
        crashes=weights.crashes,
        losses=weights.losses,
    )


def _differences(smooth: Said, rough: Said) -> Iterator[str]:
    """Drift is told at the end of a row, so the order of effects may differ; nothing else may."""
    wanted, got = (Counter(map(msgspec.json.encode, said.effects)) for said in (smooth, rough))
    yield from (f"ticks, rows or restarts: not said: {each!r}" for each in (wanted - got))
    yield from (f"ticks, rows or restarts: said: {each!r}" for each in (got - wanted))
    for key in smooth.state.keys() | rough.state.keys():
        if smooth.state.get(key) != rough.state.get(key):
            wanted, got = (_readable(said.state.get(key)) for said in (smooth, rough))
            yield f"ticks, rows or restarts changed the state {key!r}: {wanted} became {got}"


def _readable(value: bytes | None) -> object:
    try:
        return None if value is None else msgspec.msgpack.decode(value)
    except msgspec.DecodeError:
        return value


def _partition(subject: World, delivery: Delivery) -> int:
    site = "poison" if isinstance(delivery.event, bytes) else delivery.event.site
    return crc32(site.encode()) % subject.partitions
