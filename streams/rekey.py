"""Re-keying by site, for producers that cannot: the message goes on unchanged, to where it belongs.

What the broker knew of the message when its producer wrote it travels in one header, so that a
re-keyed topic is merged by the time the producer's record was appended, and a dead letter names
the record that the producer wrote. Pure; `streams/kafka/rekeyer.py` moves the records.
"""

from typing import NamedTuple

from schemas.decoding import decode_event
from streams import loss_marker
from streams.merge import Arrival, Chunk, Record
from streams.partitioner import partition_of
from streams.row import Row

HEADER = "radvigil-source"
_OURS = {HEADER, loss_marker.HEADER}  # what a producer cannot say


class Source(NamedTuple):
    """The record as its producer wrote it; `append_ms` is the broker's time of it."""

    topic: str
    partition: int
    offset: int
    append_ms: int

    def header(self) -> tuple[str, bytes]:
        """The header that carries it."""
        return HEADER, "/".join(map(str, self)).encode()


class Restored(NamedTuple):
    """A re-keyed record with the time of its source in place of its own."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def rekeyer_group(prefix: str) -> str:
    """The group under which re-keyers commit how far they have copied."""
    return f"{prefix}-rekey"


def rekey(arrival: Arrival, topic: str, partitions: int) -> tuple[int, Row]:
    """Where a record of `topic` belongs, and the record as it goes there.

    `arrival.topic` is the partition that it came from. A message without a readable site keeps
    key and partition: the shard there will say what is wrong with it.
    """
    record = arrival.record
    headers = [header for header in record.headers if header[0] not in _OURS]
    headers.append(_source(arrival, topic).header())
    site = decode_event(record.value, record.headers).site
    if site is None:
        return arrival.topic % partitions, Row(record.key, record.value, headers)
    return partition_of(site, partitions), Row(site.encode(), record.value, headers)


def mark(arrival: Arrival, topic: str) -> Row:
    """A loss marker of `topic` as it goes to every partition of the copy."""
    record = arrival.record
    return Row(None, record.value, [*record.headers, _source(arrival, topic).header()])


def _source(arrival: Arrival, topic: str) -> Source:
    return Source(topic, arrival.topic, arrival.record.offset, arrival.arrived_us // 1000)


def source_of(record: Record) -> Source | None:
    """The source named in a re-keyed record's header.

    >>> Restored(7, 5, None, b"", [Source("raw", 1, 42, 99).header()]) and None
    """
    for name, value in record.headers:
        if name == HEADER:
            topic, partition, offset, append_ms = value.decode().rsplit("/", 3)
            return Source(topic, int(partition), int(offset), int(append_ms))
    return None


def restored(chunk: Chunk) -> Chunk:
    """A chunk of a re-keyed topic, its records dated by their sources."""
    records = []
    for record in chunk.records:
        source = source_of(record)
        stamp = record.timestamp if source is None else source.append_ms
        records.append(
            Restored(record.offset, stamp, record.key, record.value, list(record.headers))
        )
    return chunk._replace(records=records)
