"""Nothing that a shard remembers grows with time alone."""

from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from schemas.config import MONITORS, Bounds, Monitor, Watch
from streams.clock import to_us
from streams.hospital.faults import Outage
from streams.hospital.settings import Hospital, config_for
from streams.pipeline import Pipeline
from streams.simulate import simulate

DAY_S = 86_400.0
OURS = ("streams", "schemas", "detectors")


def parts_of(thing: Any) -> Iterator[Any]:
    """What a thing holds, if it can hold anything."""
    if isinstance(thing, Mapping):
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset | deque):
        yield from thing
    elif type(thing).__module__.startswith(OURS):
        names = {name for one in type(thing).__mro__ for name in getattr(one, "__slots__", ())}
        names |= {*getattr(type(thing), "__struct_fields__", ()), *getattr(thing, "__dict__", ())}
        yield from (getattr(thing, name) for name in names if hasattr(thing, name))


def held(root: Any) -> int:
    """How many elements all containers have that can be reached from here."""
    known: dict[int, Any] = {}
    waiting, elements = [root], 0
    while waiting:
        thing = waiting.pop()
        if id(thing) in known or isinstance(thing, str | bytes | int | float | type):
            continue
        known[id(thing)] = thing
        if isinstance(thing, Mapping | list | tuple | set | frozenset | deque | array | bytearray):
            elements += len(thing)
        elif isinstance(thing, np.ndarray):
            elements += thing.size
        waiting += parts_of(thing)
    return elements


@pytest.mark.parametrize("monitors", [(), MONITORS], ids=["deadlines alone", "all monitors"])
def test_nothing_grows_with_time_alone(monitors: tuple[Monitor, ...]) -> None:
    start, days = Hospital().start, 36
    outages = tuple(
        Outage("north", "ptx", start + timedelta(days=day, hours=10), timedelta(hours=5))
        for day in range(0, days, 3)
    )
    hospital = Hospital(studies_per_day=40, days=days, faults=outages)
    bounds = Bounds(settled_s=DAY_S, waiting_s=DAY_S, patient_s=3 * DAY_S, closed_s=3 * DAY_S)
    watch = Watch(exclude=("*",), slices=(), monitors=monitors)
    pipeline = Pipeline(replace(config_for(hospital), bounds=bounds, watch=watch))

    sizes: list[int] = []
    # The same day of the week, when profiles are full.
    moments = [to_us(start + timedelta(days=day, hours=12)) for day in (21, 35)]
    for arrival in simulate(hospital, seed=4):
        pipeline.handle(arrival.event, arrival.arrived_us)
        if moments and arrival.arrived_us >= moments[0]:
            del moments[0]
            list(pipeline.changes())
            sizes.append(held(pipeline))

    before, after = sizes
    assert after < 1.1 * before  # 1.2 to 1.5 times with one heap that nobody clears
