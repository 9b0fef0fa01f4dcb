"""Real streams through the pipeline, one configuration for all: what is found, and what is not.

    python -m bench.real_data [--data DIR] [--only NAME] [--shuffles 25] [--json]

The configuration is the default one with one site (no setting is made for a stream). A change that
people know of is found when something under the promise is told of it. What is told of series that
nothing is promised for (`info`) stands beside it, and is not counted. Shuffled: the same rows at
the same times in another order, so that nothing changes; counted are drift incidents, against what
the shares of the series allow in the time in which they were watched. Silence is not counted there,
as times are not shuffled.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.real_played import CONFIG, SILENT, Found, Played, natural, replayed
from bench.real_streams import RealStream, streams
from examples.event_lines import Event, arrived
from schemas.config import Budget, Config
from streams.clock import from_us, to_us
from streams.pace import DAY_US
from streams.replay import Replay

LOOSE = 20
_HERE = Path(__file__).parents[1]
_SHOWN = 3


class Shuffled(NamedTuple):
    """Drift incidents of so many shuffled copies, and how many the shares allow."""

    stream: str
    promise: float  # false incidents in 30 days
    copies: int
    allowed: float
    counted: int
    info: int


def shuffled(stream: RealStream, copies: int, loose: float) -> Shuffled:
    """Play copies in which nothing changes."""
    promise = CONFIG.budget.false_incidents * loose
    config = Config(budget=Budget(sites=1, false_incidents=promise))
    allowed, counted, info = 0.0, 0, 0
    for seed in range(copies):
        replay, told = replayed(in_another_order(stream.events, seed), config)
        drift = [one for one in told if one.kind not in SILENT]
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
