"""`run` and `incidents` as processes, on the embedded broker: what an operator sees."""

import json
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.integration.console import Console, run
from tests.integration.patience import ANSWER_S, wait_until

CONFIG = """
prefix = "cli"
broker = "{broker}"
[clock]
lateness_s = 1
[[model]]
name = "ptx"
deadline_s = 1
owner = "imaging-ai-oncall"
criticality = "critical"
"""
STUDY = (
    '{{"type":"radvigil.study.v1","site":"north","study":"planted-study-4711",'
    '"at":"{at}","modality":"DX","patient":{{"key":"planted-patient"}}}}'
)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Running:
    """A worker with its broker and its addresses."""

    def __init__(self, folder: Path) -> None:
        config = folder / "radvigil.toml"
        config.write_text(CONFIG.format(broker="embedded"))
        self.console = Console(
            "run", "--config", str(config), "--http", "127.0.0.1:0", "--log-json"
        )
        self.url = self._event("listening http://").removeprefix("listening ")
        found = re.search(r"embedded broker at (\S+):", self._event("embedded broker at"))
        assert found is not None
        self.broker = found[1]
        self.config = folder / "reader.toml"
        self.config.write_text(CONFIG.format(broker=self.broker))

    def _event(self, text: str) -> str:
        return str(json.loads(self.console.until(lambda line: text in line))["event"])

    def send(self, topic: str, value: str) -> None:
        producer = Producer(
            {"bootstrap.servers": self.broker, "partitioner": "murmur2_random", "log_level": 2}
        )
        producer.produce(f"cli.{topic}.v1", key="north", value=value)
        assert producer.flush(20) == 0


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("run"))
    try:
        assert wait_until(lambda: get(f"{running.url}/readyz")[0] == 200, 60)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        running.send("studies", STUDY.format(at=at))
        running.send("studies", "not json: planted-study-4711")
        for counted in ('kind="missing"', "radvigil_dead_letters_total{"):
            assert wait_until(lambda: counted in get(f"{running.url}/metrics")[1], 60)  # noqa: B023
        yield running
    finally:
        running.console.close()


def test_metrics_count_what_happened_and_name_nobody(worker: Running) -> None:
    _, text = get(f"{worker.url}/metrics")

    assert 'radvigil_events_total{result="handled",type="study"} 1.0' in text
    assert 'radvigil_dead_letters_total{reason="not_json"} 1.0' in text
    assert 'radvigil_outcomes_total{kind="missing",model="ptx",site="north"} 1.0' in text
    assert "radvigil_partitions 4.0" in text
    for partition in "0123":
        lag = re.search(rf'radvigil_lag_seconds{{partition="{partition}"}} (\S+)', text)
        assert lag is not None
        assert float(lag[1]) < 10
        assert f'radvigil_watermark_age_seconds{{partition="{partition}"}}' in text
    assert "planted" not in text


def test_health_and_readiness(worker: Running) -> None:
    assert get(f"{worker.url}/healthz") == (200, '{"alive":true}\n')
    status, text = get(f"{worker.url}/readyz")
    assert (status, json.loads(text)["partitions"]) == (200, [0, 1, 2, 3])


def test_incidents_shows_what_is_open(worker: Running) -> None:
    ran = run("incidents", "--config", str(worker.config))

    assert ran.returncode == 0, ran.stderr
    first, last = ran.stdout.splitlines()
    assert first[9:].startswith("open         critical ptx at north gives no result")
    assert "1 study, with nobody (owner imaging-ai-oncall)" in first
    assert last == "1 incident is open; 0 are over."
    assert "planted" not in ran.stdout


def test_incidents_as_json_are_as_on_kafka(worker: Running) -> None:
    ran = run("incidents", "--config", str(worker.config), "--json", "--site", "north")

    (line,) = ran.stdout.splitlines()
    told = json.loads(line)
    assert (told["type"], told["state"], told["seq"]) == ("radvigil.incident.v1", "open", 1)


def test_incidents_of_another_site_are_not_shown(worker: Running) -> None:
    ran = run("incidents", "--config", str(worker.config), "--site", "south")

    assert ran.stdout == "Nothing is open; 0 are over.\n"


def test_following_tells_what_a_person_does(worker: Running) -> None:
    listed = run("incidents", "--config", str(worker.config), "--json").stdout
    follower = Console("incidents", "--config", str(worker.config), "--follow")
    try:
        follower.until(lambda line: "1 incident is open" in line)
        command = {
            "type": "radvigil.command.v1",
            "command_id": "c-1",
            "site": "north",
            "action": "acknowledge",
            "incident": json.loads(listed)["incident"],
            "actor": "night-shift",
            "origin": "test",
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        worker.send("commands", json.dumps(command))

        told = follower.until(lambda line: "acknowledged" in line)
        assert "ptx at north" in told
        assert follower.end(signal.SIGINT) == 0
    finally:
        follower.close()
    who = run("incidents", "--config", str(worker.config)).stdout
    assert "with night-shift" in who


def test_a_stopped_worker_ends_with_0_and_has_named_nobody(worker: Running) -> None:
    """The last of this file: it ends the worker of the others."""
    assert worker.console.end() == 0
    assert "planted" not in worker.console.text


def test_incidents_without_a_broker_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        config = tmp_path / "c.toml"
        config.write_text(CONFIG.format(broker=f"127.0.0.1:{taken.getsockname()[1]}"))

        ran = run("incidents", "--config", str(config))

    assert ran.returncode == 1
    assert "does not answer" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("command", ["incidents", "run", "topics"])
def test_a_wrong_configuration_ends_with_2(command: str, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text('brooker = "embedded"\n')

    ran = run(command, "--config", str(config))

    assert ran.returncode == 2
    assert "brooker" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_port_in_use_ends_with_2(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(CONFIG.format(broker="embedded"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ran = run("run", "--config", str(config), "--http", f"127.0.0.1:{port}")

    assert ran.returncode == 2
    assert f"127.0.0.1:{port}" in ran.stderr


def test_topics_of_the_embedded_broker_are_explained(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(CONFIG.format(broker="embedded"))

    ran = run("topics", "--config", str(config))

    assert ran.returncode == 0
    assert "cli.studies.v1" in ran.stdout
    assert "made when a worker starts" in ran.stdout


def test_what_the_embedded_broker_cannot_do_is_said_and_not_tried(tmp_path: Path) -> None:
    config = tmp_path / "rekeyed.toml"
    config.write_text(CONFIG.format(broker="embedded") + "[topics.studies]\nrekey = true\n")

    ran = run("run", "--config", str(config))

    assert ran.returncode == 4
    assert "rekey = true needs a Kafka" in ran.stderr
