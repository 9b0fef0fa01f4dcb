"""Delivery, beside the worker: reads the outbox, sends, and notes what was told.

It is a group of its own, so that a receiver that hangs delays no shard. A session holds one
membership in that group; whatever fails in it (a broker that is away, a partition that somebody
else has taken) ends the session, and the next one starts from the notify-log. Nothing is sent
while it cannot be written down, nor by who was stopped for so long that another may have told what
is newer: first it writes, which who was shut out cannot.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from aiokafka.errors import ConsumerStoppedError, KafkaError

from schemas.config import Config
from schemas.routing import Log, Receiver
from streams.delivery.entries import Queue
from streams.delivery.gate import Gate
from streams.delivery.item import Attempt
from streams.delivery.outbox import Outbox
from streams.delivery.sender import Connection, Sender
from streams.delivery.service_desk import Desk
from streams.delivery.service_edge import Broker, Opened, Silent, TakenAway, Telemetry, topics_for
from streams.delivery.service_kafka import KafkaBroker
from streams.delivery.service_trouble import ReceiverTrouble
from streams.delivery.trouble import Trouble
from streams.engine import Engine
from streams.notifiers import Request, Result, Sent, of

log = logging.getLogger("radvigil.delivery")

POLL_S = 0.1
STAND_S = 5.0
PAUSE_S = 2.0
STUCK_S = 120.0
"""Longer than any request, restore or commit takes: who makes no turn for so long is stuck."""
STOP_S = 8.0
LEASE_S = 5.0
"""Shorter than a session (`service_kafka`): after a longer pause a partition may be gone."""
OPEN_S = 120.0
_TURN_S = 2.0
_MET = (KafkaError, ConsumerStoppedError, OSError, TimeoutError)
Connect = Callable[
    [Config, Engine, Callable[[], Awaitable[None]]], AbstractAsyncContextManager[Broker]
]


class Carrier(Protocol):
    """Who sends: streams/delivery/sender.py, open while it is entered."""

    async def send(self, receiver: Receiver, request: Request) -> Result:
        """Send it and read the answer."""


def everybody(config: Config) -> list[Receiver]:
    """The receivers of a configuration, and the log, which needs none.

    >>> [receiver.name for receiver in everybody(Config())]
    ['log']
    """
    named = {receiver.name for receiver in config.receivers}
    return [*config.receivers, *([] if "log" in named else [Log(name="log")])]


def sender(config: Config, connections: Mapping[str, Connection] | None = None) -> Sender:
    """Who sends to all of them. Raises MissingSecret."""
    return Sender(everybody(config), connections)


class Delivery:
    """A companion of the worker; `carrier` is entered by whoever makes it.

    `now_us` is the wall clock, `clock_s` a monotonic one.
    """

    def __init__(
        self,
        config: Config,
        carrier: Carrier,
        telemetry: Telemetry | None = None,
        *,
        page: str = "",
        connect: Connect = KafkaBroker,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        clock_s: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._carrier = carrier
        self._telemetry = telemetry or Silent()
        self._page = page
        self._connect = connect
        self._now_us = now_us
        self._clock_s = clock_s
        self._draw = draw
        self._receivers = everybody(config)
        self._gates = {one.name: Gate(of(one).PACE) for one in self._receivers}
        self._desks: dict[int, Desk] = {}
        self._stood_s = -STAND_S
        self._is_leaving = False
        self._turned_s = self._sure_s = clock_s()

    def obstacles(self) -> list[str]:
        """Why nothing is delivered, as sentences; a receiver that is away is none."""
        silent_s = self._clock_s() - self._turned_s
        return [f"delivery has not moved for {silent_s:.0f} s"] if silent_s > STUCK_S else []

    async def run(self, config: Config, engine: Engine, stopping: asyncio.Event) -> None:
        """Until `stopping` is set, and what is being sent is done, or was given long enough."""
        told_s, stopped_s = -60.0, self._clock_s()
        stop = asyncio.create_task(stopping.wait())
        while not stopping.is_set():
            session = asyncio.create_task(self._session(config, engine, stopping))
            await asyncio.wait({session, stop}, return_when=asyncio.FIRST_COMPLETED)
            stopped_s = self._clock_s()
            if not session.done():
                await asyncio.wait({session}, timeout=_TURN_S)
            if not self._is_leaving:  # which has limits of its own
                session.cancel()
            error = (await asyncio.gather(session, return_exceptions=True))[0]
            if isinstance(error, Exception) and not isinstance(error, _MET):
                raise error
            if error is not None and self._clock_s() - told_s >= 30:
                log.warning("delivery starts over: %r", error)
                told_s = self._clock_s()
            await asyncio.wait({stop}, timeout=PAUSE_S)
        stop.cancel()
        log.info("delivery has stopped in %.1f s", self._clock_s() - stopped_s)

    async def _session(self, config: Config, engine: Engine, stopping: asyncio.Event) -> None:
        async with self._connect(config, engine, self._release_all) as broker:
            self._sure_s = self._clock_s()
            self._is_leaving = False
            try:
                while not stopping.is_set():
                    await self.turn(broker, config)
            finally:
                self._is_leaving = True
                await self._release_all()

    async def turn(self, broker: Broker, config: Config) -> None:
        """Take over what is new, read, send what is due, and write what was said."""
        new = [one for one in broker.given() if one not in self._desks]
        await asyncio.gather(*(self._open(broker, config, partition) for partition in new))
        for arrival in await broker.fetch(self._readable(), POLL_S):
            if (desk := self._desks.get(arrival.partition)) is not None:
                desk.take(arrival.value, arrival.offset)
        for act in await broker.acts():
            if (desk := self._desks.get(act.partition)) is not None:
                desk.obey(act.value, act.offset)
        for partition, desk in list(self._desks.items()):
            desk.tick()
            if desk.is_behind:
                desk.reached(await broker.position(partition))
        if not self._is_sure:
            for desk in self._desks.values():
                desk.prove()
            await self._flush()
            self._sure_s = self._clock_s()
        self._begin()
        self._follow_trouble()
        self._sure_s = self._clock_s()
        await self._flush()
        self._turned_s = self._clock_s()
        self._stand()

    @property
    def _is_sure(self) -> bool:
        """Whether no other member can have taken over yet."""
        return self._clock_s() - self._sure_s <= LEASE_S

    async def _flush(self) -> None:
        await asyncio.gather(*(desk.flush() for desk in self._desks.values()))

    def _readable(self) -> list[int]:
        return [partition for partition, desk in self._desks.items() if not desk.is_full]

    async def _open(self, broker: Broker, config: Config, partition: int) -> None:
        try:
            async with asyncio.timeout(OPEN_S):
                opened = await broker.open(partition)
        except TakenAway:
            return
        if partition not in broker.given():  # a rebalance came meanwhile
            await opened.writer.close()
            return
        self._desks[partition] = self._desk(config, partition, opened)
        log.info(
            "delivery of partition %d: %d records of what was told", partition, len(opened.log)
        )

    def _desk(self, config: Config, partition: int, opened: Opened) -> Desk:
        return Desk(
            partition,
            opened,
            Outbox(self._receivers, self._gates, self._draw, self._page),
            ReceiverTrouble(config, partition),
            topics_for(config),
            send=self._carrier.send,
            now_us=self._now_us,
            telemetry=self._telemetry,
            ended=self._ended,
        )

    def _begin(self) -> None:
        if self._is_sure:
            for desk in self._desks.values():
                desk.begin()

    def _ended(self, desk: Desk, attempt: Attempt, result: Result) -> None:
        """An attempt has ended: its gate is free for others, and its receiver may be well again."""
        name = attempt.receiver.name
        if isinstance(result, Sent):
            for each in self._desks.values():
                if each.trouble.about(name) is not None:
                    for finding in Trouble().over(name, self._now_us()):
                        each.publish(each.trouble.take(finding))
        if self._desks.get(desk.partition) is desk:
            self._begin()

    def _follow_trouble(self) -> None:
        """Each finding goes to the partition that has an incident about it, or to its own."""
        for desk in self._desks.values():
            for finding in desk.findings():
                name = (finding.subject or "").removeprefix("delivery.")
                others = (one for one in self._desks.values() if one.trouble.about(name))
                home = next(others, desk)
                home.publish(home.trouble.take(finding))

    def _stand(self) -> None:
        now_s = self._clock_s()
        if now_s - self._stood_s < STAND_S:
            return
        self._stood_s = now_s
        now_us = self._now_us()
        queues = _joined(desk.outbox.queues() for desk in self._desks.values())
        for name, gate in self._gates.items():
            queue = queues.get(name, Queue(0, now_us))
            oldest_s = max(0, now_us - queue.oldest_us) / 1e6
            is_open = gate.breaker.is_open
            self._telemetry.stand(name, queue.waiting_n, oldest_s, is_open=is_open)

    async def _release_all(self) -> None:
        """Let what is under way end, write the last words, and give everything up."""
        desks = list(self._desks.values())
        self._desks = {}
        await asyncio.gather(*(self._release(desk) for desk in desks))

    async def _release(self, desk: Desk) -> None:
        await desk.stop(STOP_S)
        try:
            await asyncio.wait_for(desk.flush(), STOP_S)
        except _MET as error:  # it is told again by whoever has the partition next
            log.warning("delivery of partition %d: last words lost: %r", desk.partition, error)
        await desk.close()


def _joined(of_desks: Iterable[Mapping[str, Queue]]) -> dict[str, Queue]:
    joined: dict[str, Queue] = {}
    for queues in of_desks:
        for name, queue in queues.items():
            joined[name] = queue.joined(joined.get(name))
    return joined
