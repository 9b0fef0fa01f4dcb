"""Messages that no shard can take, and producers that cannot key by site."""

from collections import Counter
from datetime import UTC, datetime

import orjson
import pytest
from confluent_kafka import Producer

from tests.integration.patience import wait_until
from tests.integration.scene import Scene

pytestmark = pytest.mark.kafka

REKEYED = """
[topics.studies]
rekey = true
[topics.predictions]
rekey = true
"""


def poison(scene: Scene) -> Counter[str]:
    """Messages of every sort that a producer gets wrong; the reasons to expect."""
    producer = Producer(
        {"bootstrap.servers": scene.kafka.bootstrap, "message.max.bytes": 2_000_000}
    )
    misplaced = orjson.dumps(
        {
            "type": "radvigil.study.v1",
            "site": "site-1",
            "study": "x",
            "at": "2026-01-01T00:00:00Z",
            "modality": "DX",
        }
    )
    values = {
        "not_json": b"{",
        "not_an_object": b"[]",
        "unknown_type": b'{"type": "radvigil.poem.v1"}',
        "oversized": b"{" + b" " * 1_048_576 + b"}",
        "wrong_topic": misplaced,
        "empty": None,
    }
    for value in values.values():
        producer.produce(f"{scene.config.prefix}.predictions.v1", value, "site-1")
    assert producer.flush(10) == 0
    return Counter(values.keys())


def test_poison_is_told_and_stops_nothing(scene: Scene) -> None:
    scene.start("a")
    expected = poison(scene)
    letters = f"{scene.config.prefix}.deadletters.v1"
    assert wait_until(lambda: len(scene.reader.rows(letters)) >= expected.total(), 20)
    scene.flowing()

    scene.verdict(replay=False)
    told = [orjson.loads(row.value or b"") for row in scene.reader.rows(letters)]
    assert Counter(letter["reason"] for letter in told) == expected
    assert {letter["topic"] for letter in told} == {f"{scene.config.prefix}.predictions.v1"}


def test_whatever_a_producer_compresses_with_is_read(scene: Scene) -> None:
    scene.fleet.start("a")
    assert wait_until(lambda: scene.open_shards() == scene.config.kafka.partitions, 40)
    kinds = {"none", "gzip", "snappy", "lz4", "zstd"}
    for kind in kinds:
        event = {
            "type": "radvigil.study.v1",
            "site": "site-1",
            "study": kind,
            "at": datetime.now(UTC).isoformat(),
            "modality": "DX",
            "expects": [{"model": "m", "deadline_s": 0.1}],
            "ignored": "ignored " * 500,  # what does not get smaller is not compressed
        }
        settings = {"compression.type": kind, "partitioner": "murmur2_random"}
        producer = Producer({"bootstrap.servers": scene.kafka.bootstrap} | settings)
        producer.produce(f"{scene.config.prefix}.studies.v1", orjson.dumps(event), "site-1")
        assert producer.flush(10) == 0

    assert wait_until(lambda: scene.outcomes_n() == len(kinds), 30)
    told = scene.reader.rows(f"{scene.config.prefix}.outcomes.v1")
    assert {orjson.loads(row.value or b"")["study"] for row in told} == kinds
    assert scene.fleet.stop() == [0]


@pytest.mark.parametrize("scene", [pytest.param(REKEYED, id="rekeyed")], indirect=True)
def test_producers_that_key_by_study_are_rekeyed(scene: Scene) -> None:
    scene.ward.keyed_by_site = False
    scene.start("a", "b")

    scene.fleet.kill("a")
    scene.fleet.start("a")
    scene.flowing()
    scene.fleet.kill("b")
    scene.fleet.start("b")
    scene.flowing()

    scene.verdict(replay=False)
