"""The strict merge: a shard's input topics become one sequence, in the order of their append times.

Two rules a maintainer would break:

- A record may leave only when nothing earlier can still come: every other topic has a later record
  queued, or is *proved* empty up to that time. So a backlog is read in the order in which it
  happened, however the fetches interleave, and the sequence is a function of the log alone.
- Nothing queued counts as handled. `next_offset` is the first record that has not left, and that is
  what a checkpoint remembers.

Times are microseconds since the epoch, UTC. A record's time is its append time, never below an
earlier record's of the same topic. Ties go to the topic listed first, then to the offset.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from msgspec import Struct

UNKNOWN_US = -1  # before the first record or proof of a topic


class Record(Protocol):
    """What the edge reads of a Kafka record."""

    @property
    def offset(self) -> int:
        """The place in the partition."""

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""

    @property
    def key(self) -> bytes | None:
        """What the producer partitioned by."""

    @property
    def value(self) -> bytes | None:
        """The message."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Names and contents."""


class Chunk(NamedTuple):
    """Everything a topic held from offset `start` up to, not including, `end`.

    Offsets without a record in between were control records or are gone from the log.
    """

    topic: str
    partition: int
    start: int
    end: int
    records: Sequence[Record]


def first_offset(chunk: Chunk) -> int:
    """Where its first record is; its end, where there is none."""
    return chunk.records[0].offset if chunk.records else chunk.end


class Arrival(NamedTuple):
    """A record whose turn it is; `arrived_us` never goes backwards."""

    topic: int
    record: Record
    arrived_us: int


class Place(Struct, frozen=True, array_like=True):
    """Where a topic stands: the offset to read next, and the time of the last record handled."""

    next_offset: int = 0
    handled_us: int = UNKNOWN_US


class _Proof(NamedTuple):
    end: int
    t0_us: int


class _Topic:
    """One input: what is queued, what is wanted next, and up to when it is proved empty."""

    def __init__(self, place: Place) -> None:
        self.wanted = place.next_offset
        self.handled_us = place.handled_us
        self.queued_us = place.handled_us
        self.proved_us = UNKNOWN_US
        self.proof: _Proof | None = None
        self.gap: int | None = None
        self.queue: deque[tuple[int, Record]] = deque()
        self.queued_bytes = 0

    @property
    def next_offset(self) -> int:
        return self.queue[0][1].offset if self.queue else self.wanted

    @property
    def bound_us(self) -> int:
        return self.queue[0][0] if self.queue else self.proved_us

    def settle_proof(self) -> None:
        if self.proof is not None and self.wanted >= self.proof.end:
            self.proved_us = max(self.proved_us, self.proof.t0_us)
            self.proof = None


class Merge:
    """Joins `topics` (in order of precedence) of one partition, within bounds for each.

    `now_us` given to `offer` clamps stamps of topics that carry their producers' times, between
    what is proved of the topic and now.
    """

    def __init__(
        self,
        topics: Sequence[str],
        places: Sequence[Place] = (),
        *,
        records_max: int = 10_000,
        bytes_max: int = 16 * 1024 * 1024,
    ) -> None:
        self.names = tuple(topics)
        self._index = {name: i for i, name in enumerate(topics)}
        self._topics = [_Topic(place) for place in (places or [Place()] * len(topics))]
        self._records_max = records_max
        self._bytes_max = bytes_max
        self.arrived_us = max(topic.handled_us for topic in self._topics)
        self.skipped = 0  # offsets that held no record
        self.repeated = 0  # records that came again

    def offer(self, chunk: Chunk, now_us: int | None = None) -> int | None:
        """Queue a chunk; the offset to seek to when it does not join on to what is queued.

        A chunk that starts above the wanted offset is taken for a fetch that was lost, until the
        same start comes again after the seek: then the log itself has the gap. One without offsets
        only says where the consumer is.
        """
        topic = self._topics[self._index[chunk.topic]]
        if chunk.start > topic.wanted and (topic.gap != chunk.start or chunk.end == chunk.start):
            topic.gap = chunk.start if chunk.end > chunk.start else None
            return topic.wanted
        topic.gap = None
        self.skipped += max(0, chunk.end - max(chunk.start, topic.wanted) - len(chunk.records))
        self.skipped += max(0, chunk.start - topic.wanted)
        self._queue(topic, chunk, now_us)
        topic.wanted = max(topic.wanted, chunk.end)
        topic.settle_proof()
        return None

    def _queue(self, topic: _Topic, chunk: Chunk, now_us: int | None) -> None:
        wanted, at_us, queue = topic.wanted, topic.queued_us, topic.queue
        for record in chunk.records:
            if record.offset < wanted:
                self.repeated += 1
                continue
            stamp_us = record.timestamp * 1000
            if now_us is not None:
                stamp_us = max(topic.proved_us, min(stamp_us, now_us))
            at_us = max(at_us, stamp_us)
            queue.append((at_us, record))
            topic.queued_bytes += len(record.value or b"")
        topic.queued_us = at_us

    def prove(self, name: str, end: int, t0_us: int) -> None:
        """`end` was the end of the topic, asked after `t0_us`: what comes later has a later time.

        An older proof that still waits for its records is kept: while a topic streams, a newer
        one would never be reached.
        """
        topic = self._topics[self._index[name]]
        if topic.proof is None:
            topic.proof = _Proof(end, t0_us)
            topic.settle_proof()

    def take(self, limit: int) -> list[Arrival]:
        """At most `limit` records whose turn has come."""
        return list(islice(self.ready(), limit))

    def ready(self) -> Iterator[Arrival]:
        """Records whose turn has come; one counts as handled as soon as it is handed out."""
        while True:
            first, limit = self._turn()
            topic = self._topics[first]
            if not topic.queue or (topic.queue[0][0], first) >= limit:
                return
            queue = topic.queue
            while queue and (queue[0][0], first) < limit:
                at_us, record = queue.popleft()
                topic.queued_bytes -= len(record.value or b"")
                topic.handled_us = at_us
                self.arrived_us = max(self.arrived_us, at_us)
                yield Arrival(first, record, self.arrived_us)

    def _turn(self) -> tuple[int, tuple[int, int]]:
        """The topic that holds everybody up, and the key below which its records may leave."""
        keys = sorted((topic.bound_us, i) for i, topic in enumerate(self._topics))
        return keys[0][1], keys[1] if len(keys) > 1 else (2**63, 0)

    @property
    def bound_us(self) -> int:
        """No record still to be handled is older; `UNKNOWN_US` before all topics are known."""
        return min(topic.bound_us for topic in self._topics)

    def places(self) -> tuple[Place, ...]:
        """Where each topic stands, for a checkpoint."""
        return tuple(Place(topic.next_offset, topic.handled_us) for topic in self._topics)

    def wanted(self, name: str) -> int:
        """The offset to fetch next."""
        return self._topics[self._index[name]].wanted

    def queued_us(self, name: str) -> int:
        """The time of the last record that was queued of a topic; `UNKNOWN_US` before the first."""
        return self._topics[self._index[name]].queued_us

    def queued(self) -> int:
        """Records that were fetched and wait for their turn."""
        return sum(len(topic.queue) for topic in self._topics)

    def full(self) -> set[str]:
        """Topics too far ahead of the others: fetching from them should pause."""
        return {
            name
            for name, topic in zip(self.names, self._topics, strict=True)
            if len(topic.queue) >= self._records_max or topic.queued_bytes >= self._bytes_max
        }
