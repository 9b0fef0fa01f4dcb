"""`broker = "embedded"`: librdkafka's mock cluster in this process, for trying and testing.

A real Kafka protocol peer, but in memory only, for one worker, with four partitions a topic and
about 100,000 messages a partition. It keeps producers' stamps, so the worker's clock is used.
"""

from collections.abc import Iterable

from confluent_kafka import Producer

PARTITIONS = 4
ANNOUNCEMENT = (
    "embedded broker at {address}: in memory, one worker, for trying and testing. "
    "Nothing is kept after this process ends. For production set broker to a Kafka."
)


class EmbeddedBroker:
    """Lives as long as this object."""

    def __init__(self, topics: Iterable[str] = ()) -> None:
        """Start it and create the topics."""
        self._host = Producer(
            {"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 4}
        )
        metadata = self._host.list_topics(timeout=10)
        broker = next(iter(metadata.brokers.values()))
        self.address = f"{broker.host}:{broker.port}"
        self.announcement = ANNOUNCEMENT.format(address=self.address)
        for topic in topics:
            self._host.list_topics(topic, timeout=10)  # the mock creates what is asked for
