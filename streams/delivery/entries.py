"""What is remembered of every receiver and key, in the order in which it may be forgotten."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from streams.delivery.item import Entry, entry_of
from streams.delivery.lane import Id
from streams.delivery.records import Forgotten, NotifyLog, message_key

KEPT_US = 30 * 86_400_000_000
KEPT_N = 100_000


class Queue(NamedTuple):
    """How many messages wait for a receiver, and since when the oldest of them."""

    waiting_n: int
    oldest_us: int

    def joined(self, other: "Queue | None") -> "Queue":
        """Both of them as one."""
        if other is None:
            return self
        return Queue(self.waiting_n + other.waiting_n, min(self.oldest_us, other.oldest_us))


class Entries:
    """Bounded: what was not told anything for 30 days is forgotten, and the oldest of too many."""

    def __init__(self, dropped: Counter[str]) -> None:
        self._entries: dict[Id, Entry] = {}
        self._dropped = dropped

    def restore(self, records: Iterable[NotifyLog]) -> list[Entry]:
        """Take up the notify-log."""
        entries = [entry_of(one) for one in sorted(records, key=lambda one: one.sent_at)]
        self._entries.update((entry.id, entry) for entry in entries)
        return entries

    def find(self, id_: Id) -> Entry | None:
        """What is known of it, if anything."""
        return self._entries.get(id_)

    def of(self, id_: Id) -> Entry:
        """What is known of it."""
        return self._entries.setdefault(id_, Entry(id_))

    def waiting_n(self) -> int:
        """How many wait to be told."""
        return sum(entry.waiting is not None for entry in self._entries.values())

    def queues(self) -> dict[str, Queue]:
        """What waits for each receiver; none where nothing does."""
        queues: dict[str, Queue] = {}
        for entry in self._entries.values():
            item = entry.waiting
            if item is not None and not item.refreshes:
                name = entry.id[0]
                queues[name] = Queue(1, item.since_us).joined(queues.get(name))
        return queues

    def touch(self, entry: Entry) -> None:
        """It was told something: it is the least idle now."""
        self._entries[entry.id] = self._entries.pop(entry.id)

    def forget(self, now_us: int) -> Iterator[Forgotten]:
        """Drop what has been idle for too long."""
        while self._entries:
            entry = next(iter(self._entries.values()))
            old = entry.at_us < now_us - KEPT_US
            if entry.waiting is not None or not (old or len(self._entries) > KEPT_N):
                return
            self._dropped["entries"] += not old
            del self._entries[entry.id]
            yield Forgotten(message_key=message_key(*entry.id))
