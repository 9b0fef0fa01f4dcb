"""Each fault beside its twin: the same hospital without it. What both are told is false."""

from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from typing import NamedTuple

from bench.hospital.fault import SITE, Fault
from bench.hospital.faults_answers import ANSWERS
from bench.hospital.faults_inputs import INPUTS
from bench.hospital.faults_reports import REPORTS
from bench.hospital.rhythm import day_us
from bench.hospital.told import Opening, openings
from bench.hospital.world import Size, World
from schemas.incident import Incident

FAULTS = (*ANSWERS, *INPUTS, *REPORTS)
_DAY_US = 86_400_000_000


class Found(NamedTuple):
    """What became of a fault.

    `told`: what it was first told as. `before` and `beside`: what is told without it too, before
    and after its onset. `also`: whatever else came of it.
    """

    fault: Fault
    watched_days: int
    onset_us: int
    told: Opening | None
    before: list[Opening]
    beside: list[Opening]
    also: list[Opening]

    @property
    def delay_days(self) -> float | None:
        """From the onset until it was true that it is told."""
        return None if self.told is None else (self.told.at_us - self.onset_us) / _DAY_US

    @property
    def is_right(self) -> bool:
        """Found where there is something to be found, and nothing told where not."""
        return (self.told is None) == self.fault.is_none

    @property
    def names_slice(self) -> bool | None:
        """Whether the part of the studies that has it was named; None where it is all of them."""
        if self.fault.slice is None or self.told is None:
            return None
        wanted = self.fault.slice
        return wanted in self.told.slices or wanted in self.told.subject


class _Stand(NamedTuple):
    """A hospital at the onset, from which each fault goes on in a process of its own."""

    world: World
    size: Size
    seed: int
    faults: Sequence[Fault | None]


_stand: _Stand | None = None


def found(faults: Sequence[Fault], size: Size, seed: int) -> Iterator[Found]:
    """Plant each of the faults, alone; the time before the onset is run once."""
    global _stand  # noqa: PLW0603 - a forked process has it as it stands, and nothing is copied
    world = World(size, seed)
    past = [incident for told in world.run(size.onset_day) for incident in told]
    _stand = _Stand(world, size, seed, [None, *faults])
    with get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        told = pool.imap(_after, range(len(_stand.faults)), chunksize=1)
        without = openings([*past, *next(told)])
        for fault, after in zip(faults, told, strict=True):
            whole = after if fault.from_first_day else [*past, *after]
            yield judged(fault, size, without, openings(whole))


def _after(number: int) -> list[Incident]:
    assert _stand is not None
    world, size, seed, faults = _stand
    fault = faults[number]
    days = size.longest_days if fault is None else min(fault.watched_days, size.longest_days)
    if fault is not None and fault.from_first_day:
        world, days = World(size, seed), size.onset_day + days
    world.alter = None if fault is None else fault.planted(size.onset_day)
    return [incident for told in world.run(days) for incident in told]


def judged(fault: Fault, size: Size, without: list[Opening], with_it: list[Opening]) -> Found:
    """What of it all the fault did."""
    onset_us = fault.onset_us(size.onset_day)
    watched_days = min(fault.watched_days, size.longest_days)
    until_us = day_us(size.onset_day + watched_days)
    false = [one for one in without if one.disturbs and one.at_us < until_us]
    its_own = [one for one in with_it if one.at_us >= onset_us and not _is_in(one, without)]
    relevant = [one for one in its_own if one.site == SITE and one.is_about(fault.told_as)]
    return Found(
        fault,
        watched_days,
        onset_us,
        relevant[0] if relevant else None,
        [one for one in false if one.at_us < onset_us],
        [one for one in false if one.at_us >= onset_us],
        [one for one in its_own if one.disturbs and one not in relevant[:1]],
    )


def _is_in(one: Opening, others: list[Opening]) -> bool:
    """Whether the same was told within a day of it."""
    return any(
        (one.kind, one.site, one.series) == (other.kind, other.site, other.series)
        and abs(one.at_us - other.at_us) < _DAY_US
        for other in others
    )
