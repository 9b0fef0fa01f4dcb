"""The streams of real data, as examples/ reads them, and what people say changed in them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from examples import abide, nab, nih_cxr14, tcpd, viper_reads
from examples.event_lines import START, Event, arrived, every

NIH_ROWS = (4085, 4297)  # streams.json: the detector with .171 mm pixels gives way
NIH_EVERY = timedelta(seconds=300)
_MARKS_APART = 5  # rows: annotators who are further apart mean another change
_MARKED_BY = 2


class Known(NamedTuple):
    """A change that people know of, and the time in which it happened."""

    name: str
    first: datetime
    last: datetime


class RealStream(NamedTuple):
    """One deployment of one site: its events in order of arrival, and what is known of them."""

    name: str
    events: list[Event]
    known: list[Known]


def streams(data: Path) -> Iterator[RealStream]:
    """Every stream of the data's streams.json."""
    yield _nih(data)
    yield RealStream("VIPER reads", _in_order(_viper(data)), [])
    yield _abide(data)
    yield from _nab(data)
    yield from _tcpd(data)


def _nih(data: Path) -> RealStream:
    path = str(data / "nih_cxr14_dev.parquet")
    rows = nih_cxr14.rows(path, 3001, 12_000, all_images=False)
    events = list(nih_cxr14.events(rows, START, NIH_EVERY, with_reports=True))
    first, last = (START + row * NIH_EVERY for row in NIH_ROWS)
    return RealStream("NIH chest X-rays", events, [Known("detector replaced", first, last)])


def _viper(data: Path) -> Iterator[Event]:
    return viper_reads.events(viper_reads.reads(str(data / "viper_reads_dev.parquet")))


def _abide(data: Path) -> RealStream:
    path, clock = str(data / "mriqc_abide_dev.csv"), every(abide.DAY_S)
    ends = accumulate(len(abide.scans(path, [site])) for site in abide.SITES[:-1])
    known = [
        Known(f"{before} to {after}", clock.at(row), clock.at(row))
        for (before, after), row in zip(pairwise(abide.SITES), ends, strict=True)
    ]
    return RealStream(
        "ABIDE image quality", list(abide.events(abide.scans(path, abide.SITES), clock)), known
    )


def _nab(data: Path) -> Iterator[RealStream]:
    windows = json.loads((data / "nab_windows.json").read_bytes())
    for name, marked in sorted(windows.items()):
        series = name.split("/")[1]
        known = [
            Known(f"window {number}", _utc(first), _utc(last))
            for number, (first, last) in enumerate(marked, start=1)
        ]
        yield RealStream(f"NAB {series}", list(nab.events(data, series)), known)


def _tcpd(data: Path) -> Iterator[RealStream]:
    clock = every(tcpd.DAY_S)
    annotated = json.loads((data / "tcpd" / "annotations.json").read_bytes())
    for series, told in sorted(annotated.items()):
        known = [
            Known(f"change {number}", clock.at(first), clock.at(last))
            for number, (first, last) in enumerate(_agreed(told["annotations"].values()), start=1)
        ]
        yield RealStream(f"TCPD {series}", list(tcpd.events(data / "tcpd", series, clock)), known)


def _agreed(annotations: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Rows that at least two annotators marked, those a few rows apart as one change."""
    marks = sorted(mark for marks in annotations for mark in marks)
    group: list[int] = []
    for mark in [*marks, None]:
        if mark is not None and (not group or mark - group[-1] <= _MARKS_APART):
            group.append(mark)
            continue
        if len(group) >= _MARKED_BY:
            yield group[0], group[-1]
        group = [] if mark is None else [mark]


def _in_order(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=arrived)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
