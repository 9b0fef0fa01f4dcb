"""A series written down: one small record that changes, and bulk that is written once.

The small record holds the phase, the detectors and the unwritten end of a sample. A sample is
written in chunks as it grows, a reference once when it is frozen; what is over gets a tombstone.
"""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct, field

from detectors.reference import Reference
from schemas.series import Phase
from streams.blocks import Blocks
from streams.series import Pace, Seen, Series, Settings

SeriesId = tuple[str, str, str]
BulkKey = tuple[str, str, str, str]
CHUNK_N = 250


class SeriesRecord(Struct, omit_defaults=True):
    """Everything of a series that is small. `tail` is the unwritten end of the sample."""

    site: str
    model: str
    subject: str
    phase: Phase
    blocks: Blocks
    pace: Pace = field(default_factory=Pace)
    arl: float | None = None
    changed_us: int = 0
    generation: int = 0
    chunks: int = 0
    tail: list[float] = field(default_factory=list)
    detectors: dict[str, dict[str, object]] = field(default_factory=dict)


class Kept:
    """A series with what of it lies in the changelog, so that only what is new is written."""

    def __init__(self, key: SeriesId, settings: Settings) -> None:
        self.key = key
        self.series = Series(settings)
        self.queue = Seen([], [], [])  # observations not yet looked at
        self._written_chunks = 0
        self._written_generation = 0
        self._written: dict[str, Reference] = {}

    def record(self) -> SeriesRecord:
        """The small record as of now."""
        series = self.series
        chunks = len(series.sample) // CHUNK_N
        return SeriesRecord(
            *self.key,
            phase=series.phase,
            blocks=series.blocks,
            pace=series.pace,
            arl=series.arl,
            changed_us=series.changed_us,
            generation=series.sample_generation,
            chunks=chunks,
            tail=series.sample[chunks * CHUNK_N :],
            detectors={kind: d.state() for kind, d in series.detectors.items()},
        )

    def bulk(self) -> Iterator[tuple[str, bytes | None]]:
        """What of samples and references is new since the last call; None for what is over."""
        yield from self._new_chunks()
        for slot in ("original", "provisional"):
            reference: Reference | None = getattr(self.series, slot)
            if reference is self._written.get(slot):
                continue
            if reference is None:
                del self._written[slot]
                yield slot, None
            else:
                self._written[slot] = reference
                yield slot, reference.to_bytes()

    def _new_chunks(self) -> Iterator[tuple[str, bytes | None]]:
        series = self.series
        if series.sample_generation != self._written_generation:
            for chunk in range(self._written_chunks):
                yield _chunk_name(self._written_generation, chunk), None
            self._written_generation, self._written_chunks = series.sample_generation, 0
        while (self._written_chunks + 1) * CHUNK_N <= len(series.sample):
            start = self._written_chunks * CHUNK_N
            values = np.asarray(series.sample[start : start + CHUNK_N], dtype="<f4")
            yield _chunk_name(self._written_generation, self._written_chunks), values.tobytes()
            self._written_chunks += 1

    @classmethod
    def restore(cls, record: SeriesRecord, bulk: dict[str, bytes], settings: Settings) -> "Kept":
        """The series as it was when `record` and `bulk` were written."""
        kept = cls((record.site, record.model, record.subject), settings)
        series = kept.series
        series.phase, series.blocks = record.phase, record.blocks
        series.pace, series.arl = record.pace, record.arl
        series.changed_us, series.sample_generation = record.changed_us, record.generation
        for chunk in range(record.chunks):
            raw = bulk[_chunk_name(record.generation, chunk)]
            series.sample += np.frombuffer(raw, dtype="<f4").tolist()
        series.sample += record.tail
        for slot in ("original", "provisional"):
            if slot in bulk:
                reference = Reference.from_bytes(bulk[slot])
                setattr(series, slot, reference)
                kept._written[slot] = reference
        kept._written_generation, kept._written_chunks = record.generation, record.chunks
        series.resume(record.detectors)
        return kept


def _chunk_name(generation: int, chunk: int) -> str:
    return f"sample/{generation}/{chunk}"
