"""`topics` on a real Kafka: what is there, what differs, and making it."""

import json
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.config_file import load
from schemas.topics import topics_of
from tests.integration.brokers import Broker
from tests.integration.console import run
from tests.integration.patience import ANSWER_S

pytestmark = pytest.mark.kafka
CONFIG = """
prefix = "{prefix}"
broker = "{broker}"
[kafka]
partitions = 2
replication = 1
[[model]]
name = "ptx"
"""


def config_of(kafka: Broker, folder: Path, prefix: str) -> str:
    path = folder / "radvigil.toml"
    path.write_text(CONFIG.format(prefix=prefix + kafka.suffix, broker=kafka.bootstrap))
    return str(path)


def test_topics_are_missing_then_made_then_as_wanted(kafka: Broker, tmp_path: Path) -> None:
    config = config_of(kafka, tmp_path, "made")

    missing = run("topics", "--config", config)
    made = run("topics", "--config", config, "--create")
    again = run("topics", "--config", config, "--json")

    assert (missing.returncode, made.returncode, again.returncode) == (1, 0, 0)
    assert f"made{kafka.suffix}.studies.v1: not there" in missing.stdout
    assert "--create" in missing.stdout
    assert f"created made{kafka.suffix}.state.v1" in made.stdout
    shown = {topic["name"]: topic for topic in json.loads(again.stdout)}
    wanted = {spec.name(f"made{kafka.suffix}") for spec in topics_of(load(config))}
    assert set(shown) == wanted
    assert all(topic["exists"] and not topic["differences"] for topic in shown.values())
    assert shown[f"made{kafka.suffix}.state.v1"]["settings"]["cleanup.policy"] == "compact"
    assert shown[f"made{kafka.suffix}.studies.v1"]["partitions"] == 2


def test_what_differs_is_said_in_words_and_left_alone(kafka: Broker, tmp_path: Path) -> None:
    config = config_of(kafka, tmp_path, "odd")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    stamped = {"message.timestamp.type": "CreateTime"}
    topic = f"odd{kafka.suffix}.studies.v1"
    admin.create_topics([NewTopic(topic, 3, 1, config=stamped)])[topic].result(ANSWER_S)

    ran = run("topics", "--config", config, "--create")

    assert ran.returncode == 1
    assert "partitions is 3, wanted is 2" in ran.stdout
    assert "No worker starts with it." in ran.stdout
    assert "message.timestamp.type is CreateTime, wanted is LogAppendTime" in ran.stdout
    assert "1 different from what is wanted" in ran.stdout


def test_run_refuses_topics_that_do_not_fit(kafka: Broker, tmp_path: Path) -> None:
    config = config_of(kafka, tmp_path, "unfit")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    topic = f"unfit{kafka.suffix}.studies.v1"
    admin.create_topics([NewTopic(topic, 3, 1)])[topic].result(ANSWER_S)

    ran = run("run", "--config", config)

    assert ran.returncode == 4
    assert f"unfit{kafka.suffix}.studies.v1: partitions is 3, wanted 2" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_incidents_of_topics_that_are_not_there_says_what_to_do(
    kafka: Broker, tmp_path: Path
) -> None:
    ran = run("incidents", "--config", config_of(kafka, tmp_path, "nowhere"))

    assert ran.returncode == 1
    topic = f"nowhere{kafka.suffix}.incidents.v1"
    assert f"there is no topic {topic}: `radvigil topics --create`" in ran.stderr
    names = AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=ANSWER_S).topics
    assert topic not in names


def test_no_broker_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "radvigil.toml"
    path.write_text(CONFIG.format(prefix="none", broker="127.0.0.1:1"))

    ran = run("topics", "--config", str(path))

    assert ran.returncode == 1
    assert ran.stderr.startswith("radvigil: the broker does not answer: 127.0.0.1:1")
    assert "Traceback" not in ran.stderr
