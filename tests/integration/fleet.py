"""Workers as processes that can be killed, paused and woken; and what they left in the topics."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.serve import BEGINS
from tests.integration.patience import ANSWER_S, SLOWER, wait_until

ENGINE = {"session_s": 5, "heartbeat_s": 1, "checkpoint_s": 0.3, "proof_s": 0.3}


class Fleet:
    """Named workers of one configuration; `close` ends those still running."""

    def __init__(self, folder: Path, toml: str, **engine: float) -> None:
        self._folder = folder
        self.config = folder / "radvigil.toml"
        self.config.write_text(toml)
        self._engine = orjson.dumps(ENGINE | engine).decode()
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._logged: dict[str, int] = {}

    def tune(self, **engine: float) -> None:
        """Workers started from now on have an engine of their own (streams/engine.py)."""
        self._engine = orjson.dumps(ENGINE | engine).decode()

    def plain(self) -> None:
        """Workers started from now on use Faust's own consumer."""
        self.tune(plain_agents=True)

    def configure(self, name: str, toml: str) -> None:
        """A worker that is configured otherwise than the rest."""
        (self._folder / f"{name}.toml").write_text(toml)

    def wait(self, name: str) -> int:
        """The exit code of a worker that ends of itself."""
        return self._workers.pop(name).wait(40 * SLOWER)

    def start(self, *names: str) -> None:
        for name in names:
            log = (self._folder / f"{name}.log").open("ab")
            self._logged[name] = log.tell()
            own = self._folder / f"{name}.toml"
            self._workers[name] = subprocess.Popen(
                [sys.executable, "-m", "streams.serve", str(own if own.exists() else self.config)],
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[2],
                env=os.environ | {"RADVIGIL_ENGINE": self._engine},
            )

    def kill(self, *names: str) -> None:
        """kill -9."""
        for name in names:
            worker = self._workers.pop(name)
            worker.kill()
            worker.wait()

    def stop(self, *names: str) -> list[int]:
        """SIGTERM to workers that have begun; the exit codes."""
        named = names or tuple(self._workers)
        assert wait_until(lambda: all(map(self._has_begun, named)), 40)
        stopping = [self._workers.pop(name) for name in named]
        for worker in stopping:
            worker.terminate()
        return [worker.wait(40 * SLOWER) for worker in stopping]

    def terminate(self, name: str) -> None:
        """SIGTERM, whether it has begun or not."""
        self._workers[name].terminate()

    def _has_begun(self, name: str) -> bool:
        """Or has ended already."""
        said = (self._folder / f"{name}.log").read_bytes()[self._logged[name] :]
        return BEGINS.encode() in said or not self.is_running(name)

    def pause(self, name: str) -> None:
        self._workers[name].send_signal(signal.SIGSTOP)

    def wake(self, name: str) -> None:
        self._workers[name].send_signal(signal.SIGCONT)

    def is_running(self, name: str) -> bool:
        return self._workers[name].poll() is None

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text()

    def close(self) -> None:
        for worker in self._workers.values():
            worker.send_signal(signal.SIGCONT)
            worker.kill()
            worker.wait()


class Row:
    """A record as a reader sees it."""

    def __init__(self, message: object) -> None:
        self.partition: int = message.partition()  # type: ignore[attr-defined]
        self.offset: int = message.offset()  # type: ignore[attr-defined]
        self.append_ms: int = message.timestamp()[1]  # type: ignore[attr-defined]
        self.key: bytes | None = message.key()  # type: ignore[attr-defined]
        self.value: bytes | None = message.value()  # type: ignore[attr-defined]
        self.headers: list[tuple[str, bytes]] = message.headers() or []  # type: ignore[attr-defined]


class Reader:
    """Reads topics to their ends, read committed as every consumer should; remembers its place."""

    def __init__(self, broker: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "a-reader",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 10,  # an end is told by an empty answer, 0.5 s later else
                "log_level": 0,
            }
        )
        self._rows: dict[str, list[Row]] = {}

    def rows(self, topic: str) -> list[Row]:
        """All there is now."""
        rows = self._rows.setdefault(topic, [])
        nexts: Counter[int] = Counter()
        for row in rows:
            nexts[row.partition] = max(nexts[row.partition], row.offset + 1)
        known = self.partitions(topic)
        self._consumer.assign([TopicPartition(topic, p, nexts[p]) for p in known])
        open_ends = set(known)
        while open_ends:
            for message in self._consumer.consume(1000, timeout=0.1):
                if message.error() is not None:
                    open_ends.discard(message.partition())
                else:
                    rows.append(Row(message))
        return rows

    def partitions(self, topic: str) -> list[int]:
        """Its partitions; none while it does not exist. A broker that comes back is asked again."""
        found: list[int] = []

        def answered() -> bool:
            try:
                known = self._consumer.list_topics(topic, timeout=5).topics[topic]
            except KafkaException:  # a connection of before the broker went
                return False
            found[:] = known.partitions
            return True

        assert wait_until(answered, ANSWER_S), "the broker does not answer"
        return found

    def close(self) -> None:
        self._consumer.close()
