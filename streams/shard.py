"""One partition: raw records in; effects, dead letters and checkpoints out. Sans-IO.

The rule a maintainer would break: whatever was decided and not yet checkpointed is in `_decided`,
and `checkpoint` hands it out exactly once, together with the state and the offsets that belong to
it. A checkpoint that fails ends the shard; nothing is put back.
"""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

import msgspec
from msgspec import Struct

from schemas.config import Config
from schemas.deadletter import DeadLetter
from schemas.decoding import Refused, decode_event
from schemas.messages import EVENTS, Effect, Event, tag
from streams.clock import from_us, to_us
from streams.command_homes import homes
from streams.loss_marker import SourceLoss, loss_of
from streams.lost import Gap
from streams.merge import UNKNOWN_US, Arrival, Chunk, Merge, Place
from streams.pipeline import Pipeline
from streams.rekey import Source, source_of
from streams.shard_topics import ShardTopics
from streams.state_size import StateSize

ROW = 2000  # events handled at once: the longer, the cheaper each; the loop stands for so long
META_KEY = b'["shard/1"]'  # beside the pipeline's keys (streams/state.py), versioned like them


class Meta(Struct, frozen=True, array_like=True):
    """The shard's own record in the changelog: where its inputs stand."""

    topics: tuple[str, ...]
    places: tuple[Place, ...]
    watermark_us: int


class Checkpoint(Struct, frozen=True):
    """What becomes visible together: one transaction."""

    effects: list[Effect]
    deadletters: list[DeadLetter]
    changes: list[tuple[bytes, bytes | None]]
    next_offsets: dict[str, int]

    @property
    def records(self) -> int:
        """How many records the transaction holds."""
        return len(self.effects) + len(self.deadletters) + len(self.changes)


class UnfitState(Exception):
    """The changelog cannot be continued from here; the message says what to do."""


class Shard:
    """Merge, decoder and pipeline of one partition of `partitions`."""

    def __init__(
        self, config: Config, partition: int, topics: ShardTopics, *, partitions: int
    ) -> None:
        self.partition = partition
        self.partitions = partitions
        self.topics = topics.merged
        self.rekeyed = topics.rekeyed
        self.pipeline = Pipeline(config, partition)
        self.merge = Merge(topics.merged)
        self._decided: list[Effect] = []
        self._deadletters: list[DeadLetter] = []
        self._held: dict[bytes, bytes | None] = {}
        self._clean = True
        self._size = StateSize()
        self._handled: Counter[str] = Counter()
        self.misplaced = 0  # events whose site belongs to another partition

    def restore(self, records: Iterable[tuple[bytes, bytes]]) -> int:
        """Take up the changelog's records (any order, last value per key); how many there were."""
        state = dict(records)
        for key, value in state.items():
            self._size.note(key, value)
        meta = state.pop(META_KEY, None)
        if meta is not None:
            self._take_up(msgspec.msgpack.decode(meta, type=Meta))
        self.pipeline.restore(state.items())
        return len(state)

    def _take_up(self, meta: Meta) -> None:
        if meta.topics != self.topics:
            raise UnfitState(f"state is of the topics {meta.topics}, not of {self.topics}")
        self.merge = Merge(self.topics, meta.places)

    def lost(self, topic: str, n: int, until_us: int) -> int:
        """The next `n` records, appended by then, were deleted before they could be read.

        It is told when their turn comes, as they would have been. How many were lost; 0 on the
        first start, to which they are only older than itself.
        """
        start = self.merge.wanted(topic)
        gap = Gap(start, n if self._has_read else 0, self.merge.queued_us(topic), until_us)
        self.merge.offer(Chunk(topic, self.partition, start, start + n, [gap]))
        return gap.n

    @property
    def _has_read(self) -> bool:
        return self.pipeline.watermark_us > 0

    def offer(self, chunk: Chunk, now_us: int | None = None) -> int | None:
        """Queue a fetched chunk; the offset to seek to when it cannot be joined on."""
        return self.merge.offer(chunk, now_us)

    def advance(self, limit: int = ROW) -> bool:
        """Handle at most `limit` records whose turn has come; True when there were as many."""
        arrivals = self.merge.take(limit)
        events: list[tuple[Event, int]] = []
        for arrival in arrivals:
            admitted = self._admit(arrival)
            if isinstance(admitted, Gap | SourceLoss):
                self._decide(self.pipeline.handle_all(events))
                events = []
                self._take_loss(EVENTS[arrival.topic], admitted)
            elif admitted is not None:
                events.append(admitted)
        self._decide(self.pipeline.handle_all(events))
        if len(arrivals) < limit:
            self._tick()
        return len(arrivals) == limit

    def _take_loss(self, kind: type[Event], loss: Gap | SourceLoss) -> None:
        """What was lost came after proved time, and after all that was handled of its topic."""
        unproved_us = self.pipeline.watermark_us + 1
        if isinstance(loss, Gap):
            from_us = max(loss.from_us, unproved_us)
            told = self.pipeline.lost(kind, loss.n, from_us, max(loss.until_us, from_us))
        else:
            n = loss.lost_n if self._has_read else 0
            told = self.pipeline.lost(kind, n, unproved_us, to_us(loss.until), rekeyed=True)
        self._decide(told)

    def _tick(self) -> None:
        bound_us = self.merge.bound_us
        if bound_us != UNKNOWN_US:
            self._decide(self.pipeline.prove(bound_us))

    def observe_lag(self, now_us: int) -> None:
        """Live only: say so when the watermark is further behind `now_us` than promised."""
        self._decide(self.pipeline.observe_lag(now_us))

    def _decide(self, effects: list[Effect]) -> None:
        if effects:
            self._decided += effects

    def _admit(self, arrival: Arrival) -> tuple[Event, int] | Gap | SourceLoss | None:
        """The event and its date, or a loss; None, and a dead letter, for what is none."""
        record = arrival.record
        self._clean = False
        if isinstance(record, Gap):
            return record
        decoded = decode_event(record.value, record.headers)
        if isinstance(decoded, Refused):
            if self.topics[arrival.topic] in self.rekeyed and (loss := loss_of(record)) is not None:
                return loss
            self._refuse(arrival, decoded)
            return None
        if type(decoded) is not EVENTS[arrival.topic]:
            expected = tag(EVENTS[arrival.topic])
            wrong = Refused(
                path="$.type", reason="wrong_topic", expected=expected, site=decoded.site
            )
            self._refuse(arrival, wrong)
            return None
        if (refused := self.pipeline.refuse(decoded.site)) is not None:
            self._refuse(arrival, refused)
            return None
        self._handled[type(decoded).__name__.lower()] += 1
        if self.partition not in homes(decoded.site, self.partitions):
            self.misplaced += 1
        return decoded, arrival.arrived_us

    def _refuse(self, arrival: Arrival, refused: Refused) -> None:
        self._handled[refused.reason] += 1
        record = arrival.record
        name = self.topics[arrival.topic]
        source = source_of(record) if name in self.rekeyed else None
        source = source or Source(name, self.partition, record.offset, record.timestamp)
        self._deadletters.append(
            DeadLetter(
                topic=source.topic,
                partition=source.partition,
                offset=source.offset,
                path=refused.path,
                reason=refused.reason,
                expected=refused.expected,
                site=refused.site,
                at=from_us(arrival.arrived_us),
                size_bytes=len(record.value or b""),
                sha256=sha256(record.value or b"").hexdigest(),
            )
        )

    def take_counts(self) -> dict[str, int]:
        """Records handled since the last call: events by type, dead letters by reason."""
        counts, self._handled = self._handled, Counter()
        return counts

    def noticed(self) -> dict[str, int]:
        """Rare things since the start: what was dropped, came elsewhere, came again."""
        return {
            "misplaced": self.misplaced,
            "skipped": self.merge.skipped,
            "repeated": self.merge.repeated,
            **{f"dropped:{reason}": n for reason, n in self.pipeline.losses().items()},
        }

    @property
    def state_bytes(self) -> int:
        """Size of the state as it was last written: keys and values."""
        return self._size.bytes

    @property
    def undecided(self) -> int:
        """Effects and dead letters that wait for a checkpoint."""
        return len(self._decided) + len(self._deadletters)

    def checkpoint(self, *, refresh: bool = False) -> Checkpoint | None:
        """Everything decided and changed since the last one; None when nothing was.

        Without an event or an effect only the watermark and what was forgotten have changed: that
        waits for `refresh`, which asks for a checkpoint in any case. Its acknowledgement also tells
        the broker's time.
        """
        self._held.update(self.pipeline.changes())
        if self._clean and not self.undecided and not refresh:
            return None
        held, self._held = self._held, {}
        effects, self._decided = self._decided, []
        deadletters, self._deadletters = self._deadletters, []
        self._clean = True
        places = self.merge.places()
        meta = Meta(self.topics, places, self.pipeline.watermark_us)
        changes = [*held.items(), (META_KEY, msgspec.msgpack.encode(meta))]
        for key, value in changes:
            self._size.note(key, value)
        next_offsets = {
            name: place.next_offset for name, place in zip(self.topics, places, strict=True)
        }
        return Checkpoint(effects, deadletters, changes, next_offsets)
