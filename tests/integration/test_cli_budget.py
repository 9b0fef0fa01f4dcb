"""`budget` as a process: the account of what a worker wrote to a real Kafka, and of nothing."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.integration.brokers import Broker
from tests.integration.console import Console, printed, run
from tests.integration.patience import wait_until

CONFIG = """
prefix = "account{suffix}"
broker = "{broker}"
[kafka]
partitions = 2
replication = 1
[clock]
lateness_s = 1
[budget]
sites = 2
[reference]
observations = 60
[watch]
include = ["acquisition.*"]
"""
WATCHED_N, LEARNING_N = 80, 30


def study(site: str, number: int, began: datetime) -> str:
    return json.dumps(
        {
            "type": "radvigil.study.v1",
            "site": site,
            "study": f"planted-{number}",
            "at": (began + timedelta(minutes=number)).isoformat(),
            "modality": "DX",
            "acquisition": {"kvp": 80 + number % 7},
        }
    )


@pytest.fixture(scope="module")
def reader(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The configuration of a deployment whose worker has written down what it was sent."""
    written = tmp_path_factory.mktemp("budget") / "radvigil.toml"
    written.write_text(CONFIG.format(broker=kafka.bootstrap, suffix=kafka.suffix))
    made = run("topics", "--config", str(written), "--create")
    assert made.returncode == 0, made.stdout
    send(kafka.bootstrap, kafka.suffix)
    worker = Console("run", "--config", str(written))
    try:
        asked = ("budget", "--config", str(written), "--json")
        assert wait_until(lambda: len(sites(printed(*asked))) == 3, 90), worker.text
        assert worker.end() == 0
        yield written
    finally:
        worker.close()


def send(broker: str, suffix: str) -> None:
    producer = Producer(
        {"bootstrap.servers": broker, "partitioner": "murmur2_random", "log_level": 2}
    )
    began = datetime.fromtimestamp(time.time(), UTC) - timedelta(minutes=WATCHED_N)
    for site, n in (("north", WATCHED_N), ("south", LEARNING_N), ("west", LEARNING_N)):
        for number in range(n):
            producer.produce(
                f"account{suffix}.studies.v1", key=site, value=study(site, number, began)
            )
    assert producer.flush(20) == 0


def sites(account: str) -> list[object]:
    """Those that an account in JSON tells of."""
    return list(json.loads(account)["sites"]) if account else []


def account(config: Path, *more: str) -> dict[str, list[dict[str, object]]]:
    ran = run("budget", "--config", str(config), "--json", *more)
    return json.loads(ran.stdout) if ran.returncode == 0 else {"sites": []}


@pytest.mark.kafka
def test_the_account_in_words(reader: Path) -> None:
    ran = run("budget", "--config", str(reader))

    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == "at most 1 false incident in 30 days, shared by 2 sites; 3 seen"
    assert "  north: shares given 1, 0.0156 of its 0.5; 1 series watched, 0 learning" in ran.stdout
    assert re.search(
        r"south: shares given 0, .* 1 learning \(the last has 30 of 60 observations, "
        r"ready in about \d+ \w+ at today's pace\), 0 away",
        ran.stdout,
    )
    assert re.search(
        r"acquisition\.kvp at north: .* half a standard deviation is found after at least about "
        r"\d+ studies, \d+ \w+ at today's pace and a whole one after",
        ran.stdout,
    )
    assert "spent in the last 30 days: 0 incidents opened" in ran.stdout
    assert lines[-1].startswith("warning: 3 sites were seen, 1 more than the 2 that the promise")
    assert "planted" not in ran.stdout


@pytest.mark.kafka
def test_the_account_as_json(reader: Path) -> None:
    told, every = account(reader), account(reader, "--series")

    assert told["sites_beyond"] == 1
    assert len(told["warnings"]) == 1
    assert [one["site"] for one in told["series"]] == ["north"]
    assert [(one["site"], one["standing"]) for one in every["series"]] == [
        ("north", "watching"),
        ("south", "learning"),
        ("west", "learning"),
    ]


@pytest.mark.kafka
def test_every_series_in_words(reader: Path) -> None:
    ran = run("budget", "--config", str(reader), "--series")

    assert re.search(
        r"acquisition\.kvp at west: .* a day; learning, 30 of 60 observations; ready", ran.stdout
    )


@pytest.mark.kafka
def test_topics_that_are_not_there_are_a_sentence(reader: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(reader.read_text().replace('prefix = "account', 'prefix = "elsewhere'))

    ran = run("budget", "--config", str(other))

    assert ran.returncode == 1
    assert ran.stderr.startswith("radvigil: there is no topic elsewhere")


@pytest.mark.parametrize(
    ("broker", "why"),
    [("embedded", "broker is embedded"), ("127.0.0.1:1", "the broker does not answer: 127.0.0.1")],
)
def test_without_a_broker_it_is_a_sentence(tmp_path: Path, broker: str, why: str) -> None:
    config = tmp_path / "radvigil.toml"
    config.write_text(CONFIG.format(broker=broker, suffix=""))

    ran = run("budget", "--config", str(config))

    assert ran.returncode == 1
    assert ran.stderr.startswith(f"radvigil: {why}")
    assert "Traceback" not in ran.stderr
