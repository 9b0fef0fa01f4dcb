"""Recorded lines sent to a real broker, and one fleet that reads them."""

from pathlib import Path

import msgspec
from confluent_kafka import Producer

from schemas.config import Config
from streams.kafka.topics_admin import TopicsAdmin
from tests.integration.brokers import Broker
from tests.integration.fleet import Fleet, Reader

_CONFIG = """
prefix = "{prefix}"
broker = "{broker}"
[kafka]
replication = 1
"""


class Stream:
    """One deployment with the default settings."""

    def __init__(self, kafka: Broker, folder: Path, prefix: str) -> None:
        toml = _CONFIG.format(prefix=prefix + kafka.suffix, broker=kafka.bootstrap)
        self.config = msgspec.toml.decode(toml, type=Config)
        TopicsAdmin(self.config).create()
        self.fleet = Fleet(folder, toml)
        self._reader = Reader(kafka.bootstrap)
        self._producer = Producer(
            {"bootstrap.servers": kafka.bootstrap, "partitioner": "murmur2_random", "log_level": 0}
            | {"enable.idempotence": True}  # a batch sent again would come behind later ones
        )

    def send(self, stem: str, site: str, lines: list[bytes]) -> None:
        """All lines, keyed by site; returns when the broker has them."""
        for line in lines:
            self._producer.produce(f"{self.config.prefix}.{stem}.v1", line, key=site)
            self._producer.poll(0)
        assert self._producer.flush(60) == 0

    def incidents(self) -> list[bytes]:
        """The values of the incidents topic, but for what only a live worker says."""
        rows = self._reader.rows(f"{self.config.prefix}.incidents.v1")
        return [row.value for row in rows if row.value and b'"monitor_stale"' not in row.value]

    def close(self) -> None:
        self.fleet.close()
        self._reader.close()
