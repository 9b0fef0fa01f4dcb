"""A hospital from a seed: what a real one would send, in the order in which it would arrive.

The same settings and seed give the same events on every machine. Sites are independent of each
other, and so is everything that a fault does not touch (`streams.hospital`).
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from typing import NamedTuple

import msgspec

from streams.clock import from_us
from streams.hospital.settings import Hospital
from streams.hospital.site import Event, SimulatedSite


class Arrival(NamedTuple):
    """An event, and when it reaches the broker."""

    event: Event
    arrived_us: int


def simulate(hospital: Hospital, seed: int) -> Iterator[Arrival]:
    """All events of the hospital in order of arrival; its last reports come after its last day.

    >>> first = next(simulate(Hospital(), seed=7))
    >>> first.event.study, first.event.modality
    ('north-0000001', 'DX')
    """
    sites = (SimulatedSite(hospital, site, seed).arrivals() for site in hospital.sites)
    for arrived_us, event in merge(*sites, key=lambda arrival: arrival[0]):
        yield Arrival(event, arrived_us)


def lines(arrivals: Iterable[Arrival]) -> Iterator[bytes]:
    """One JSON line an event, with `arrived_at`: the input of `radvigil replay`."""
    encode = msgspec.json.Encoder().encode
    for event, arrived_us in arrivals:
        yield b'%b,"arrived_at":%b}\n' % (encode(event)[:-1], encode(from_us(arrived_us)))
