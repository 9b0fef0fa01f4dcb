"""`reference` as a process: exported, imported elsewhere and restored, on a real Kafka."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.integration.brokers import Broker
from tests.integration.console import Console, printed, run
from tests.integration.patience import wait_until

CONFIG = """
prefix = "refs{suffix}"
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
include = ["acquisition.kvp"]
"""
WATCHED_N = 80


def send(broker: str, suffix: str) -> None:
    settings = {"bootstrap.servers": broker, "partitioner": "murmur2_random", "log_level": 2}
    producer, now = Producer(settings), datetime.fromtimestamp(time.time(), UTC)
    for number in range(WATCHED_N):
        study = {
            "type": "radvigil.study.v1",
            "site": "north",
            "study": f"planted-{number}",
            "at": (now - timedelta(minutes=WATCHED_N - number)).isoformat(),
            "modality": "DX",
            "acquisition": {"kvp": 80 + number % 7},
        }
        producer.produce(f"refs{suffix}.studies.v1", key="north", value=json.dumps(study))
    assert producer.flush(20) == 0


def listed(config: Path, site: str) -> list[dict[str, Any]]:
    ran = run("reference", "list", "--config", str(config), "--site", site, "--json")
    return [json.loads(line) for line in ran.stdout.splitlines()] if ran.returncode == 0 else []


@pytest.fixture
def config(kafka: Broker, tmp_path: Path) -> Iterator[Path]:
    """The configuration of a deployment whose worker runs, and watches north."""
    written = tmp_path / "radvigil.toml"
    written.write_text(CONFIG.format(broker=kafka.bootstrap, suffix=kafka.suffix))
    made = run("topics", "--config", str(written), "--create")
    assert made.returncode == 0, made.stdout
    send(kafka.bootstrap, kafka.suffix)
    worker = Console("run", "--config", str(written))
    try:
        asked = ("reference", "list", "--config", str(written), "--site", "north", "--json")
        assert wait_until(lambda: printed(*asked) != "", 90), worker.text
        yield written
        assert worker.end() == 0
    finally:
        worker.close()


@pytest.mark.kafka
def test_a_reference_goes_from_site_to_site_and_back_in_time(config: Path, tmp_path: Path) -> None:
    told = ("--config", str(config))
    exported = run("reference", "export", *told, "--site", "north")
    assert exported.returncode == 0, exported.stderr
    assert "planted" not in exported.stdout
    file = tmp_path / "north.jsonl"
    file.write_text(exported.stdout)

    elsewhere = run("reference", "import", *told, "--site", "south", "--as", "kim", str(file))
    own = run("reference", "import", *told, "--as", "kim", str(file))
    back = run(
        *("reference", "restore", *told, "--site", "north"),
        *("--subject", "acquisition.kvp", "--as", "kim"),
    )
    unknown = run(
        *("reference", "restore", *told, "--site", "north"),
        *("--subject", "acquisition.kvp", "--number", "9", "--as", "kim"),
    )

    assert elsewhere.stdout.startswith("taken up: 1 of 1, on trial"), elsewhere.stderr
    assert (own.returncode, own.stdout) == (0, "taken up: 1 of 1, in force\n")
    assert (back.returncode, back.stdout) == (0, "restored: 1 series\n")
    assert unknown.returncode == 3
    (north,), (south,) = listed(config, "north"), listed(config, "south")
    numbers = [(one["number"], one["origin"]) for one in north["references"]]
    assert numbers == [(1, "restored"), (2, "shipped")]
    assert south["on_trial"] is True
