"""What the workers left behind, held against the account and against an uninterrupted replay."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from schemas.config import Config
from schemas.decoding import decode_event, encode
from schemas.refusal import Refused
from streams.finding import MONITOR_SITE
from streams.pipeline import Pipeline
from streams.routing.stage import Routing
from streams.shard import META_KEY, Meta
from tests.integration.fleet import Reader, Row

INPUTS = ("studies", "predictions", "reports", "commands")


@dataclass
class Left:
    """Everything in the topics of one deployment."""

    config: Config
    inputs: dict[str, list[Row]]
    outcomes: list[Row]
    incidents: list[Row]
    series: list[Row]
    state: dict[int, dict[bytes, bytes]]


def left(reader: Reader, config: Config) -> Left:
    def rows(stem: str) -> list[Row]:
        return reader.rows(f"{config.prefix}.{stem}.v1")

    state: dict[int, dict[bytes, bytes]] = defaultdict(dict)
    for row in rows("state"):
        assert row.key is not None
        if row.value is None:
            state[row.partition].pop(row.key, None)
        else:
            state[row.partition][row.key] = row.value
    inputs = {stem: rows(stem) for stem in INPUTS}
    return Left(config, inputs, rows("outcomes"), rows("incidents"), rows("series"), state)


def outcomes(rows: list[Row]) -> Counter[tuple[str, str, int]]:
    """(study, outcome, revision) as published, doubled ones counted."""
    messages = [orjson.loads(row.value or b"") for row in rows]
    return Counter((m["study"], m["outcome"], m["revision"]) for m in messages)


def gaps(rows: list[Row]) -> dict[str, list[int]]:
    """Incidents whose seqs are not 1, 2, 3, ... in the order of the log."""
    seqs: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        message = orjson.loads(row.value or b"")
        seqs[message["incident"]].append(message["seq"])
    return {i: seq for i, seq in seqs.items() if seq != list(range(1, len(seq) + 1))}


@dataclass
class Replayed:
    """What one pipeline says of one partition's input, without any interruption."""

    effects: dict[str, list[Any]]
    state: dict[bytes, bytes]


def replayed(found: Left, partition: int) -> Replayed:
    """Handle the records in append order, up to the watermark that the workers reached."""
    pipeline = Pipeline(found.config, partition)
    effects = []
    for _, _, _, arrived_us, row in _in_order(found, partition):
        event = decode_event(row.value, row.headers)
        assert not isinstance(event, Refused)
        assert pipeline.refuse(event.site) is None
        effects += pipeline.handle(event, arrived_us)
    meta = found.state[partition].get(META_KEY)
    assert meta is not None, f"partition {partition} was never checkpointed"
    effects += pipeline.tick(msgspec.msgpack.decode(meta, type=Meta).watermark_us)
    by_topic: dict[str, list[Any]] = {"outcomes": [], "incidents": [], "series": []}
    for effect in effects:
        message = orjson.loads(encode(effect))
        stem = {"outcome": "outcomes", "incident": "incidents", "series": "series"}
        kind = message["type"].split(".")[1]
        if kind in stem:
            by_topic[stem[kind]].append(message)
    state = {key: value for key, value in pipeline.changes() if value is not None}
    return Replayed({topic: in_order(messages) for topic, messages in by_topic.items()}, state)


def _in_order(found: Left, partition: int) -> list[tuple[int, int, int, int, Row]]:
    merged = []
    for place, stem in enumerate(INPUTS):
        latest_us = -1
        for row in sorted(found.inputs[stem], key=lambda row: row.offset):
            if row.partition == partition:
                latest_us = max(latest_us, row.append_ms * 1000)
                merged.append((latest_us, place, row.offset, latest_us, row))
    return sorted(merged, key=lambda one: one[:3])


def published(rows: list[Row], partition: int) -> list[Any]:
    """The messages of a partition, but for what only a live worker says: that it was behind."""
    messages = [orjson.loads(row.value or b"") for row in rows if row.partition == partition]
    return in_order([message for message in messages if message["site"] != MONITOR_SITE])


def in_order(messages: list[Any]) -> list[Any]:
    """By content: drift is told after the events that were handled in a row, however many."""
    return sorted(messages, key=lambda message: orjson.dumps(message, option=orjson.OPT_SORT_KEYS))


def kept(state: dict[bytes, bytes], *, was_stale: bool = False) -> dict[bytes, bytes]:
    """A shard's state, but for the worker's own record and what only a live worker says.

    The monitor's own site is such: being behind, and who was told of it. While it was behind,
    routing held back what is less grave, and remembers that it did.
    """
    ours = b'"' + MONITOR_SITE.encode() + b'"'
    return {
        key: value
        for key, value in state.items()
        if key != META_KEY and ours not in key and not _is_of_monitor(key, value)
        if not (was_stale and orjson.loads(key)[0] in Routing.kinds)
    }


def _is_of_monitor(key: bytes, value: bytes) -> bool:
    """Whether it is what only a live worker knows: cases of the monitor's own, and losses."""
    kind = orjson.loads(key)[0]
    is_case = kind == "case/1" and msgspec.msgpack.decode(value)["site"] == MONITOR_SITE
    return is_case or kind == "lost/1"


def was_stale(rows: list[Row]) -> bool:
    """Whether a worker was behind and said so."""
    return any(b"monitor_stale" in (row.value or b"") for row in rows)
