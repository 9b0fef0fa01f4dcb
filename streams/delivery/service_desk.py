"""One partition of the outbox at work: what is due is sent, what was said written and committed.

The order is the promise: sent, written to the notify-log, committed. Whatever ends in between is
repeated by whoever has the partition next, and the provider knows the repeat by its key.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from hashlib import sha256

import msgspec

from schemas.cloudevents import headers_of
from schemas.command import Command
from schemas.deadletter import DeadLetter
from schemas.decoding import decode_event, encode
from schemas.incident import Incident
from schemas.notification import Notification
from schemas.reply import Reply
from schemas.routing import Receiver
from streams.clock import to_us
from streams.delivery.item import Attempt
from streams.delivery.outbox import Outbox
from streams.delivery.records import Dead, Forgotten, NotifyLog
from streams.delivery.service_edge import Opened, Place, Telemetry, Topics
from streams.delivery.service_trouble import POSITION, ReceiverTrouble, is_trouble
from streams.finding import MONITOR_SITE, Finding
from streams.notifiers import Refused, Request, Result, Retry, Sent, Unknown
from streams.partitioner import partition_of
from streams.row import Row

log = logging.getLogger("radvigil.delivery")

WAITING_N = 10_000
Send = Callable[[Receiver, Request], Awaitable[Result]]
_notification = msgspec.json.Decoder(Notification).decode
_notify_log = msgspec.json.Decoder(NotifyLog).decode
_HOW: dict[type[Result], str] = {Retry: "retry", Unknown: "unknown", Refused: "refused"}


class Desk:
    """Holds an outbox from `restore` to `close`; `ended` is called after each attempt."""

    def __init__(
        self,
        partition: int,
        opened: Opened,
        outbox: Outbox,
        trouble: ReceiverTrouble,
        topics: Topics,
        *,
        send: Send,
        now_us: Callable[[], int],
        telemetry: Telemetry,
        ended: Callable[["Desk", Attempt, Result], None],
    ) -> None:
        self.partition = partition
        self.trouble = trouble
        self.outbox = outbox
        self.unreadable = 0
        self._writer = opened.writer
        self._end: int | None = opened.end
        self._topics = topics
        self._send = send
        self._now_us = now_us
        self._telemetry = telemetry
        self._ended = ended
        self._under_way: set[asyncio.Task[None]] = set()
        self._rows: dict[Place, list[Row]] = defaultdict(list)
        self._findings: list[Finding] = []
        self._committed: int | None = None
        self._acts_at = opened.acts_at
        self._writing = asyncio.Lock()
        self._restore(opened)

    @property
    def is_full(self) -> bool:
        """Whether so much waits that nothing more is to be read."""
        return self.outbox.waiting_n() >= WAITING_N

    def take(self, value: bytes | None, offset: int) -> None:
        """A record of the outbox; what is no notification is counted."""
        try:
            told = None if value is None else _notification(value)
        except msgspec.DecodeError:
            told = None
            self.unreadable += 1
        if told is not None:
            self.outbox.take(told, offset)

    def reached(self, position: int) -> None:
        """The outbox is read up to there; nothing is sent before all that was there is known."""
        if self._end is not None and (position >= self._end or self.is_full):
            self._end = None

    @property
    def is_behind(self) -> bool:
        """Whether it still reads what was there when it was opened."""
        return self._end is not None

    def begin(self) -> None:
        """Send all that is due now."""
        while not self.is_behind and (attempt := self._next()) is not None:
            task = asyncio.create_task(self._attempt(attempt))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def findings(self) -> list[Finding]:
        """What was found about receivers since the last call."""
        self._collect()
        findings, self._findings = self._findings, []
        return findings

    def obey(self, value: bytes | None, offset: int) -> None:
        """A record of the commands; most are not about receivers, and the shards' to obey."""
        self._acts_at = offset + 1
        command = None if value is None else decode_event(value)
        if not isinstance(command, Command) or command.site != MONITOR_SITE:
            return
        published, reply = self.trouble.obey(command, self._now_us())
        if reply is not None:
            self._put(self._topics.replies, self.partition, reply)
            self.publish(published)

    def tick(self) -> None:
        """What time alone makes of the incidents about receivers."""
        if published := self.trouble.tick(self._now_us()):
            self.publish(published)

    def publish(self, messages: Iterable[Incident | Notification]) -> None:
        """To be written with the rest: what `trouble` has made of a finding, with its state."""
        for message in messages:
            topic = self._topics.incidents
            if isinstance(message, Notification):
                topic = self._topics.outbox
            self._put(topic, partition_of(message.site, self._topics.partitions), message)
        own = self._topics.log, self.partition
        self._rows[own] += [Row(key, value) for key, value in self.trouble.changes()]
        self.prove()

    def prove(self) -> None:
        """Have something to write: `flush` fails where somebody else has taken over."""
        own = self._topics.log, self.partition
        self._rows[own].append(Row(POSITION, b"%d" % self._acts_at))

    def _put(self, topic: str, partition: int, message: Incident | Notification | Reply) -> None:
        row = Row(message.site.encode(), encode(message), headers_of(message))
        self._rows[topic, partition].append(row)

    async def flush(self) -> None:
        """Write what was said, then commit what it makes committable; raises as the writer does."""
        async with self._writing:
            self._collect()
            done = self.outbox.committable()
            rows, self._rows = self._rows, defaultdict(list)
            written = {place: of_place for place, of_place in rows.items() if of_place}
            if written:
                await self._writer.write(written)
            if done is not None and done != self._committed:
                await self._writer.commit(done)
                self._committed = done

    async def stop(self, limit_s: float) -> None:
        """Let what is under way end, so long at most; then nobody knows whether it arrived."""
        self._end = self._end or 0
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=limit_s)
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    async def close(self) -> None:
        """Let the partition go."""
        await self._writer.close()

    def _restore(self, opened: Opened) -> None:
        self.trouble.restore(opened.log.items())
        self.outbox.restore(self._known(opened.log.items()))

    def _known(self, records: Iterable[tuple[bytes, bytes]]) -> Iterator[NotifyLog]:
        for key, value in records:
            if not is_trouble(key):
                try:
                    yield _notify_log(value)
                except msgspec.DecodeError:
                    self.unreadable += 1

    def _next(self) -> Attempt | None:
        while True:
            try:
                return self.outbox.due(self._now_us())
            except Exception as error:  # one message that cannot be rendered must not stop others
                log.error("a notification cannot be rendered: %r", error, exc_info=error)

    async def _attempt(self, attempt: Attempt) -> None:
        result: Result = Unknown("cut_off")
        try:
            result = await self._send(attempt.receiver, attempt.request)
        except Exception as error:  # a bug in one notifier; it is tried again until its deadline
            log.error("%s was not told: %r", attempt.receiver.name, error, exc_info=error)
            result = Retry("error")
        finally:
            now_us = self._now_us()
            self.outbox.done(attempt, result, now_us)
            self._count(attempt, result, now_us)
            self._ended(self, attempt, result)

    def _count(self, attempt: Attempt, result: Result, now_us: int) -> None:
        name, told = attempt.receiver.name, attempt.notification
        if isinstance(result, Sent):
            self._telemetry.told(name, told.why, max(0, now_us - to_us(told.at)) / 1e6)
        else:
            self._telemetry.failed(name, _HOW[type(result)])

    def _collect(self) -> None:
        for said in self.outbox.said():
            match said:
                case NotifyLog():
                    self._keep(said.message_key, msgspec.json.encode(said))
                case Forgotten():
                    self._keep(said.message_key, None)
                case Dead():
                    self._bury(said)
                case Finding():
                    self._findings.append(said)

    def _keep(self, key: str, value: bytes | None) -> None:
        self._rows[self._topics.log, self.partition].append(Row(key.encode(), value))

    def _bury(self, dead: Dead) -> None:
        name = dead.notification.receiver
        log.error("%s will not be told of %s: %s", name, dead.notification.key, dead.why)
        self._telemetry.died(name)
        letter = self._letter(dead)
        place = self._topics.deadletters, self.partition
        key = dead.notification.site.encode()
        self._rows[place].append(Row(key, encode(letter), headers_of(letter)))

    def _letter(self, dead: Dead) -> DeadLetter:
        value = encode(dead.notification)
        return DeadLetter(
            topic=self._topics.outbox,
            partition=self.partition,
            offset=dead.offset,
            path="receiver",
            reason="bad_value",
            expected=f"a receiver that can be told, not one that says {dead.why}"[:256],
            at=dead.at,
            size_bytes=len(value),
            sha256=sha256(value).hexdigest(),
            site=dead.notification.site,
        )
