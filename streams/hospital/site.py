"""One site: the course of each study from first image to report, and the feeds that tell of it."""

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random

from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from streams.clock import to_us
from streams.hospital.answering import Answering
from streams.hospital.draws import to_ms_us
from streams.hospital.faults import Feed, Silence, active, windows
from streams.hospital.imaging import Imaging
from streams.hospital.reading import Reading
from streams.hospital.rhythm import beginnings
from streams.hospital.settings import Hospital

Event = Study | Prediction | Report


class SimulatedSite:
    """One site of a hospital; every kind of draw has a generator of its own."""

    def __init__(self, hospital: Hospital, site: str, seed: int) -> None:
        def rng(purpose: str) -> Random:
            return Random(f"{seed}/{site}/{purpose}")

        self._beginnings = beginnings(hospital, rng("beginnings"))
        self._imaging = Imaging(hospital, site, rng("imaging"))
        self._reading = Reading(hospital, site, rng("reading"))
        self._models = [
            Answering(hospital, model, site, rng(f"model/{model.name}"))
            for model in hospital.models
        ]
        self._feeds = [
            _Feed(hospital, site, feed, rng(feed)) for feed in ("studies", "predictions", "reports")
        ]

    def arrivals(self) -> Iterator[tuple[int, Event]]:
        """(arrived_us, event) in order: nothing of a study arrives before the study begins."""
        on_the_way: list[tuple[int, int, Event]] = []
        sent = 0
        for first_us in self._beginnings:
            while on_the_way and on_the_way[0][0] <= first_us:
                arrived_us, _, event = heappop(on_the_way)
                yield arrived_us, event
            for arrived_us, event in self._course(first_us):
                heappush(on_the_way, (arrived_us, sent, event))
                sent += 1
        while on_the_way:
            arrived_us, _, event = heappop(on_the_way)
            yield arrived_us, event

    def _course(self, first_us: int) -> Iterator[tuple[int, Event]]:
        studies, predictions, reports = self._feeds
        imaged = self._imaging.study(first_us)
        truth = self._reading.truth(imaged)
        readers = [model for model in self._models if model.reads(imaged)]
        findings = [finding for model in readers for finding in model.findings]
        answers = [model.answer(imaged, truth) for model in readers]
        report = self._reading.report(imaged, truth, findings)

        yield from studies.delivered(list(imaged.upserts()))
        yield from predictions.delivered([answer for answer in answers if answer])
        yield from reports.delivered([report] if report else [])


class _Feed:
    """The way of one kind of event to the broker."""

    def __init__(self, hospital: Hospital, site: str, feed: Feed, rng: Random) -> None:
        self._rng = rng
        self._silences = windows(
            fault
            for fault in hospital.faults
            if isinstance(fault, Silence) and (fault.site, fault.feed) == (site, feed)
        )

    def delivered(self, events: list[Event]) -> Iterator[tuple[int, Event]]:
        """The events of one study that arrive, after one delay for all."""
        delay_us = to_ms_us(0.05 + 2 * self._rng.random())
        for event in events:
            arrived_us = to_us(event.at) + delay_us
            silence = active(self._silences, arrived_us)
            if silence is None:
                yield arrived_us, event
            elif silence.fault.catches_up:
                yield silence.caught_up_us(arrived_us), event
