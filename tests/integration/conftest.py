"""One real Kafka for the whole session; without one, tests skip with the reason, but not in CI."""

import os
from collections.abc import Iterator

import pytest

from tests.integration.kafka_rig import Kafka, Unavailable


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    try:
        broker = Kafka(tmp_path_factory.mktemp("kafka"))
    except Unavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no real Kafka: {reason}")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
