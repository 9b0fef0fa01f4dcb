"""One worker: configuration in, a running app with its timers, until it is told to stop.

A broker that goes away is waited for. What cannot be waited out is raised: streams/serve.py starts
over in place.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Iterable
from typing import Protocol

import msgspec
from aiokafka.errors import KafkaError

from detectors.warm import warm_up
from schemas.config import Config
from schemas.topics import topics_of
from streams.app import build, run_until_crash
from streams.engine import Engine
from streams.kafka.assignment import Assignment
from streams.kafka.broker_clock import BrokerClock, OwnClock
from streams.kafka.embedded import PARTITIONS, EmbeddedBroker
from streams.kafka.proof import Prover
from streams.kafka.rekeyer import Rekeyer
from streams.kafka.shards import Shards
from streams.kafka.topics_admin import NoBroker, TopicsAdmin
from streams.shard_topics import shard_topics
from streams.telemetry import Silent, Telemetry

log = logging.getLogger("radvigil.worker")


COMPANIONS_S = 12.0


class Companion(Protocol):
    """What runs beside the worker, on its loop, once the broker has been reached."""

    async def run(self, config: Config, engine: Engine, stopping: asyncio.Event) -> None:
        """Until `stopping` is set. `config` has the broker's address, embedded ones too."""


class UnfitTopics(Exception):
    """The topics cannot be used as they are; the message says which and why."""


class Worker:
    """Runs one app; `stop` may be called from any thread."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        telemetry: Telemetry | None = None,
        companions: Iterable[Companion] = (),
    ) -> None:
        self._embedded: EmbeddedBroker | None = None
        if config.broker == "embedded":
            self._embedded = EmbeddedBroker(spec.name(config.prefix) for spec in topics_of(config))
            kafka = msgspec.structs.replace(config.kafka, partitions=PARTITIONS, replication=1)
            config = msgspec.structs.replace(config, broker=self._embedded.address, kafka=kafka)
            log.warning("%s", self._embedded.announcement)
        self.config = config
        self.ready = False
        self._engine = engine
        self._telemetry = telemetry or Silent()
        self._companions = tuple(companions)
        self._topics = shard_topics(config)
        self._clock: BrokerClock = OwnClock(_now_us)
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Ask for a clean stop."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    async def run(self, after_s: float = 0.0) -> None:
        """Wait `after_s`, then run until stopped.

        Raises UnfitTopics or UnfitState, or whatever broke the engine.
        """
        self._loop = asyncio.get_running_loop()
        if self._embedded is not None and self._topics.rekeyed:
            raise UnfitTopics(
                "topics.*.rekey = true needs a Kafka: the embedded broker does not keep how far a "
                "re-keyer has come. Set broker to a Kafka, or key by site"
            )
        await _either(self._stopping.wait(), after_s)
        if self.is_stopping:
            return
        await asyncio.to_thread(warm_up)  # before it joins the group: a poll must not wait for it
        prover = Prover(self.config)
        try:
            if await self._reach_broker(prover):
                await self._run(prover)
        finally:
            self.ready = False
        await prover.stop()

    async def _reach_broker(self, prover: Prover) -> bool:
        """Wait for the broker as long as it takes; False when told to stop meanwhile."""
        pause_s, told_s = 0.5, -60.0
        while not self._stopping.is_set():
            try:
                if self._embedded is None:
                    await asyncio.to_thread(self._check_topics)
                await prover.start()
                return True
            except (KafkaError, NoBroker, OSError) as error:
                if time.monotonic() - told_s >= 30:
                    log.warning("waiting for the broker %s: %s", self.config.broker, error)
                    told_s = time.monotonic()
                await _either(self._stopping.wait(), pause_s)
                pause_s = min(10.0, pause_s * 2)
        return False

    def _check_topics(self) -> None:
        admin = TopicsAdmin(self.config)
        for name in admin.create():
            log.info("created topic %s", name)
        shown = admin.show()
        for topic in shown:
            for difference in topic.differences:
                text = (
                    f"{topic.name}: {difference.setting} is {difference.found}, wanted "
                    f"{difference.wanted}: {difference.why}"
                )
                if difference.fatal:
                    raise UnfitTopics(text)
                log.warning("%s", text)
        stamped = all(topic.append_times for topic in shown if topic.name in self._topics.timed)
        self._clock = BrokerClock() if stamped else OwnClock(_now_us)

    async def _run(self, prover: Prover) -> None:
        shards = Shards(
            self.config,
            self._topics,
            prover,
            self._telemetry,
            engine=self._engine,
            clock=self._clock,
            partitions=self.config.kafka.partitions,
        )

        def rekeyers() -> list[Rekeyer]:
            return [
                Rekeyer(
                    self.config,
                    source,
                    copy,
                    prover=prover,
                    clock=shards.clock,
                    telemetry=self._telemetry,
                )
                for copy, source in self._topics.rekeyed.items()
            ]

        assignment = Assignment(self._topics, shards, rekeyers)
        app = build(self.config, self._topics, self._engine, intake=assignment, take=shards.take)

        async def take_over(*_: object, **__: object) -> None:
            await assignment.open(app.consumer.assignment())
            self.ready = True

        app.on_rebalance_complete.connect(take_over)
        companions = [
            asyncio.create_task(one.run(self.config, self._engine, self._stopping))
            for one in self._companions
        ]
        ends: list[asyncio.Future[None]] = [
            asyncio.create_task(self._checkpoints(shards)),
            asyncio.create_task(self._proofs(shards)),
            asyncio.create_task(run_until_crash(app)),
            asyncio.create_task(self._stop_asked()),
            shards.failed,
            *companions,
        ]
        ended, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ended:
            end.result()
        asked_s = time.monotonic()
        await assignment.release()
        await app.consumer.commit()
        await app.stop()
        if companions:
            left_s = COMPANIONS_S - (time.monotonic() - asked_s)
            await asyncio.wait(companions, timeout=max(0.0, left_s))
        for end in ends:
            end.cancel()

    async def _stop_asked(self) -> None:
        await self._stopping.wait()

    async def _checkpoints(self, shards: Shards) -> None:
        while True:
            await _either(shards.due.wait(), self._engine.checkpoint_s)
            await shards.checkpoint()

    async def _proofs(self, shards: Shards) -> None:
        while True:
            await asyncio.sleep(self._engine.proof_s)
            try:
                await shards.prove()
            except Exception as error:  # a broker that is away; without proof nothing moves
                log.debug("no proof: %r", error)
                self._telemetry.noticed("proof_failed", 1)


async def _either(event: Awaitable[object], timeout_s: float) -> None:
    try:
        await asyncio.wait_for(event, timeout_s)
    except TimeoutError:
        return


def _now_us() -> int:
    return time.time_ns() // 1000
