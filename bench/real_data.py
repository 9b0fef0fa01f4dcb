"""Real streams through the pipeline, one configuration for all: what is found, and what is not.

    python -m bench.real_data [--data DIR] [--only NAME] [--shuffles 25] [--json]

The configuration is the default one with one site (no setting is made for a stream). A change that
people know of is found when something under the promise is told from its beginning on and before
the next one begins. What is told of series that nothing is promised for (`info`) stands beside it,
and is not counted. Shuffled: the same rows at the same times in another order,
so that nothing changes; counted are drift incidents, against what the shares of the series allow
in the time in which they were watched. Silence is not counted there, as times are not shuffled.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson

from bench.real_streams import Known, RealStream, streams
from examples.event_lines import Event, arrived
from schemas.config import Budget, Config
from schemas.incident import Incident
from streams.clock import from_us, to_us
from streams.pace import DAY_US
from streams.replay import Replay, parse

CONFIG = Config(budget=Budget(sites=1))
LOOSE = 20
_HERE = Path(__file__).parents[1]
_LEFT = ("opened", "changed_again")
_SILENT = ("silence", "partial_silence")
_SHOWN = 3


class Found(NamedTuple):
    """What was told of one known change; `row` counts studies, `hours` from its beginning."""

    change: str
    rows: tuple[int, int]
    row: int | None
    hours: float | None
    inside: bool
    subjects: list[str]
    info: str | None


class Played(NamedTuple):
    """One stream in its natural order."""

    stream: str
    studies: int
    days: float
    series: int
    before: int  # under the promise, before the first change that is known
    before_subjects: list[str]
    info: int  # told of what is not promised
    silences: int
    changes: list[Found]


class Shuffled(NamedTuple):
    """Drift incidents of so many shuffled copies, and how many the shares allow."""

    stream: str
    promise: float  # false incidents in 30 days
    copies: int
    allowed: float
    counted: int
    info: int


def replayed(events: Sequence[Event], config: Config) -> tuple[Replay, list[Incident]]:
    """Whatever leaves its reference or falls silent, in the order told, up to the last event."""
    replay = Replay(config)
    lines = parse("recording", map(orjson.dumps, events))
    effects = [*replay.play(lines), *replay.finish(to_us(arrived(events[-1])))]
    told = [one for one in effects if isinstance(one, Incident) and one.reason in _LEFT]
    return replay, [one for one in told if one.kind.endswith("drift") or one.kind in _SILENT]


def natural(stream: RealStream) -> Played:
    """Play one stream as it is."""
    replay, told = replayed(stream.events, CONFIG)
    made = [arrived(event) for event in stream.events if event["type"] == "radvigil.study.v1"]
    drift = [one for one in told if one.kind not in _SILENT]
    promised = [one for one in drift if one.severity != "info"]
    first = stream.known[0].first if stream.known else datetime.max.replace(tzinfo=made[0].tzinfo)
    early = [one for one in promised if true_at(one) < first]
    return Played(
        stream.name,
        len(made),
        (made[-1] - made[0]).total_seconds() / 86_400,
        sum(1 for _, series in replay.pipeline.series() if series.original is not None),
        len(early),
        names(early),
        len(drift) - len(promised),
        len(told) - len(drift),
        [
            found(known, until, drift, made)
            for known, until in zip(
                stream.known, [*(k.first for k in stream.known[1:]), None], strict=False
            )
        ],
    )


def found(
    known: Known, until: datetime | None, drift: list[Incident], made: list[datetime]
) -> Found:
    """What was told from the beginning of a change on."""
    since = [
        one
        for one in drift
        if true_at(one) >= known.first and (until is None or true_at(one) < until)
    ]
    promised = sorted((one for one in since if one.severity != "info"), key=true_at)
    info = sorted((one for one in since if one.severity == "info"), key=true_at)
    at = true_at(promised[0]) if promised else None
    return Found(
        known.name,
        (row_of(known.first, made), row_of(known.last, made)),
        None if at is None else row_of(at, made),
        None if at is None else (at - known.first).total_seconds() / 3600,
        at is not None and at <= known.last,
        names(promised),
        f"{info[0].subject} row {row_of(true_at(info[0]), made)}" if info else None,
    )


def true_at(incident: Incident) -> datetime:
    """When it became true."""
    return incident.opened_at if incident.reason == "opened" else incident.at


def names(incidents: Sequence[Incident]) -> list[str]:
    """Subjects, each once, in order."""
    return list(dict.fromkeys(one.subject or one.kind for one in incidents))


def row_of(at: datetime, made: list[datetime]) -> int:
    """How many studies were made before then."""
    return sum(one < at for one in made)


def shuffled(stream: RealStream, copies: int, loose: float) -> Shuffled:
    """Play copies in which nothing changes."""
    promise = CONFIG.budget.false_incidents * loose
    config = Config(budget=Budget(sites=1, false_incidents=promise))
    allowed, counted, info = 0.0, 0, 0
    for seed in range(copies):
        replay, told = replayed(in_another_order(stream.events, seed), config)
        drift = [one for one in told if one.kind not in _SILENT]
        info += sum(one.severity == "info" for one in drift)
        counted += sum(one.severity != "info" for one in drift)
        allowed += allowed_of(replay, stream.events)
    return Shuffled(stream.name, promise, copies, allowed, counted, info)


def in_another_order(events: Sequence[Event], seed: int) -> list[Event]:
    """Each study with its result and report at the time of another study."""
    cases: dict[str, list[Event]] = {}
    for event in events:
        cases.setdefault(event["study"], []).append(event)
    rows = list(cases.values())
    order = np.random.default_rng([seed, len(rows)]).permutation(len(rows)).tolist()
    moved = [
        event
        for case, place in zip(rows, order, strict=True)
        for event in _moved(case, to_us(arrived(rows[place][0])) - to_us(arrived(case[0])))
    ]
    return sorted(moved, key=arrived)


def _moved(case: list[Event], by_us: int) -> Iterator[Event]:
    for event in case:
        at = from_us(to_us(arrived(event)) + by_us).isoformat()
        yield {**event, "at": at, "arrived_at": at}


def allowed_of(replay: Replay, events: Sequence[Event]) -> float:
    """False alarms that the shares of the series allow, from the freeze of each reference on."""
    end_us = to_us(arrived(events[-1]))
    starts: dict[str, list[int]] = {}
    for event in events:
        starts.setdefault(event.get("model", ""), []).append(to_us(arrived(event)))
    allowed = 0.0
    for (_, model, _), series in replay.pipeline.series():
        if series.original is not None and series.share.given and series.share.days:
            mine = starts[model]
            frozen_us = mine[min(series.original.n, len(mine)) - 1]
            allowed += (end_us - frozen_us) / DAY_US / series.share.days
    return allowed


def show(played: list[Played], copies: list[Shuffled]) -> None:
    """Two tables, fit for a page of documentation."""
    print("| stream | studies, days, series | told before | change | told at | first subjects |")
    print("|---|---|---|---|---|---|")
    for one in played:
        size = f"{one.studies}, {one.days:.0f}, {one.series}"
        before = f"{one.before} {_some(one.before_subjects)}".strip()
        notes = f"info: {one.info}, silences: {one.silences}"
        for number, change in enumerate(one.changes or [None]):
            head = f"{one.stream} | {size}, {notes} | {before}" if number == 0 else " | | "
            print(f"| {head} | {_told(change)} |")
    print("\n| shuffled | promise, in 30 days | copies | allowed | counted | info |")
    print("|---|---|---|---|---|---|")
    for row in copies:
        counts = f"{row.copies} | {row.allowed:.1f} | {row.counted} | {row.info}"
        print(f"| {row.stream} | {row.promise:g} | {counts} |")


def _told(change: Found | None) -> str:
    if change is None:
        return "none is known | | "
    first, last = change.rows
    where = change.change if first == last else f"{change.change}, rows {first} to {last}"
    noted = f"; info: {change.info}" if change.info else ""
    if change.row is None or change.hours is None:
        return f"{where} | **not found**{noted} | "
    late = "" if change.inside or first == last else ", **after its end**"
    at = f"row {change.row}, after {change.row - first} rows or {change.hours:.1f} h{late}"
    return f"{where} | {at}{noted} | {_some(change.subjects)}"


def _some(subjects: list[str]) -> str:
    more = f" and {len(subjects) - _SHOWN} more" if len(subjects) > _SHOWN else ""
    return ", ".join(subjects[:_SHOWN]) + more


def main() -> int:
    """The command."""
    command = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_argument("--data", type=Path, default=_HERE.parent / "shared" / "data")
    command.add_argument("--only", default="", help="streams whose name has this in it")
    command.add_argument("--shuffles", type=int, default=25, help="copies at each promise")
    command.add_argument("--json", action="store_true", help="JSON instead of tables")
    chosen = command.parse_args()
    if not chosen.data.is_dir():
        print(f"left out: no real data at {chosen.data}; --data names their folder")
        return 0
    some = [stream for stream in streams(chosen.data) if chosen.only in stream.name]
    played = [natural(stream) for stream in some]
    copies = [
        shuffled(stream, chosen.shuffles, loose)
        for stream in (some if chosen.shuffles else [])
        for loose in (1, LOOSE)
    ]
    if chosen.json:
        natural_rows = [
            one._asdict() | {"changes": [change._asdict() for change in one.changes]}
            for one in played
        ]
        shuffled_rows = [one._asdict() for one in copies]
        print(json.dumps({"natural": natural_rows, "shuffled": shuffled_rows}, indent=1))
    else:
        show(played, copies)
    return 0


if __name__ == "__main__":
    sys.exit(main())
