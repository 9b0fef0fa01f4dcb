"""What one receiver is told under one key: what it was told, and what waits to be told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from schemas.fields import Severity
from schemas.notification import Notification
from schemas.routing import Receiver
from streams.clock import from_us, to_us
from streams.delivery.lane import Id
from streams.delivery.records import NotifyLog
from streams.notifiers import Refs, Request, Retry, Unknown
from streams.notifiers._facts import SEVERITIES


@dataclass
class Item:
    """One message: the newest notification of those that wait, and what its tries have met."""

    notification: Notification
    offsets: list[int]
    since_us: int
    refreshes: bool = False
    failed_n: int = 0
    failing_since_us: int | None = None
    unknown_n: int = 0
    why: str = "deadline"
    requests: Sequence[Request] = ()  # what is left to send of it, once it was rendered

    @property
    def severity(self) -> Severity:
        """The worst of its incidents."""
        severities = (incident.severity for incident in self.notification.incidents)
        return min(severities, key=SEVERITIES.index)

    @property
    def rank(self) -> int:
        """0 for the most severe; what is only told once more comes last."""
        return len(SEVERITIES) if self.refreshes else SEVERITIES.index(self.severity)

    def overtaken_by(self, newer: "Item") -> "Item":
        """The newer state; it waits and fails since this one, and disturbs if this one would."""
        disturb = newer.notification.disturb
        if not self.refreshes:
            disturb = disturb or self.notification.disturb
        return Item(
            notification=replace(newer.notification, disturb=disturb),
            offsets=self.offsets + newer.offsets,
            since_us=newer.since_us if self.refreshes else self.since_us,
            failed_n=self.failed_n,
            failing_since_us=self.failing_since_us,
            unknown_n=self.unknown_n,
            why=self.why,
        )


class Attempt(NamedTuple):
    """One request that is to be sent now; hand it back to `Outbox.done` with its result."""

    receiver: Receiver
    request: Request
    notification: Notification
    id: Id

    @property
    def number(self) -> int:
        """Of the notification that it is about."""
        return self.notification.number


@dataclass
class Entry:
    """All that is known of one receiver and key."""

    id: Id
    number: int = 0  # of the newest that is done with
    refs: Refs = field(default_factory=dict)  # empty: never told
    over: bool = False
    is_doubtful: bool = False  # a try may have arrived that nobody heard of
    at_us: int = 0  # when the last was done with
    last: Notification | None = None  # what is to be told again and again
    waiting: Item | None = None
    behind: Item | None = None  # came while `waiting` was under way
    under_way: bool = False
    is_watched: bool = False
    next_us: int = 0

    @property
    def is_seen(self) -> bool:
        """Whether its receiver sees it as something that goes on."""
        return bool(self.refs) and not self.over

    @property
    def is_told(self) -> bool:
        """Whether its receiver sees it, or is about to."""
        waits = self.waiting is not None and not self.waiting.refreshes
        return waits or self.is_seen

    def knows(self, number: int) -> bool:
        """Whether this number was told or waits already."""
        waiting = [item for item in (self.waiting, self.behind) if item]
        return number <= max([self.number, *(item.notification.number for item in waiting)])

    def put(self, item: Item) -> None:
        """Take what is to be told."""
        if self.under_way or self.behind:
            self.behind = self.behind.overtaken_by(item) if self.behind else item
        else:
            self.waiting = self.waiting.overtaken_by(item) if self.waiting else item

    def accepted(self, item: Item, refs: Refs) -> bool:
        """A request of `item` was accepted; whether it was the last."""
        self.refs = refs
        self.over = item.notification.action == "resolve"
        self.is_doubtful = False
        item.requests = item.requests[1:]
        return not item.requests

    def failed(self, item: Item, result: Retry | Unknown, now_us: int, *, knows: bool) -> None:
        """A try of `item` failed; what came meanwhile overtakes it.

        `knows`: the provider knows a repeat of what was tried as one.
        """
        item.failed_n += 1
        item.why = result.why
        if item.failing_since_us is None:
            item.failing_since_us = now_us
        if isinstance(result, Unknown):
            self.is_doubtful = True
            item.unknown_n += not knows
        if isinstance(result, Retry) and result.anew:
            self.refs = {}
        if isinstance(result, Unknown) or result.anew:
            item.requests = ()  # to be rendered again, in other words
        if self.behind is not None:
            item, self.behind = item.overtaken_by(self.behind), None
        self.waiting = item

    def ended(self, item: Item, now_us: int) -> None:
        """`item` is done with; what came meanwhile waits now."""
        self.number = item.notification.number
        self.over = item.notification.action == "resolve"
        self.at_us = now_us
        self.next_us = 0
        self.waiting, self.behind = self.behind, None

    def worded(self, item: Item) -> Notification:
        """What is told: a beginning where it is not seen, else an update; or an end."""
        if item.notification.action == "resolve":
            return item.notification
        return replace(item.notification, action="update" if self.is_seen else "open")

    def is_needless(self, item: Item) -> bool:
        """Over before it was told, and never worth disturbing anybody."""
        over = item.notification.action == "resolve"
        unseen = not self.is_seen and not self.is_doubtful
        return over and unseen and not item.notification.disturb

    def record(self) -> NotifyLog:
        """For the notify-log."""
        receiver, key, stands_in_for = self.id
        return NotifyLog(
            receiver=receiver,
            key=key,
            number=self.number,
            sent_at=from_us(self.at_us),
            refs=dict(self.refs),
            over=self.over,
            stands_in_for=stands_in_for,
            notification=self.last,
        )


def item_of(notification: Notification, offset: int) -> Item:
    """A notification that has just been read."""
    return Item(notification, [offset], to_us(notification.at))


def entry_of(record: NotifyLog) -> Entry:
    """What the notify-log knows."""
    return Entry(
        id=(record.receiver, record.key, record.stands_in_for),
        number=record.number,
        refs=record.refs,
        over=record.over,
        is_doubtful=not record.refs and not record.over,  # given up, perhaps after it arrived
        at_us=to_us(record.sent_at),
        last=record.notification,
    )
