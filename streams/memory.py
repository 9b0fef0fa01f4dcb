"""What a shard remembers, gathered from its parts and handed back to them: streams/state.py."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from streams import state
from streams.budget import Account
from streams.incidents.commands import Taken
from streams.incidents.stage import Case
from streams.lost import Lost
from streams.observations.patients import Known
from streams.observations.slicing import SiteLabels
from streams.outcomes.outage_episode import Episode
from streams.outcomes.study_record import StudyRecord
from streams.parts import Parts
from streams.routing.stage import Routing
from streams.self_watch import Skew
from streams.series.record import SeriesRecord
from streams.series.record_1 import SeriesRecord1
from streams.sites import Admitted
from streams.stage import Stage
from streams.stages import record_kinds


class Memory:
    """The parts of one shard that have state."""

    def __init__(self, parts: Parts) -> None:
        self._sites = parts.sites
        self._lost = parts.lost
        self._correlate = parts.correlate
        self._firsts = parts.firsts
        self._outages = parts.outages
        self._detect = parts.detect
        self._incidents = parts.incidents
        self._commands = parts.commands
        self._self_watch = parts.self_watch
        self._budget = parts.budget
        self._watching: tuple[Stage | Routing, ...] = (*parts.stages, parts.routing)
        running = {kind for stage in parts.stages for kind in stage.kinds}
        self._idle = record_kinds().keys() - running
        self._given_up: list[list[str]] = []
        self._written_us: int | None = None

    def changes(self, watermark_us: int) -> Iterator[state.Record]:
        """Records that changed since the last call."""
        given_up, self._given_up = self._given_up, []
        for kind, *key in given_up:
            yield state.write(kind, key, None)
        changed: dict[str, Iterable[tuple[Iterable[str], Struct | None]]] = {
            "site/1": (([admitted.site], admitted) for admitted in self._sites.changes()),
            "lost/1": self._lost.changes(),
            "study/1": self._correlate.changes(),
            "patient/1": self._firsts.patients.changes(),
            "episode/1": self._outages.changes(),
            "case/1": (([case.fingerprint], case) for case in self._incidents.changes()),
            "commands/1": (([taken.site], taken) for taken in self._commands.changes()),
            "skew/1": self._self_watch.changes(),
            "account/1": (([account.site], account) for account in self._budget.changes()),
        }
        for kind, records in changed.items():
            for known, record in records:
                yield state.write(kind, known, record)
        for part in self._watching:
            for change in part.changes():
                yield state.write(*change)
        yield from self._series()
        if self._written_us != watermark_us:
            self._written_us = watermark_us
            yield state.write("now/1", [], state.Now(watermark_us))

    def _series(self) -> Iterator[state.Record]:
        for series_id, series, bulk in self._detect.changes():
            for name, value in bulk:
                yield state.write_bulk([*series_id, name], value)
            yield state.write("series/2", series_id, series)
        for labels in self._detect.labels():
            yield state.write("labels/1", [labels.site], labels)
        for series_id in self._detect.outgrown():
            yield state.write("series/1", series_id, None)

    def restore(self, records: Iterable[tuple[bytes, bytes]]) -> int | None:
        """Hand a checkpoint's records to the parts; how far time was proved then."""
        by_type: dict[type, list[Any]] = defaultdict(list)
        bulk: dict[tuple[str, ...], dict[str, bytes]] = defaultdict(dict)
        for key, value in state.read(records):
            if key[0] in self._idle:  # of a monitor that has been switched off
                self._given_up.append(key)
            elif key[0] == state.BULK:
                bulk[tuple(key[1:4])][key[4]] = value
            else:
                by_type[type(value)].append(value)
        self._sites.restore(by_type[Admitted])
        self._lost.restore(by_type[Lost])
        self._correlate.restore(by_type[StudyRecord])
        self._firsts.patients.restore(by_type[Known])
        self._outages.restore(by_type[Episode])
        self._incidents.restore(by_type[Case])
        self._commands.restore(by_type[Taken])
        self._self_watch.restore(by_type[Skew])
        self._budget.restore(by_type[Account])
        for labels in by_type[SiteLabels]:
            self._detect.take_up(labels)
        for series in (*by_type[SeriesRecord1], *by_type[SeriesRecord]):
            self._detect.restore(series, bulk[series.site, series.model, series.subject])
        for part in self._watching:
            kept = {*part.kinds.values()}
            part.restore(r for kind, rs in by_type.items() if kind in kept for r in rs)
        for now in by_type[state.Now]:
            self._written_us = now.watermark_us
        return self._written_us
