"""Nothing is planted: every incident that opens is a false one."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import sqrt
from typing import NamedTuple

from bench.hospital.rhythm import day_us
from bench.hospital.told import Opening, openings
from bench.hospital.world import Size, World, config

_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_US = 86_400_000_000


class Quiet(NamedTuple):
    """One hospital in which nothing happens: what is false, what is allowed, notices beside."""

    seed: int
    days: int
    events_n: int
    false: list[Opening]
    allowed: float
    notices_n: int


def quiet(size: Size, seed: int) -> Iterator[int | Quiet]:
    """The days that are done, one by one; what came of them at the end."""
    world = World(size, seed)
    told = []
    for day, of_day in enumerate(world.run(size.days), start=1):
        told += of_day
        yield day
    opened = openings(told)
    promise = config().budget
    allowed = promise.false_incidents / promise.per_days * size.days
    false = [one for one in opened if one.disturbs]
    yield Quiet(seed, size.days, world.events_n, false, allowed, len(opened) - len(false))


def breaks(runs: Sequence[Quiet]) -> bool:
    """Whether more was raised than is allowed, beyond chance: three standard errors."""
    false_n, allowed = sum(len(run.false) for run in runs), sum(run.allowed for run in runs)
    return false_n > allowed + 3 * sqrt(max(allowed, 1))


def where_and_when(runs: Sequence[Quiet]) -> list[tuple[str, str, int, str]]:
    """Kind, series, how often, and when: seed, day and hour of the week. The most first."""
    counts = Counter((one.kind, one.series) for run in runs for one in run.false)
    return [
        (
            kind,
            series,
            n,
            "; ".join(
                f"{run.seed} {one.site} {_when(one.at_us)}"
                for run in runs
                for one in run.false
                if (one.kind, one.series) == (kind, series)
            ),
        )
        for (kind, series), n in counts.most_common()
    ]


def _when(at_us: int) -> str:
    """Number of the day from 0, and the day of the week.

    >>> _when(day_us(5))
    'day 5 Sat'
    """
    day = (at_us - day_us(0)) // _DAY_US
    return f"day {day} {_WEEK[day % 7]}"
