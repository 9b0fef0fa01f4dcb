"""One worker: configuration in, a running app with its timers, until it is told to stop.

    python -m streams.worker CONFIG.toml

Exit codes: 0 stopped as asked (SIGTERM, SIGINT), after a last checkpoint; 4 the topics or the state
do not fit, nothing was changed; 5 the engine failed on the embedded broker, whose data is gone with
it; 6 stopping took too long and was cut off, which loses nothing.

A broker that goes away is waited for. When the engine fails for good (a checkpoint was refused,
Faust crashed), the process replaces itself by a fresh one (`exec`: same process id, no parent to
watch, no thread survives), which waits for the broker and restores the last checkpoint. That is
the path that a crash takes anyway, and it does not trust anything that has just failed.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from aiokafka.errors import KafkaError

from schemas.config import Config
from schemas.topics import topics_of
from streams.app import build
from streams.embedded import PARTITIONS, EmbeddedBroker
from streams.engine import Engine, from_environment
from streams.proof import Prover
from streams.shard import UnfitState
from streams.shard_topics import shard_topics
from streams.shards import Shards
from streams.telemetry import Silent, Telemetry
from streams.topics_admin import NoBroker, TopicsAdmin

log = logging.getLogger("radvigil.worker")

EXIT_STOPPED = 0
EXIT_UNFIT = 4
EXIT_ENGINE = 5
EXIT_CUT_OFF = 6
RESTARTS = "RADVIGIL_RESTARTS"
PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


class UnfitTopics(Exception):
    """The topics cannot be used as they are; the message says which and why."""


class Worker:
    """Runs one app; `stop` may be called from any thread."""

    def __init__(self, config: Config, engine: Engine, telemetry: Telemetry | None = None) -> None:
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
        self._topics = shard_topics(config)
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Ask for a clean stop."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def run(self) -> None:
        """Until stopped. Raises UnfitTopics or UnfitState, or whatever broke the engine."""
        self._loop = asyncio.get_running_loop()
        prover = Prover(self.config)
        if not await self._reach_broker(prover):
            return
        try:
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
        for topic in admin.show():
            for difference in topic.differences:
                text = (
                    f"{topic.name}: {difference.setting} is {difference.found}, wanted "
                    f"{difference.wanted}: {difference.why}"
                )
                if difference.fatal:
                    raise UnfitTopics(text)
                log.warning("%s", text)

    async def _run(self, prover: Prover) -> None:
        shards = Shards(
            self.config,
            self._topics,
            prover,
            self._telemetry,
            engine=self._engine,
            append_times=self._embedded is None,
            partitions=self.config.kafka.partitions,
        )
        app = build(
            self.config,
            self._topics,
            self._engine,
            intake=shards,
            take=shards.take,
            rekey=shards.take,
        )

        async def take_over(*_: object, **__: object) -> None:
            ours = {tp.partition for tp in app.consumer.assignment()}
            await shards.open(ours)
            self.ready = True

        app.on_rebalance_complete.connect(take_over)
        tasks = [
            asyncio.create_task(self._checkpoints(shards)),
            asyncio.create_task(self._proofs(shards)),
            asyncio.create_task(self._stopping.wait()),
            asyncio.create_task(_crash_of(app)),
        ]
        try:
            await app.start()
            done, _ = await asyncio.wait(
                {*tasks, shards.failed}, return_when=asyncio.FIRST_COMPLETED
            )
            for one in done:
                one.result()
            await shards.release()
            await app.consumer.commit()
            await app.stop()
        finally:
            for task in tasks:
                task.cancel()

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


class EngineCrash(Exception):
    """Faust gave up."""


async def _crash_of(app: object) -> None:
    await app.wait_until_stopped()  # type: ignore[attr-defined]
    raise EngineCrash(repr(getattr(app, "_crash_reason", None)))


def serve(config: Config, engine: Engine, telemetry: Telemetry | None = None) -> int:
    """Run a worker in this process with its signals; the exit code. Does not return on a restart."""
    _pause_after_restarts()

    asyncio.run(_serve(config, engine, telemetry))
    return EXIT_STOPPED


async def _serve(config: Config, engine: Engine, telemetry: Telemetry | None) -> None:
    worker = Worker(config, engine, telemetry)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_in_time, worker.stop, engine.stop_s)
    try:
        await worker.run()
    except (UnfitTopics, UnfitState) as error:
        log.error("%s", error)
        _end(EXIT_UNFIT)
    except Exception as error:
        log.error("the engine failed: %r", error)
        if config.broker == "embedded":
            _end(EXIT_ENGINE)
        restart()


def _stop_in_time(stop: Callable[[], None], limit_s: float) -> None:
    cut_off = threading.Timer(limit_s, _end, [EXIT_CUT_OFF])
    cut_off.daemon = True
    cut_off.start()
    stop()


def _end(code: int) -> None:
    """Without waiting for threads that may never end."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def restart() -> None:
    """Replace this process by a fresh one of the same command."""
    count, since_s = _restarts()
    recent = time.time() - since_s < 300
    os.environ[RESTARTS] = f"{count + 1 if recent else 1}/{time.time():.0f}"
    logging.shutdown()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _restarts() -> tuple[int, float]:
    count, _, since_s = os.environ.get(RESTARTS, "0/0").partition("/")
    return int(count), float(since_s)


def _pause_after_restarts() -> None:
    count, _ = _restarts()
    if count:
        pause_s = PAUSES_S[min(count - 1, len(PAUSES_S) - 1)]
        log.warning("restarted in place %d times, going on in %g s", count, pause_s)
        time.sleep(pause_s)


def main() -> int:
    """`python -m streams.worker CONFIG.toml`."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("aiokafka").setLevel("ERROR")
    config = msgspec.toml.decode(Path(sys.argv[1]).read_bytes(), type=Config)
    return serve(config, from_environment())


if __name__ == "__main__":
    sys.exit(main())
