"""The engine's other faces: Faust's plain agents, the embedded broker, topics that do not fit."""

import re
import time
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from streams.serve import EXIT_UNFIT
from tests.integration.brokers import Broker
from tests.integration.fleet import Fleet, Reader
from tests.integration.patience import ANSWER_S, wait_until
from tests.integration.scene import Scene
from tests.integration.ward import config_toml, text


@pytest.mark.kafka
def test_plain_agents_are_as_safe(scene: Scene) -> None:
    scene.fleet.plain()
    scene.start("a", "b")

    scene.fleet.kill("a")
    scene.flowing()
    scene.fleet.start("a")
    scene.flowing()

    scene.verdict()


@pytest.mark.kafka
def test_unequal_partitions_are_refused_with_the_reason(kafka: Broker, tmp_path: Path) -> None:
    prefix = f"uneven{kafka.suffix}"
    topic = f"{prefix}.studies.v1"
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    client.create_topics([NewTopic(topic, 3, 1)])[topic].result(ANSWER_S)
    fleet = Fleet(tmp_path, config_toml(prefix, kafka.bootstrap))

    fleet.start("a")

    assert fleet.wait("a") == EXIT_UNFIT
    assert f"{topic}: partitions is 3, wanted 6" in fleet.log("a")


def test_the_embedded_broker_serves_one_worker(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, config_toml("small", "embedded"))
    fleet.start("a")
    address = r"127\.0\.0\.1:\d+"
    try:
        assert wait_until(lambda: "restored" in fleet.log("a"), 30)
        found = re.search(rf"embedded broker at ({address})", fleet.log("a"))
        assert found is not None
        send(found[1])
        reader = Reader(found[1])
        assert wait_until(lambda: len(reader.rows("small.outcomes.v1")) >= 2, 30)
        said = [orjson.loads(row.value or b"") for row in reader.rows("small.outcomes.v1")]
        assert {one["study"]: one["outcome"] for one in said} == {"a": "on_time", "b": "missing"}
        reader.close()
        assert fleet.stop() == [0]
    finally:
        fleet.close()


def send(address: str) -> None:
    """Two studies, and a result for one of them."""
    at = text(time.time_ns() / 1e9)
    producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random"})
    result = {"type": "radvigil.prediction.v1", "site": "n", "study": "a", "model": "ptx"} | {
        "model_version": "1",
        "status": "completed",
        "at": at,
        "outputs": [{"finding": "ptx", "score": 0.5}],
    }
    producer.produce("small.predictions.v1", orjson.dumps(result), "n")
    producer.flush(10)
    for key in ("a", "b"):
        study = {"type": "radvigil.study.v1", "site": "n", "study": key, "at": at, "modality": "DX"}
        producer.produce("small.studies.v1", orjson.dumps(study), "n")
    assert producer.flush(10) == 0
