"""`radvigil trace`: on a real Kafka, and what the embedded broker can show of it."""

import json
from base64 import b64encode
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from schemas.cloudevents import STRUCTURED
from schemas.config import Config
from streams.cli import main
from streams.kafka.embedded import PARTITIONS, EmbeddedBroker
from streams.partitioner import partition_of
from streams.shard_topics import shard_topics
from tests.integration.scene import Scene


@pytest.mark.kafka
def test_a_study_is_followed_through_the_topics(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.start("a")
    found = scene.verdict(replay=False)
    outcome = orjson.loads(found.outcomes[0].value or b"")
    capsys.readouterr()
    where = ["--site", outcome["site"], "--config", str(tmp_path / "radvigil.toml")]

    assert main(["trace", outcome["study"], *where, "--json"]) == 0
    told = [orjson.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert main(["trace", "nobody-knows", *where]) == 1

    assert {message.get("study", outcome["study"]) for message in told} == {outcome["study"]}
    assert {"radvigil.study.v1", "radvigil.outcome.v1"} <= {message["type"] for message in told}
    assert "nothing is known" in capsys.readouterr().err


def test_a_trace_finds_a_site_where_the_topics_have_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They may have another number of partitions than the configuration wants."""
    site = next(f"s-{i}" for i in range(99) if partition_of(f"s-{i}", 6) >= PARTITIONS)
    names = shard_topics(Config())
    broker = EmbeddedBroker([*names.merged, names.outcomes, names.incidents])
    producer = Producer({"bootstrap.servers": broker.address, "partitioner": "murmur2_random"})
    event = {"type": "radvigil.study.v1", "site": site, "study": "st-1", "state": "received"}
    producer.produce(names.merged[0], key=site, value=orjson.dumps(event))
    producer.flush()
    config = tmp_path / "radvigil.toml"
    config.write_text(f'broker = "{broker.address}"\n[kafka]\npartitions = 6\n')

    assert main(f"trace st-1 --site {site} --config {config}".split()) == 0
    assert "study      received" in capsys.readouterr().out


def test_a_trace_finds_what_is_enveloped_or_escaped_and_passes_over_what_is_neither(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = shard_topics(Config())
    broker = EmbeddedBroker([*names.merged, names.outcomes, names.incidents])
    producer = Producer({"bootstrap.servers": broker.address, "partitioner": "murmur2_random"})
    study = {"site": "north", "study": "stü-1", "state": "received"}
    escaped = json.dumps({**study, "type": "radvigil.study.v1", "state": "stable"}).encode()
    event = {"specversion": "1.0", "type": "radvigil.study.v1", "source": "ris", "id": "7"}
    data = b64encode(orjson.dumps({**study, "state": "cancelled"})).decode()
    incident = {"type": "radvigil.incident.v1", "site": "north", "state": "open"}
    found = {"kind": "missing_output", "reason": "updated", "evidence": {"examples": ["stü-1"]}}
    bare: dict[str, str | bytes | None] = {}
    binary, structured = bare | {"ce_type": event["type"]}, bare | {"content-type": STRUCTURED}
    for topic, value, headers in (
        (names.merged[0], escaped, bare),
        (names.merged[0], orjson.dumps(study), binary),
        (names.merged[0], orjson.dumps(event | {"data": study}), structured),
        (
            names.merged[0],
            orjson.dumps(event | {"data_base64": data}),
            structured,
        ),
        (names.merged[0], orjson.dumps(["stü-1"]), bare),
        (names.merged[0], orjson.dumps({**study, "site": "south", "evidence": "stü-1"}), bare),
        (names.incidents, orjson.dumps(incident | found), bare),
    ):
        producer.produce(topic, key="north", value=value, headers=headers)
        producer.flush()
    config = tmp_path / "radvigil.toml"
    config.write_text(f'broker = "{broker.address}"\n')

    assert main(f"trace stü-1 --site north --config {config}".split()) == 0

    told = [line[20:] for line in capsys.readouterr().out.splitlines()]
    assert sorted(told) == [
        "incident   open missing_output updated",
        "study      cancelled",
        "study      received",
        "study      received",
        "study      stable",
    ]


def test_a_trace_under_another_prefix_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = EmbeddedBroker()
    config = tmp_path / "radvigil.toml"
    config.write_text(f'broker = "{broker.address}"\nprefix = "elsewhere"\n')

    assert main(f"trace st-1 --site north --config {config}".split()) == 1
    assert "there is no topic elsewhere.studies.v1" in capsys.readouterr().err
