"""What routing remembers: records that know when they are to be looked at again.

One place for the three things that all of them need: a change is written down at the next
checkpoint, a time that comes is met in order, and a restore leaves nothing different.
"""

from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import TypeVar, cast

from msgspec import Struct, StructMeta

from streams.clock import NEVER_US

Key = tuple[str, ...]
_Kind = TypeVar("_Kind", bound="Record")


class _Abstract(StructMeta, ABCMeta):
    """Of structs that cannot be made before they are complete."""


class Record(Struct, metaclass=_Abstract, kw_only=True, omit_defaults=True):
    """One thing remembered. `due_us`: when time alone next matters to it."""

    due_us: int = NEVER_US

    @property
    @abstractmethod
    def key(self) -> Key:
        """What tells it from others of its kind."""


class Ledger:
    """The records of one shard. Of what is due at the same time, kinds come in their order."""

    def __init__(self, kinds: Mapping[str, type[Record]]) -> None:
        self._names = {struct: kind for kind, struct in kinds.items()}
        self._ranks = {struct: rank for rank, struct in enumerate(kinds.values())}
        self._kinds = list(kinds.values())
        self._records: list[dict[Key, Record]] = [{} for _ in kinds]
        self._timers: list[tuple[int, int, Key]] = []
        self._armed: set[tuple[int, int, Key]] = set()
        self._dirty: dict[tuple[int, Key], None] = {}

    def of(self, kind: type[_Kind]) -> dict[Key, _Kind]:
        """All records of a kind by key, to be read."""
        return cast("dict[Key, _Kind]", self._records[self._ranks[kind]])

    def keep(self, record: Record) -> None:
        """Write down a record that is new or has changed."""
        rank, key = self._ranks[type(record)], record.key
        self._records[rank][key] = record
        self._dirty[rank, key] = None
        self._arm(rank, key, record)

    def drop(self, record: Record) -> None:
        """Forget a record."""
        rank, key = self._ranks[type(record)], record.key
        if self._records[rank].pop(key, None) is not None:
            self._dirty[rank, key] = None

    def earliest_us(self) -> int:
        """When the next record is due, perhaps too early."""
        return self._timers[0][0] if self._timers else NEVER_US

    def next_due(self, until_us: int) -> tuple[int, Record] | None:
        """The next record that is due by then, and since when. It is not due again by itself."""
        while self._timers and self._timers[0][0] <= until_us:
            timer = heappop(self._timers)
            self._armed.remove(timer)
            due_us, rank, key = timer
            record = self._records[rank].get(key)
            if record is not None and record.due_us == due_us:
                record.due_us = NEVER_US
                self._dirty[rank, key] = None
                return due_us, record
        return None

    def changes(self) -> Iterator[tuple[str, Key, Struct | None]]:
        """Records changed since the last call: kind, key, and None for one that is forgotten."""
        dirty, self._dirty = self._dirty, {}
        for rank, key in dirty:
            yield self._names[self._kinds[rank]], key, self._records[rank].get(key)

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint."""
        for record in records:
            if isinstance(record, Record):
                rank = self._ranks[type(record)]
                self._records[rank][record.key] = record
                self._arm(rank, record.key, record)

    def _arm(self, rank: int, key: Key, record: Record) -> None:
        timer = (record.due_us, rank, key)
        if record.due_us < NEVER_US and timer not in self._armed:
            self._armed.add(timer)
            heappush(self._timers, timer)
