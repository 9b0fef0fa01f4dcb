"""The outbox of one partition: what to send next, and what is done with. Sans-IO.

Two promises. What one receiver is told under one key goes in order, one at a time, and of what
waits only the newest state: a beginning that was never told is told with the newest state, and
what is over before it was told is not told at all, unless it was to disturb somebody or a try may
have arrived. And nothing is lost: an offset is committable once what it holds was told and logged,
or given up and said so.

Who holds it: `restore`, then `take` all that the topic has before the first `due`; then `due`
until None, send, `done`, and write `said()` before committing what `committable()` was with it.
docs/decisions/0013-only-the-newest-state-is-sent.md says why it is so.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import count

from schemas.notification import Notification
from schemas.routing import Receiver
from streams.clock import NEVER_US, from_us, seconds_to_us
from streams.delivery.entries import Entries, Queue
from streams.delivery.gate import Gate
from streams.delivery.item import Attempt, Entry, Item, item_of
from streams.delivery.lane import Id, Lane
from streams.delivery.offsets import Offsets
from streams.delivery.records import Dead, NotifyLog, Said
from streams.delivery.retry import LONGEST_S, unknown_wait_s, wait_s
from streams.delivery.trouble import Trouble
from streams.notifiers import Occasion, Refused, Result, Retry, Sent, Unknown, of

PATIENCE_US = 300_000_000
_LOOK_AGAIN_US = 10_000_000


class Outbox:
    """`gates` are shared by the outboxes of a process; `draw` gives numbers from 0 to 1."""

    def __init__(
        self,
        receivers: Iterable[Receiver],
        gates: Mapping[str, Gate],
        draw: Callable[[], float],
        page: str = "",
    ) -> None:
        self._receivers = {receiver.name: receiver for receiver in receivers}
        self._gates = gates
        self._draw = draw
        self._page = page
        self._lanes = {name: Lane() for name in self._receivers}
        self._alarms = Lane()
        self._order = count()
        self._catches_up = True  # what is taken may have been tried by who held it before
        self._offsets = Offsets()
        self._trouble = Trouble()
        self._said: list[Said] = []
        self.dropped: Counter[str] = Counter()
        self._entries = Entries(self.dropped)

    def restore(self, records: Iterable[NotifyLog]) -> None:
        """Take up the notify-log, before the first `take`."""
        known = (record for record in records if record.receiver in self._receivers)
        for entry in self._entries.restore(known):
            self._queue(entry, 0)

    def take(self, notification: Notification, offset: int) -> None:
        """A notification of the topic; what was taken or done with before changes nothing."""
        self._offsets.read(offset)
        name, key = notification.receiver, notification.key
        receiver = self._receivers.get(name)
        if receiver is None:
            self.dropped["unknown_receiver"] += 1
            at = notification.at
            dead = Dead(notification=notification, offset=offset, why="unknown_receiver", at=at)
            self._said.append(dead)
            return
        self._put((name, key, ""), item_of(notification, offset))
        stand_in = self._entries.find((receiver.fallback or "", key, name))
        if stand_in is not None and stand_in.is_told:
            self._put(stand_in.id, item_of(notification, offset))

    def due(self, now_us: int) -> Attempt | None:
        """What is to be sent now, if anything; ask until there is nothing."""
        self._catches_up = False
        while (overdue := self._alarms.take(now_us)) is not None:
            if (entry := self._entries.find(overdue)) is not None:
                self._overdue(entry, now_us)
        for name, lane in self._lanes.items():
            gate = self._gates[name]
            while gate.free_at_us() <= now_us and (id_ := lane.take(now_us)):
                attempt = self._attempt(id_, now_us)
                if attempt is not None:
                    gate.begin(now_us)
                    return attempt
        return None

    def done(self, attempt: Attempt, result: Result, now_us: int) -> None:
        """What came of an attempt."""
        name = attempt.receiver.name
        entry = self._entries.of(attempt.id)
        item = entry.waiting
        if item is None or not entry.under_way:
            raise ValueError("this attempt is not under way")
        entry.under_way = False
        self._gates[name].end(result, now_us)
        match result:
            case Sent(refs):
                self._said += self._trouble.over(name, now_us)
                if entry.accepted(item, refs):
                    self._end(entry, item, now_us)
            case Refused(why):
                item.failed_n += 1
                self._give_up(entry, item, why, now_us)
            case Retry() | Unknown():
                entry.failed(item, result, now_us, knows=attempt.request.repeatable)
                said_s = result.after_s if isinstance(result, Retry) else None
                least_s = max(min(said_s or 0.0, LONGEST_S), unknown_wait_s(item.unknown_n))
                wait_us = seconds_to_us(wait_s(item.failed_n, least_s, self._draw))
                entry.next_us = now_us + wait_us
        self._queue(entry, entry.next_us)
        self._said += self._entries.forget(now_us)

    def next_at(self) -> int:
        """When `due` may next have something, in microseconds, perhaps too early; or NEVER_US."""
        lanes = (
            max(lane.next_at_us(), self._gates[name].free_at_us())
            for name, lane in self._lanes.items()
        )
        return min([self._alarms.next_at_us(), *lanes])

    def said(self) -> list[Said]:
        """What is to be written since the last call, in order."""
        said, self._said = self._said, []
        return said

    def committable(self) -> int | None:
        """Everything below is done with, once `said()` is written; None before the first `take`."""
        return self._offsets.committable()

    def waiting_n(self) -> int:
        """How many messages wait; where that is too many, stop reading the topic."""
        return self._entries.waiting_n()

    def queues(self) -> dict[str, Queue]:
        """What waits for each receiver; none where nothing does."""
        return self._entries.queues()

    def _put(self, id_: Id, item: Item) -> None:
        entry = self._entries.of(id_)
        if entry.knows(item.notification.number):
            return
        for offset in item.offsets:
            self._offsets.hold(offset)
        entry.put(item)
        entry.is_doubtful |= self._catches_up
        self._queue(entry, entry.next_us)
        self._watch(entry, item.since_us)

    def _queue(self, entry: Entry, at_us: int) -> None:
        """Have it looked at; once too often does no harm, `_attempt` looks for itself."""
        rank = entry.waiting.rank if entry.waiting else 0
        if entry.waiting is None:
            at_us = self._refresh_us(entry)
        if at_us < NEVER_US:
            self._lanes[entry.id[0]].put(at_us, rank, next(self._order), entry.id)

    def _watch(self, entry: Entry, at_us: int) -> None:
        if not entry.is_watched:
            entry.is_watched = True
            self._alarms.put(at_us, at_us, next(self._order), entry.id)

    def _attempt(self, id_: Id, now_us: int) -> Attempt | None:
        entry = self._entries.find(id_)
        if entry is None or entry.under_way or now_us < entry.next_us:
            return None
        item = entry.waiting = entry.waiting or self._refresh(entry, now_us)
        if item is None:
            return None
        receiver = self._receivers[id_[0]]
        if not item.requests and not entry.is_needless(item):
            occasion = Occasion(now_us, self._page, bool(item.unknown_n), entry.is_doubtful)
            told = entry.worded(item)
            item.requests = of(receiver).render(told, receiver, entry.refs, occasion)
        if not item.requests:
            self._end(entry, item, now_us)
            return None
        entry.under_way = True
        return Attempt(receiver, item.requests[0], item.notification, id_)

    def _refresh(self, entry: Entry, now_us: int) -> Item | None:
        if entry.last is None or now_us < self._refresh_us(entry):
            return None
        return Item(entry.last, [], now_us, refreshes=True)

    def _refresh_us(self, entry: Entry) -> int:
        refresh_s = of(self._receivers[entry.id[0]]).REFRESH_S
        if refresh_s is None or entry.last is None or entry.over:
            return NEVER_US
        return entry.at_us + seconds_to_us(refresh_s)

    def _overdue(self, entry: Entry, now_us: int) -> None:
        """Whether the fallback is to be told, or nobody any more; only while it fails."""
        entry.is_watched = False
        item = entry.waiting
        if item is None or item.refreshes:
            return
        receiver = self._receivers[entry.id[0]]
        since_us = item.failing_since_us or self._gates[receiver.name].failing_since_us
        if since_us is not None and not entry.under_way:
            if now_us >= item.since_us + seconds_to_us(receiver.deadline_s):
                self._give_up(entry, item, item.why, now_us)
                return
            if item.severity == "critical" and now_us >= since_us + PATIENCE_US:
                self._stand_in(entry, item, now_us)
        self._watch(entry, now_us + _LOOK_AGAIN_US)

    def _give_up(self, entry: Entry, item: Item, why: str, now_us: int) -> None:
        if not item.refreshes:
            at, told = from_us(now_us), item.notification
            offset = item.offsets[-1]
            dead = Dead(notification=told, offset=offset, why=why, failed_n=item.failed_n, at=at)
            trouble = self._trouble.holds(entry.id[0], why, item.severity, now_us)
            self._said += (dead, trouble)
            self._stand_in(entry, item, now_us)
        self._end(entry, item, now_us)

    def _stand_in(self, entry: Entry, item: Item, now_us: int) -> None:
        """Tell the fallback too, unless it is told of this anyway."""
        name, key, stands_in_for = entry.id
        fallback = self._receivers[name].fallback
        if stands_in_for or fallback not in self._receivers:
            return
        anyway = self._entries.find((fallback, key, ""))
        stand_in = self._entries.find((fallback, key, name))
        knows = stand_in is not None and stand_in.knows(item.notification.number)
        if knows or (anyway is not None and anyway.is_told):
            return
        self._said.append(self._trouble.holds(name, item.why, item.severity, now_us))
        self._put((fallback, key, name), Item(item.notification, list(item.offsets), now_us))

    def _end(self, entry: Entry, item: Item, now_us: int) -> None:
        for offset in item.offsets:
            self._offsets.release(offset)
        if of(self._receivers[entry.id[0]]).REFRESH_S is not None:
            entry.last = None if item.notification.action == "resolve" else item.notification
        entry.ended(item, now_us)
        self._entries.touch(entry)
        if not item.refreshes:
            self._said.append(entry.record())
        if entry.waiting is not None:
            self._watch(entry, entry.waiting.since_us)
        self._queue(entry, entry.next_us)
