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
from streams.merge import UNKNOWN_US, Arrival, Chunk, Merge, Place
from streams.pipeline import Pipeline
from streams.rekey import Source, source_of
from streams.shard_topics import ShardTopics
from streams.state_size import StateSize

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
        self._lateness_us = round(config.clock.lateness_s * 1_000_000)
        self._decided: list[Effect] = []
        self._deadletters: list[DeadLetter] = []
        self._held: dict[bytes, bytes | None] = {}
        self._clean = True
        self._size = StateSize()
        self._lost: dict[str, int] = {}  # records, by topic; until when is not known yet
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

    def lost(self, topic: str, beginning: int) -> int:
        """Records below `beginning` were deleted before we read them: before its first chunk.

        How many were lost; 0 on the first start, to which they are only older than itself.
        """
        self._lost[topic] = beginning - self.merge.wanted(topic) if self._has_read else 0
        return self._lost[topic]

    @property
    def _has_read(self) -> bool:
        return self.pipeline.watermark_us > 0

    def offer(self, chunk: Chunk, now_us: int | None = None) -> int | None:
        """Queue a fetched chunk; the offset to seek to when it cannot be joined on."""
        return self.merge.offer(chunk, now_us)

    def advance(self, limit: int = 1000) -> bool:
        """Handle at most `limit` records whose turn has come; True when there were as many."""
        self._bound_losses()
        arrivals = self.merge.take(limit)
        events: list[tuple[Event, int]] = []
        for arrival in arrivals:
            admitted = self._admit(arrival)
            if isinstance(admitted, SourceLoss):
                self._decide(self.pipeline.handle_all(events))
                events = []
                self._take_loss(EVENTS[arrival.topic], admitted)
            elif admitted is not None:
                events.append(admitted)
        self._decide(self.pipeline.handle_all(events))
        if len(arrivals) < limit:
            self._tick()
        return len(arrivals) == limit

    def _bound_losses(self) -> None:
        """What was lost lay before the first record that is left: known before any is handled."""
        for topic, n in list(self._lost.items()):
            until_us = self.merge.bound_of_us(topic)
            if until_us != UNKNOWN_US:
                kind = EVENTS[self.topics.index(topic)]
                from_us = max(self.merge.handled_us(topic), self.pipeline.watermark_us)
                self._decide(self.pipeline.lost(kind, n, from_us, until_us))
                del self._lost[topic]

    def _take_loss(self, kind: type[Event], loss: SourceLoss) -> None:
        """What was lost of a source came after all that is copied: after proved time, then."""
        n = loss.lost_n if self._has_read else 0
        from_us, until_us = self.pipeline.watermark_us, to_us(loss.until)
        self._decide(self.pipeline.lost(kind, n, from_us, until_us, rekeyed=True))

    def _tick(self) -> None:
        bound_us = self.merge.bound_us
        if bound_us != UNKNOWN_US:
            self._decide(self.pipeline.tick(bound_us - self._lateness_us))

    def observe_lag(self, now_us: int) -> None:
        """Live only: say so when the watermark is further behind `now_us` than promised."""
        self._decide(self.pipeline.observe_lag(now_us))

    def _decide(self, effects: list[Effect]) -> None:
        if effects:
            self._decided += effects

    def _admit(self, arrival: Arrival) -> tuple[Event, int] | SourceLoss | None:
        """The event and its date, or a marker's loss; None, and a dead letter, for what is none."""
        record = arrival.record
        self._clean = False
        decoded = decode_event(record.value, record.headers)
        if isinstance(decoded, Refused):
            if self.topics[arrival.topic] in self.rekeyed and (loss := loss_of(record)) is not None:
                return loss
            self._refuse(arrival, decoded)
            return None
        if type(decoded) is not EVENTS[arrival.topic]:
            expected = tag(EVENTS[arrival.topic])
            wrong = Refused(path="type", reason="wrong_topic", expected=expected, site=decoded.site)
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
