"""A broker in memory and a carrier that does as it is told, for the delivery service."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Self

import msgspec
from aiokafka.errors import KafkaError, ProducerFenced

from schemas.config import Config
from schemas.decoding import encode
from schemas.incident import Incident
from schemas.notification import Notification
from schemas.routing import Receiver
from streams.delivery.service import Delivery
from streams.delivery.service_edge import Arrival, Opened, Rows, topics_for
from streams.delivery.service_trouble import POSITION
from streams.engine import Engine
from streams.notifiers import Request, Result, Sent
from tests.unit.notices import NOW_US, notification


async def let_run(n: int = 1) -> None:
    """Let what is ready have its turn."""
    loop = asyncio.get_running_loop()
    for _ in range(n):
        ready = loop.create_future()
        loop.call_soon(ready.set_result, None)
        await ready


class Topics:
    """What all members of the group see: the topics, the commits, and who holds the fence."""

    def __init__(self, config: Config) -> None:
        self.names = topics_for(config)
        self.rows: dict[tuple[str, int], list[tuple[bytes | None, bytes | None]]] = defaultdict(
            list
        )
        self.committed: dict[int, int] = {}
        self.epochs: Counter[int] = Counter()
        self.is_away = False
        self.order: list[str] = []

    def decide(self, partition: int = 0, **fields: Any) -> None:
        told = notification(**fields)
        self.rows[self.names.outbox, partition].append((b"north", encode(told)))

    def log(self, partition: int = 0) -> dict[bytes, bytes]:
        last: dict[bytes, bytes] = {}
        for key, value in self.rows[self.names.log, partition]:
            assert key is not None
            if value is None:
                last.pop(key, None)
            else:
                last[key] = value
        return last

    def told(self, kind: type[Any], topic: str) -> list[Any]:
        values = (
            value for (name, _), rows in self.rows.items() if name == topic for _, value in rows
        )
        return [msgspec.json.decode(value or b"", type=kind) for value in values]

    def incidents(self) -> list[Incident]:
        return self.told(Incident, self.names.incidents)

    def outbox(self) -> list[Notification]:
        return self.told(Notification, self.names.outbox)


class Writer:
    def __init__(self, topics: Topics, partition: int) -> None:
        self.topics, self.partition = topics, partition
        topics.epochs[partition] += 1
        self.epoch = topics.epochs[partition]

    async def write(self, rows: Rows) -> None:
        if self.topics.is_away:
            raise KafkaError("away")
        if self.epoch != self.topics.epochs[self.partition]:
            raise ProducerFenced("fenced")
        for place, of_place in rows.items():
            self.topics.rows[place] += [(row.key, row.value) for row in of_place]
        self.topics.order.append("log")

    async def commit(self, offset: int) -> None:
        self.topics.committed[self.partition] = offset
        self.topics.order.append("commit")

    async def close(self) -> None:
        """Nothing is left."""


class Member:
    """One membership; `give` and `take` are the rebalances."""

    def __init__(self, topics: Topics, taken: Callable[[], Awaitable[None]]) -> None:
        self.topics, self.taken = topics, taken
        self.owned: set[int] = set()
        self.at: dict[int, int] = {}
        self.acts_at: dict[int, int] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        """It has left."""

    def given(self) -> Collection[int]:
        return frozenset(self.owned)

    async def lose(self) -> None:
        self.owned.clear()
        await self.taken()

    async def open(self, partition: int) -> Opened:
        writer = Writer(self.topics, partition)
        self.at[partition] = self.topics.committed.get(partition, 0)
        end = len(self.topics.rows[self.topics.names.outbox, partition])
        log = self.topics.log(partition)
        acts_n = len(self.topics.rows[self.topics.names.commands, partition])
        self.acts_at[partition] = int(log.get(POSITION, acts_n))
        return Opened(writer, log, end, self.acts_at[partition])

    async def fetch(self, partitions: Collection[int], wait_s: float) -> list[Arrival]:
        if self.topics.is_away:
            raise KafkaError("away")
        arrivals = []
        for partition in partitions:
            rows = self.topics.rows[self.topics.names.outbox, partition]
            new = range(self.at[partition], len(rows))
            arrivals += [Arrival(partition, offset, rows[offset][1]) for offset in new]
            self.at[partition] = len(rows)
        await let_run()
        return arrivals

    async def acts(self) -> list[Arrival]:
        arrivals = []
        for partition in sorted(self.owned & self.acts_at.keys()):
            rows = self.topics.rows[self.topics.names.commands, partition]
            new = range(self.acts_at[partition], len(rows))
            arrivals += [Arrival(partition, offset, rows[offset][1]) for offset in new]
            self.acts_at[partition] = len(rows)
        return arrivals

    async def position(self, partition: int) -> int:
        return self.at[partition]


class Carrier:
    """Answers as `results` say, then well; a result that is an Event is waited for."""

    def __init__(self, *results: Result | asyncio.Event) -> None:
        self.results = list(results)
        self.sent: list[tuple[str, str, bytes]] = []

    async def send(self, receiver: Receiver, request: Request) -> Result:
        self.sent.append((receiver.name, request.step, request.body))
        result = self.results.pop(0) if self.results else None
        if isinstance(result, asyncio.Event):
            await result.wait()
            result = None
        return result or Sent(request.refs)


class Room:
    """A delivery, turned by hand, with a clock of its own."""

    def __init__(self, config: Config, *results: Result | asyncio.Event, **fields: Any) -> None:
        self.config = config
        self.topics: Topics = fields.pop("topics", None) or Topics(config)
        self.carrier = Carrier(*results)
        self.now_us = NOW_US
        self.delivery = Delivery(
            config,
            self.carrier,
            connect=self.connect,
            now_us=lambda: self.now_us,
            clock_s=lambda: self.now_us / 1e6,
            draw=lambda: 0.5,
            **fields,
        )
        self.member = Member(self.topics, self.delivery._release_all)
        self.member.owned = {0}

    def connect(
        self, config: Config, engine: Engine, taken: Callable[[], Awaitable[None]]
    ) -> Member:
        self.member.taken = taken
        return self.member

    async def turn(self, n: int = 1) -> None:
        for _ in range(n):
            await self.delivery.turn(self.member, self.config)
            await let_run(5)

    async def run(self, seconds: float, step_s: float = 1.0) -> None:
        """So long in virtual time."""
        for _ in range(round(seconds / step_s)):
            self.now_us += round(step_s * 1e6)
            await self.turn()

    async def crash(self) -> "Room":
        """kill -9: nothing more is written; another takes over."""
        after = Room(self.config, topics=self.topics)
        after.now_us = self.now_us
        return after

    def bodies(self, receiver: str) -> list[dict[str, Any]]:
        sent = (body for name, _, body in self.carrier.sent if name == receiver)
        return [msgspec.json.decode(body)["data"] for body in sent]
