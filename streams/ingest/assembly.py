"""Images become one study: what came first tells what it is, the rest are counted.

A study is told when its first image comes (`received`), when nothing has come for a while
(`complete`), and again, with more images, when something comes after all: Orthanc's StableStudy and
a finished C-STORE association are both no proof that a study is whole.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from schemas.study import Study, StudyState
from streams.ingest.dicom import Instance

MOST_STUDIES = 10_000
MOST_INSTANCES = 20_000


class _Growing:
    """One study that images still come for."""

    def __init__(self, first: Study) -> None:
        self.first = first
        self.series: set[str] = set()
        self.instances: set[str] = set()
        self.latest_at = first.at
        self.told: tuple[StudyState, int] | None = None

    def study(self, state: StudyState, at: datetime) -> Study:
        counts = {"series_n": float(len(self.series)), "instances_n": float(len(self.instances))}
        attributes = {**(self.first.attributes or {}), **counts}
        return replace(self.first, state=state, at=at, attributes=attributes)


class Assembly:
    """The studies that images come for, at most `most`; those longest untouched go first."""

    def __init__(self, stable_s: float, most: int = MOST_STUDIES) -> None:
        self._stable = timedelta(seconds=stable_s)
        self._most = most
        self._growing: OrderedDict[str, _Growing] = OrderedDict()
        self.dropped: Counter[str] = Counter()

    def add(self, instance: Instance, received_at: datetime) -> Iterator[Study]:
        """Take an image; the study, where it is the first of it."""
        key = instance.study.study
        growing = self._growing.get(key)
        is_new = growing is None
        if growing is None:
            growing = self._growing[key] = _Growing(instance.study)
        self._growing.move_to_end(key)
        growing.latest_at = received_at
        if len(growing.instances) < MOST_INSTANCES:
            growing.series.add(instance.series)
            growing.instances.add(instance.instance)
        elif instance.instance not in growing.instances:
            self.dropped["instance_overflow"] += 1
        if is_new:
            yield growing.study("received", instance.study.at)
        if len(self._growing) > self._most:
            _, oldest = self._growing.popitem(last=False)
            self.dropped["study_overflow"] += 1
            yield from _complete(oldest)

    def due(self, now: datetime) -> Iterator[Study]:
        """The studies that nothing has come for in a while."""
        for growing in self._growing.values():
            if growing.latest_at + self._stable > now:
                return  # in the order of their last image
            yield from _complete(growing)

    def unsay(self, study: str) -> None:
        """What was told of a study last did not get through: its next image is the first."""
        self._growing.pop(study, None)

    def forget(self, before: datetime) -> None:
        """Drop studies whose last image came before that: a later one begins them anew."""
        while self._growing and next(iter(self._growing.values())).latest_at < before:
            self._growing.popitem(last=False)

    def finish(self) -> Iterator[Study]:
        """Everything there is: no more images come."""
        for growing in self._growing.values():
            yield from _complete(growing)


def _complete(growing: _Growing) -> Iterator[Study]:
    """Told anew only when it has grown."""
    told = ("complete", len(growing.instances))
    if growing.told != told:
        growing.told = ("complete", len(growing.instances))
        yield growing.study("complete", growing.latest_at)
