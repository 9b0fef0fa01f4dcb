"""A stream of studies with outages, and an account of it that no line of the pipeline has touched.

What must come out follows from three things that the producer knows: the stamps it wrote, the
deadline, and the time at which the broker appended each message (from the delivery report).
"""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    Message,
    Producer,
)

DEADLINE_S = 2.0
LATENESS_S = 1.0
STALE_AFTER_S = 5.0
CONFIG = """
prefix = "{prefix}"
broker = "{broker}"
[kafka]
replication = 1
{connection}
[clock]
lateness_s = {lateness}
max_skew_s = 60
stale_after_s = {stale_after}
[reference]
observations = 200
[[model]]
name = "ptx"
deadline_s = {deadline}
findings = ["ptx"]
missing = {{ hold_s = 2, update_s = 1 }}
"""


def config_toml(prefix: str, broker: str, connection: str = "") -> str:
    """One model, short deadlines; `connection` is more of [kafka]."""
    return CONFIG.format(
        prefix=prefix,
        broker=broker,
        connection=connection,
        lateness=LATENESS_S,
        stale_after=STALE_AFTER_S,
        deadline=DEADLINE_S,
    )


@dataclass
class Sent:
    """One study as it was sent, times in seconds since the epoch."""

    at: float
    site: str
    study_arrived: float | None = None
    result_at: float | None = None
    result_arrived: float | None = None

    def outcomes(self) -> list[tuple[str, int]]:
        """What a monitor must say of it: (outcome, revision)."""
        due = self.at + DEADLINE_S
        if self.result_at is None or self.result_arrived is None:
            return [("missing", 1)]
        assert self.study_arrived is not None
        in_time = "on_time" if self.result_at <= due else "late"
        if self.result_arrived <= self.study_arrived:
            return [(in_time, 1)]
        if round(1000 * (self.result_arrived - LATENESS_S - due)) > 0:  # all are whole ms
            return [("missing", 1), ("late", 2)]
        return [(in_time, 1)]


@dataclass
class Ward:
    """Produces until told to stop; from one seed, paced by the real clock."""

    broker: str
    prefix: str
    seed: int = 1
    studies_per_s: float = 150
    sites: int = 12
    troubled: bool = True  # some results late, some missing, an outage now and then
    keyed_by_site: bool = True
    sent: dict[str, Sent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._producer = Producer(
            {
                "bootstrap.servers": self.broker,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                # A broker that restarts remembers the last batch of a producer: of several in
                # flight it would take one twice, and say that it was appended the second time.
                "max.in.flight": 1,
                "linger.ms": 5,
                "message.timeout.ms": 300_000,
                "log_level": 0,
            }
        )
        self._stop = threading.Event()
        self._stamped_at: float | None = None  # None: the broker's time of append
        self._due: list[tuple[float, str]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failed: Counter[str] = Counter()

    def start(self) -> "Ward":
        self._thread.start()
        return self

    def abandon(self) -> None:
        """Stop without waiting for the broker."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def stop(self) -> None:
        """Stop, and wait until the broker has everything."""
        self.abandon()
        self.flush()

    def flush(self) -> None:
        """Wait until the broker has everything."""
        assert self._producer.flush(120) == 0
        assert not self.failed, self.failed

    def _run(self) -> None:
        began = time.time()
        for number in range(10**9):
            if self._stop.is_set():
                self._results(float("inf"), time.time())
                return
            self.study(f"{self.seed}-{number}", time.time())
            self._results(time.time(), time.time())
            self._producer.poll(0)
            pause = began + number / self.studies_per_s - time.time()
            if pause > 0:
                self._stop.wait(pause)

    def past_hour(self, studies: int) -> None:
        """Send the last hour at once, stamped as if it had been sent in time."""
        began = time.time() - 3600
        for number in range(studies):
            at = began + number * 3590 / studies
            self._stamped_at = at
            self.study(f"{self.seed}-{number}", at)
            for due, key in [one for one in self._due if one[0] <= at]:
                self._stamped_at = at
                self.result(key, due)
            self._due = [one for one in self._due if one[0] > at]
        self._stamped_at = None

    def study(self, key: str, at: float) -> None:
        """Send a study, and plan its result: most in time, some late, some never."""
        sent = self.sent[key] = Sent(at, f"site-{self._random.randrange(self.sites)}")
        self._send(
            "studies", sent.site, self._study(key, sent), lambda s: _arrived(sent, s, "study")
        )
        fate = self._random.random()
        outage = int(at) % 20 < 4 and sent.site == "site-3"
        if self.troubled and (outage or fate < 0.02):
            return
        late = self.troubled and fate < 0.04
        delay = self._random.uniform(2.05, 5.0) if late else self._random.uniform(0.0, 1.0)
        self._due.append((at + delay, key))

    def _results(self, due_by: float, now: float) -> None:
        ready = [key for due, key in self._due if due <= due_by]
        if ready:
            self._due = [one for one in self._due if one[0] > due_by]
        for key in ready:
            self.result(key, now)

    def result(self, key: str, at: float) -> None:
        sent = self.sent[key]
        sent.result_at = _stamp(at)
        self._send(
            "predictions",
            sent.site,
            self._prediction(key, sent),
            lambda s: _arrived(sent, s, "result"),
        )

    def _study(self, key: str, sent: Sent) -> dict[str, object]:
        sent.at = _stamp(sent.at)
        return {
            "type": "radvigil.study.v1",
            "site": sent.site,
            "study": key,
            "at": text(sent.at),
            "modality": "DX",
            "acquisition": {"kvp": self._random.gauss(80, 5)},
        }

    def _prediction(self, key: str, sent: Sent) -> dict[str, object]:
        assert sent.result_at is not None
        return {
            "type": "radvigil.prediction.v1",
            "site": sent.site,
            "study": key,
            "model": "ptx",
            "model_version": "1",
            "status": "completed",
            "at": text(sent.result_at),
            "outputs": [{"finding": "ptx", "score": self._random.random()}],
        }

    def _send(self, stem: str, site: str, message: dict[str, object], arrived: object) -> None:
        stamped = self._stamped_at is not None
        expected_kind = TIMESTAMP_CREATE_TIME if stamped else TIMESTAMP_LOG_APPEND_TIME

        def delivered(error: object, message: Message) -> None:
            kind, append_ms = message.timestamp()
            if error is not None:
                self.failed[str(error)] += 1
            elif kind != expected_kind:
                self.failed["the broker did not say when it appended"] += 1
            else:
                arrived(append_ms / 1000)  # type: ignore[operator]

        topic = f"{self.prefix}.{stem}.v1"
        value = orjson.dumps(message)
        key = site if self.keyed_by_site else str(message["study"])
        stamp_ms = round((self._stamped_at or 0) * 1000)
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=delivered, timestamp=stamp_ms)
                return
            except BufferError:
                self._producer.poll(0.1)

    def expected(self) -> Counter[tuple[str, str, int]]:
        """The account: (study, outcome, revision), each exactly once."""
        return Counter(
            (key, outcome, revision)
            for key, sent in self.sent.items()
            for outcome, revision in sent.outcomes()
        )


def _arrived(sent: Sent, at: float, what: str) -> None:
    if what == "study":
        sent.study_arrived = at
    else:
        sent.result_arrived = at


def _stamp(at: float) -> float:
    """To milliseconds, so that the text on the wire and the account agree."""
    return round(at, 3)


def text(at: float) -> str:
    """A stamp on the wire."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=round(at * 1000))).isoformat()
