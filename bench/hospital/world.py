"""The sites of a hospital, what is planted in them, and the monitor that watches."""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple

from bench.hospital.exam import READERS, Exam
from bench.hospital.rhythm import day_us
from bench.hospital.sending import arrivals
from bench.hospital.site import Site, SiteKind
from schemas.config import Config, Deadlines, Limits, Model, Outage, Range
from schemas.incident import Incident
from schemas.messages import Event
from schemas.site import SiteSettings
from streams.pipeline import Pipeline

Alter = Callable[[Exam], None]
SITES = (SiteKind("north", 700, 6, 3), SiteKind("south", 350, 4, 2))
_BATCH_N = 2_000
_DEADLINES = (Deadlines(stat=300, urgent=900, routine=3600), Deadlines(routine=1800))


class Size(NamedTuple):
    """How large a hospital, and how long it is watched, in days."""

    of_usual: float
    days: int
    onset_day: int
    longest_days: int
    differs: float = 1.0
    """How far days and shifts are from alike, over the usual."""


LONG = Size(of_usual=1.0, days=60, onset_day=30, longest_days=30)
SHORT = Size(of_usual=0.3, days=5, onset_day=4, longest_days=1)


def config() -> Config:
    """What a hospital would write: its models and sites, all else as it is shipped."""
    models = [
        Model(
            name=reader.name,
            applies={"modality": [reader.modality], "body_part": [reader.body_part]},
            deadline_s=deadline_s,
            findings=(reader.finding,),
            limits={reader.finding: Limits(min_ppv=0.3, max_for=0.05)},
            intended_use={"patient.age_years": Range(min=18)},
            failed=Outage(policy="rate", tolerated_share=0.02),
        )
        for reader, deadline_s in zip(READERS, _DEADLINES, strict=True)
    ]
    sites = [SiteSettings(name=site.name) for site in SITES]
    return Config(timezone="Europe/Berlin", models=models, sites=sites)


class World:
    """A hospital and its monitor. `alter` is what is wrong with every exam from now on."""

    def __init__(self, size: Size, seed: int) -> None:
        kinds = (site._replace(per_day=site.per_day * size.of_usual) for site in SITES)
        self.alter: Alter | None = None
        self.events_n = 0
        self._sites = [Site(kind, seed, size.differs) for kind in kinds]
        self._waiting: list[tuple[int, int, Event]] = []
        self._sent_n = 0
        self._day = 0
        self._pipeline = Pipeline(config())

    def run(self, days: int) -> Iterator[list[Incident]]:
        """What is told of incidents on each of the next days."""
        for _ in range(days):
            yield self._next_day()

    def _next_day(self) -> list[Incident]:
        told: list[Incident] = []
        events = self.events()
        while batch := list(islice(events, _BATCH_N)):
            self.events_n += len(batch)
            effects = self._pipeline.handle_all(batch)
            told += (effect for effect in effects if isinstance(effect, Incident))
        return told

    def events(self) -> Iterator[tuple[Event, int]]:
        """What arrives on the next day, in order."""
        for site in self._sites:
            for exam in site.day(self._day):
                if self.alter is not None:
                    self.alter(exam)
                for arrived_us, event in arrivals(exam):
                    self._sent_n += 1
                    heappush(self._waiting, (arrived_us, self._sent_n, event))
        self._day += 1
        until_us = day_us(self._day)
        while self._waiting and self._waiting[0][0] < until_us:
            arrived_us, _, event = heappop(self._waiting)
            yield event, arrived_us
