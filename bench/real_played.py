"""One real stream through the pipeline: what was told, and of which change that people know of."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from bench.real_streams import Known, RealStream
from examples.event_lines import Event, arrived
from schemas.config import Budget, Config
from schemas.incident import Incident
from streams.clock import to_us
from streams.replay import Replay, parse

CONFIG = Config(budget=Budget(sites=1))
SILENT = ("silence", "partial_silence")
_LEFT = ("opened", "changed_again")


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


def replayed(events: Sequence[Event], config: Config) -> tuple[Replay, list[Incident]]:
    """Whatever leaves its reference or falls silent, in the order told, up to the last event."""
    replay = Replay(config)
    lines = parse("recording", map(orjson.dumps, events))
    effects = [*replay.play(lines), *replay.finish(to_us(arrived(events[-1])))]
    told = [one for one in effects if isinstance(one, Incident) and one.reason in _LEFT]
    return replay, [one for one in told if one.kind.endswith("drift") or one.kind in SILENT]


def natural(stream: RealStream) -> Played:
    """Play one stream as it is."""
    replay, told = replayed(stream.events, CONFIG)
    made = [arrived(event) for event in stream.events if event["type"] == "radvigil.study.v1"]
    drift = [one for one in told if one.kind not in SILENT]
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
        [found(known, of_change(known, stream.known, drift), made) for known in stream.known],
    )


def of_change(known: Known, all_known: Sequence[Known], drift: list[Incident]) -> list[Incident]:
    """What was told of a change: what opened from then on, and before the next one began.

    That a series moved again is told when its new level is known, which may be after the next
    change: it belongs to the change that is nearest to its estimated start.
    """
    until = min((one.first for one in all_known if one.first > known.first), default=None)
    told = []
    for one in drift:
        if one.reason == "opened":
            is_of = known.first <= true_at(one) and (until is None or true_at(one) < until)
        else:
            since = one.evidence.since if one.evidence and one.evidence.since else true_at(one)
            is_of = known == min(all_known, key=lambda k: abs(k.first - since))
            is_of = is_of and true_at(one) >= known.first
        if is_of:
            told.append(one)
    return told


def found(known: Known, since: list[Incident], made: list[datetime]) -> Found:
    """What was told of a change."""
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
