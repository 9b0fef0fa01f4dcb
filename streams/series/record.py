"""A series written down: one small record that changes, and bulk that is written once.

The small record holds the phase, the votes and the unwritten end of a sample. A sample is written
in chunks as it grows, a reference once when it is frozen; what is over gets a tombstone.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from msgspec import Struct, field

from schemas.series import Note, Phase
from streams.pace import Pace
from streams.series.blocks import Blocks
from streams.series.kept import Kept
from streams.series.learning import Settings
from streams.series.number import NumberReference, NumberSample
from streams.series.references import History, is_reference
from streams.series.seen import Frozen, Sample, SeriesId, SeriesKind
from streams.series.share import Share
from streams.series.unseen import Unseen
from streams.series.watched import Series
from streams.series.word import Day, WordSample
from streams.series.word_reference import WordReference, YesNoReference

CHUNK_N = 250
Bulk = tuple[str, bytes | None]
_REFERENCES: dict[SeriesKind, type[NumberReference] | type[WordReference]] = {
    "number": NumberReference,
    "yes_no": YesNoReference,
    "word": WordReference,
}


class SeriesRecord(Struct, omit_defaults=True):
    """Everything of a series that is small: version 2.

    `tail` is the unwritten end of the sample. One of words has their `counts` as well, as they came
    first, and the `days` in which they came; there was a time when it had nothing but counts.
    `votes` has what is learnt of them while the series relearns.
    """

    site: str
    model: str
    subject: str
    kind: SeriesKind
    phase: Phase
    blocks: Blocks
    pace: Pace = field(default_factory=Pace)
    newest_us: int | None = None
    share: Share = field(default_factory=Share)
    changed_us: int = 0
    generation: int = 0
    chunks: int = 0
    tail: bytes = b""
    counts: dict[str, int] = field(default_factory=dict)
    days: list[Day] = field(default_factory=list)
    notes: dict[str, list[Note]] = field(default_factory=dict)
    votes: dict[str, dict[str, object]] = field(default_factory=dict)
    unseen: Unseen = field(default_factory=Unseen)
    closed: bool = False
    history: History = field(default_factory=History)

    @property
    def id(self) -> SeriesId:
        """Whose record it is."""
        return self.site, self.model, self.subject


class Written:
    """What of a series lies in the changelog, so that only what is new is written."""

    def __init__(self, generation: int = 0, chunks: int = 0) -> None:
        self._generation = generation
        self._chunks = chunks
        self._references: dict[str, Frozen] = {}

    def holds(self, slot: str, reference: Frozen) -> None:
        """A reference that is there already."""
        self._references[slot] = reference

    def news(self, series: Series) -> Iterator[Bulk]:
        """What of samples and references is new since the last call; None for what is over."""
        yield from self._new_chunks(series)
        slots = series.references.slots()
        for slot in [*self._references]:
            if slot not in slots:
                del self._references[slot]
                yield slot, None
        for slot, reference in slots.items():
            if reference is not self._references.get(slot):
                self._references[slot] = reference
                yield slot, reference.to_bytes()

    def _new_chunks(self, series: Series) -> Iterator[Bulk]:
        if series.learning.generation != self._generation:
            for chunk in range(self._chunks):
                yield chunk_name(self._generation, chunk), None
            self._generation, self._chunks = series.learning.generation, 0
        sample = _written_by_rows(series.learning.sample)
        while (self._chunks + 1) * CHUNK_N <= sample.n:
            start = self._chunks * CHUNK_N
            rows = sample.written(start, start + CHUNK_N)
            yield chunk_name(self._generation, self._chunks), rows
            self._chunks += 1


def record_of(kept: Kept) -> SeriesRecord:
    """The small record as of now."""
    series, sample = kept.series, _written_by_rows(kept.series.learning.sample)
    chunks = sample.n // CHUNK_N
    of_words = sample if isinstance(sample, WordSample) else None
    references = series.references.slots()
    return SeriesRecord(
        *kept.id,
        kind=kept.kind,
        phase=series.phase,
        blocks=series.blocks,
        pace=series.learning.pace,
        newest_us=series.newest_us,
        share=series.share,
        changed_us=series.changed_us,
        generation=series.learning.generation,
        chunks=chunks,
        tail=sample.written(chunks * CHUNK_N),
        counts=dict(of_words.counts) if of_words else {},
        days=[*of_words.days] if of_words else [],
        notes={slot: [*one.notes] for slot, one in references.items() if one.notes},
        votes=series.states(),
        unseen=series.unseen,
        closed=series.closed,
        history=series.references.history,
    )


def kept_of(
    record: SeriesRecord, bulk: Mapping[str, bytes], settings: Settings
) -> tuple[Kept, Written]:
    """The series as it was when `record` and `bulk` were written."""
    kept = Kept(record.id, record.kind, settings)
    series, written = kept.series, Written(record.generation, record.chunks)
    series.phase, series.blocks, series.learning.pace = record.phase, record.blocks, record.pace
    series.newest_us, series.share = record.newest_us, record.share
    series.changed_us, series.learning.generation = record.changed_us, record.generation
    series.unseen, series.closed = record.unseen, record.closed
    names = (chunk_name(record.generation, chunk) for chunk in range(record.chunks))
    rows = b"".join([*(bulk[name] for name in names), record.tail])
    sample = _written_by_rows(series.learning.sample)
    if isinstance(sample, WordSample):
        sample.read(record.counts, rows, record.days)
    else:
        sample.read(rows)
    references = {
        slot: read_reference(record.kind, raw, record.notes.get(slot, ()))
        for slot, raw in bulk.items()
        if is_reference(slot)
    }
    for slot, reference in references.items():
        written.holds(slot, reference)
    series.references.resume(references, record.history)
    series.resume(record.votes)
    kept.wait()
    return kept, written


def chunk_name(generation: int, chunk: int) -> str:
    """The name of a chunk of a sample in the bulk of its series."""
    return f"sample/{generation}/{chunk}"


def read_reference(kind: SeriesKind, raw: bytes, notes: Iterable[Note]) -> Frozen:
    """The reference of a series of this kind. Raises StateUnreadable."""
    return _REFERENCES[kind].read(raw, notes)


def _written_by_rows(sample: Sample) -> NumberSample | WordSample:
    return cast(NumberSample | WordSample, sample)
