"""A durable worker on a real Kafka: events a second, CPU an event, false alarms, restore, memory.

    python -m bench.kafka [--studies 100000] [--pending 200000] [--watch WHAT]
                          [--broker HOST:PORT]

The job: three events a study (a study with 12 numeric and 6 categorical fields, a prediction, a
report), 12 sites, 6 partitions. The backlog spans an hour of append times, and 0.5 % of the results
are truly missing: every other `missing` is a false one. Without --broker a Kafka of its own is
started from its published jars (Java and Maven). CPU is of the worker's process alone, between 10 %
and 95 % of the outcomes. Exit status 1 when there is a false overdue study or a lost one.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import msgspec
import orjson
import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from bench.hour import HOUR_S, Event, hour
from schemas.config import Config
from streams.kafka.topics_admin import TopicsAdmin
from tests.integration.fleet import Reader
from tests.integration.kafka_rig import Kafka

CONFIG = """
prefix = "{prefix}"
broker = "{broker}"
[kafka]
replication = 1
[clock]
stale_after_s = 86400
[watch]
{watched}
[[model]]
name = "ptx"
deadline_s = {deadline}
findings = ["ptx"]
"""
WATCHED = {
    "everything": 'include = ["*"]',
    "series": 'slices = ["scanner.model"]\nmonitors = []',
    "deadlines": 'exclude = ["*"]\nslices = []\nmonitors = []',
}


class Deployment:
    """Topics whose inputs keep the producer's stamps, and a worker to be measured."""

    def __init__(
        self,
        broker: str,
        folder: Path,
        prefix: str,
        *,
        deadline_s: float,
        watch: str = "everything",
    ) -> None:
        self.broker = broker
        self.prefix = prefix
        self._file = folder / f"{prefix}.toml"
        self._log = folder / f"{prefix}.log"
        watched = WATCHED[watch]
        toml = CONFIG.format(prefix=prefix, broker=broker, deadline=deadline_s, watched=watched)
        self._file.write_text(toml)
        client = AdminClient({"bootstrap.servers": broker})
        stamped = {"message.timestamp.type": "CreateTime"}
        topics = [
            NewTopic(f"{prefix}.{stem}.v1", 6, 1, config=stamped)
            for stem in ("studies", "predictions", "reports")
        ]
        for future in client.create_topics(topics).values():
            future.result(10)
        TopicsAdmin(msgspec.toml.decode(toml, type=Config)).create()

    def fill(self, events: list[Event], began_s: float) -> None:
        """Write the backlog, stamped as if it had come in time."""
        producer = Producer(
            {"bootstrap.servers": self.broker, "partitioner": "murmur2_random", "linger.ms": 50}
        )
        for at_s, stem, site, value in events:
            stamp_ms = round((began_s + at_s) * 1000)
            while True:
                try:
                    topic = f"{self.prefix}.{stem}.v1"
                    producer.produce(topic, value, site, timestamp=stamp_ms)
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(120):
            raise RuntimeError("the broker did not take the backlog")

    def start(self) -> psutil.Popen:
        """A worker."""
        log = self._log.open("ab")
        command = [sys.executable, "-m", "streams.serve", str(self._file)]
        return psutil.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text()


def measure(deployment: Deployment, studies: int, missing: int) -> bool:
    """Events a second and CPU an event over the backlog; whether the outcomes are right."""
    reader, worker = Reader(deployment.broker), deployment.start()
    points: list[tuple[int, float, float]] = []
    peak = 0
    while not points or points[-1][0] < studies:
        time.sleep(0.25)
        done = len(reader.rows(f"{deployment.prefix}.outcomes.v1"))
        cpu = worker.cpu_times()
        points.append((done, time.monotonic(), cpu.user + cpu.system))
        peak = max(peak, worker.memory_info().rss)
    worker.terminate()
    worker.wait(30)
    first = next(point for point in points if point[0] > studies * 0.1)
    last = next(point for point in points if point[0] > studies * 0.95)
    events = 3 * (last[0] - first[0])
    outcomes = [
        orjson.loads(r.value or b"") for r in reader.rows(f"{deployment.prefix}.outcomes.v1")
    ]
    kinds = Counter(outcome["outcome"] for outcome in outcomes)
    false = kinds["missing"] - missing
    print(f"durable worker     {events / (last[1] - first[1]):10,.0f} events/s")
    print(f"                   {(last[2] - first[2]) / events * 1e6:10.1f} us CPU/event")
    print(f"                   {peak / 1e6:10,.0f} MB peak")
    print(f"outcomes           {dict(kinds)}; truly missing {missing}, false overdue {false}")
    reader.close()
    return false == 0 and len(outcomes) == studies


def measure_restore(deployment: Deployment, pending: int) -> None:
    """Time to read back the state of so many pending studies."""
    reader, worker = Reader(deployment.broker), deployment.start()
    handled = 0
    while handled < pending:
        time.sleep(1)
        state = reader.rows(f"{deployment.prefix}.state.v1")
        handled = len({row.key for row in state if (row.key or b"").startswith(b'["study')})
    worker.terminate()
    worker.wait(30)
    before = len(deployment.log())
    worker = deployment.start()
    lines: list[str] = []
    peak = 0
    while len(lines) < 6:
        time.sleep(0.1)
        lines = re.findall(r"restored .*", deployment.log()[before:])
        peak = max(peak, worker.memory_info().rss)
    worker.terminate()
    worker.wait(30)
    reader.close()
    slowest = max(float(line.rsplit(" ", 2)[1]) for line in lines)
    print(f"restore            {slowest:10.2f} s for {pending:,} pending studies, 6 partitions")
    print(f"                   {peak / 1e6:10,.0f} MB peak")


def main() -> int:
    """Run both and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--pending", type=int, default=200_000)
    parser.add_argument("--broker")
    parser.add_argument(
        "--watch",
        choices=WATCHED,
        default="everything",
        help="all there is (default); the series and those of each scanner; or deadlines alone",
    )
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = arguments.broker
        if broker is None:
            kafka = Kafka(folder)
            kafka.start()
            stack.callback(kafka.stop)
            broker = kafka.bootstrap
        now_s = time.time_ns() / 1e9
        ok = True
        if arguments.studies:
            backlog = Deployment(
                broker,
                folder,
                f"bench-{now_s:.0f}",
                deadline_s=600,
                watch=arguments.watch,
            )
            events, missing = hour(arguments.studies, now_s - HOUR_S)
            backlog.fill(events, now_s - HOUR_S)
            ok = measure(backlog, arguments.studies, missing)
        if arguments.pending:
            waiting = Deployment(broker, folder, f"pending-{now_s:.0f}", deadline_s=864_000)
            events, _ = hour(arguments.pending, now_s - HOUR_S)
            waiting.fill([event for event in events if event[1] == "studies"], now_s - HOUR_S)
            measure_restore(waiting, arguments.pending)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
