"""Records of series as version 1 wrote them, all of numbers: read, and gone on with as version 2.

Its samples have no draws and no hours of the week: ties are spread evenly, and a reference that is
made of such a sample has no strata. Its share was a number of observations at the pace of learning.
"""

from collections.abc import Mapping
from math import isfinite

import numpy as np
from msgspec import Struct, field
from msgspec.structs import astuple

from schemas.series import Phase
from streams.budget import AHEAD
from streams.pace import DAY_US, Pace
from streams.series.blocks import Block, Blocks
from streams.series.kept import Kept
from streams.series.learning import Settings
from streams.series.number import rows_of_version_1
from streams.series.record import SeriesRecord, Written, chunk_name, kept_of
from streams.series.share import Share

_ANY_PACE = 100.0


class Block1(Struct):
    """A block of observations, by the names of its fields."""

    since_us: int
    at_us: int
    n: int
    total: float
    low: float
    high: float
    score_total: float = 0.0
    scored_n: int = 0


class Blocks1(Struct):
    """The block that was filling, and the full ones."""

    full: list[Block1] = field(default_factory=list)
    filling: Block1 | None = None


class SeriesRecord1(Struct, omit_defaults=True):
    """Everything of a series that was small. `tail` is the unwritten end of the sample."""

    site: str
    model: str
    subject: str
    phase: Phase
    blocks: Blocks1
    pace: Pace = field(default_factory=Pace)
    arl: float | None = None
    changed_us: int = 0
    generation: int = 0
    chunks: int = 0
    tail: list[float] = field(default_factory=list)
    detectors: dict[str, dict[str, object]] = field(default_factory=dict)


def kept_of_version_1(
    record: SeriesRecord1, bulk: Mapping[str, bytes], settings: Settings
) -> tuple[Kept, Written]:
    """The series as it was, to be written as version 2; its old chunks are over."""
    chunks = [bulk[chunk_name(record.generation, chunk)] for chunk in range(record.chunks)]
    values = np.concatenate([*(np.frombuffer(raw, "<f4") for raw in chunks), record.tail])
    blocks = _blocks(record.blocks)
    stamps = [block.at_us for block in [*blocks.full, blocks.filling] if block is not None]
    upgraded = SeriesRecord(
        record.site,
        record.model,
        record.subject,
        kind="number",
        phase=record.phase,
        blocks=blocks,
        pace=record.pace,
        newest_us=max(stamps, default=None),
        share=_share(record, blocks, settings),
        changed_us=record.changed_us,
        generation=record.generation + 1,
        tail=rows_of_version_1(values),
        votes=record.detectors,
    )
    kept, _ = kept_of(upgraded, bulk, settings)
    written = Written(record.generation, record.chunks)
    for slot in ("original", "provisional"):
        if slot in bulk:
            written.holds(slot, getattr(kept.series, slot))
    return kept, written


def _blocks(blocks: Blocks1) -> Blocks:
    full = [Block(*astuple(block)) for block in blocks.full]
    return Blocks(full, None if blocks.filling is None else Block(*astuple(blocks.filling)))


def _share(record: SeriesRecord1, blocks: Blocks, settings: Settings) -> Share:
    """Its days: the observations that it was granted, at the pace at which it learnt."""
    if record.arl is None or not isfinite(record.arl):
        return Share()
    learnt = record.phase != "learning" and record.pace.first_us is not None
    per_day = record.pace.per_day(settings.observations) if learnt else _recent_pace(blocks)
    return Share(days=record.arl / per_day, per_day=AHEAD * per_day, given=True)


def _recent_pace(blocks: Blocks) -> float:
    if len(blocks.full) < 2:
        return _ANY_PACE
    days = max(blocks.full[-1].at_us - blocks.full[0].at_us, 1) / DAY_US
    return sum(block.n for block in blocks.full[1:]) / days
