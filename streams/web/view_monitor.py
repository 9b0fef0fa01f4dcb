"""How far the monitor is, and what it waits for, from the tail of its state. Pure, bounded.

The state topic is the shards' own; of it only two kinds of record are read: where a shard stands,
and a study with a result that is still out. Of a study only what is waited for is kept, under a
digest: no key of a study stays in a page's memory.
"""

from collections import Counter
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from streams.outcomes.study_record import StudyRecord
from streams.shard import META_KEY, Meta

_STUDY = b'["study/1"'
_WAITING = 100_000
_meta = msgspec.msgpack.Decoder(Meta).decode
_study = msgspec.msgpack.Decoder(StudyRecord).decode


class Pending(NamedTuple):
    """Results that a model owes: how many, since when the oldest waits, when the next is due."""

    n: int
    oldest_us: int
    soonest_us: int


class Monitor:
    """Proved time by partition, and studies that wait."""

    def __init__(self) -> None:
        self.proved_us: dict[int, int] = {}
        self._waiting: dict[bytes, tuple[str, tuple[tuple[str, int, int], ...]]] = {}
        self.dropped: Counter[str] = Counter()

    def take(self, partition: int, key: bytes | None, value: bytes | None) -> bool:
        """Take a record of the state; whether it said anything here."""
        if key == META_KEY and value is not None:
            self.proved(partition, _meta(value).watermark_us)
            return True
        if key is None or not key.startswith(_STUDY):
            return False
        return self._take_study(key, value)

    def proved(self, partition: int, watermark_us: int) -> None:
        """All that happened until then is judged, in this partition."""
        if watermark_us > 0:
            self.proved_us[partition] = max(watermark_us, self.proved_us.get(partition, 0))

    def pending(self) -> dict[tuple[str, str], Pending]:
        """What is waited for, by site and model."""
        found: dict[tuple[str, str], Pending] = {}
        for site, results in self._waiting.values():
            for model, start_us, due_us in results:
                known = found.get((site, model), Pending(0, start_us, due_us))
                found[site, model] = Pending(
                    known.n + 1, min(known.oldest_us, start_us), min(known.soonest_us, due_us)
                )
        return found

    def _take_study(self, key: bytes, value: bytes | None) -> bool:
        digest = blake2b(key, digest_size=16).digest()
        known = self._waiting.pop(digest, None)
        if value is None:
            return known is not None
        record = _study(value)
        waits = tuple(
            (model, expected.start_us, expected.due_us)
            for model, expected in record.expected.items()
            if expected.waits
        )
        if not waits:
            return known is not None
        if len(self._waiting) >= _WAITING:
            self.dropped["waiting"] += 1
            return False
        self._waiting[digest] = record.site, waits
        return True
