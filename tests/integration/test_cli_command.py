"""`ack`, `resolve` and their like as processes, with a worker on the embedded broker."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from streams.kafka.embedded import PARTITIONS, EmbeddedBroker
from streams.partitioner import partition_of
from tests.integration.console import Console, run
from tests.integration.patience import wait_until

CONFIG = """
prefix = "act"
broker = "{broker}"
[clock]
lateness_s = 1
[[model]]
name = "ptx"
deadline_s = 1
"""


class Running:
    """A worker with its broker."""

    def __init__(self, folder: Path) -> None:
        config = folder / "worker.toml"
        config.write_text(CONFIG.format(broker="embedded"))
        self.console = Console("run", "--config", str(config), "--log-json")
        said = self.console.until(lambda line: "embedded broker at" in line)
        found = re.search(r"embedded broker at (\S+):", str(json.loads(said)["event"]))
        assert found is not None
        self.broker = found[1]
        self.config = folder / "reader.toml"
        self.config.write_text(CONFIG.format(broker=self.broker))

    def miss(self, site: str) -> None:
        """A study that nobody answers."""
        producer = Producer(
            {"bootstrap.servers": self.broker, "partitioner": "murmur2_random", "log_level": 2}
        )
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        study = {"type": "radvigil.study.v1", "site": site, "study": "a", "modality": "DX"}
        producer.produce("act.studies.v1", key=site, value=json.dumps({**study, "at": at}))
        assert producer.flush(20) == 0

    def incidents(self) -> list[dict[str, object]]:
        ran = run("incidents", "--config", str(self.config), "--json", "--all")
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def act(self, verb: str, *words: str) -> CompletedProcess[str]:
        return run(verb, "--config", str(self.config), "--as", "night-shift", *words)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("act"))
    try:
        for site in ("north", "south"):
            running.miss(site)
        assert wait_until(lambda: len(running.incidents()) == 2, 60), running.console.text
        yield running
    finally:
        running.console.close()


def at(worker: Running, site: str) -> dict[str, object]:
    (one,) = [incident for incident in worker.incidents() if incident["site"] == site]
    return one


def test_an_incident_is_acknowledged_once_however_often_it_is_sent(worker: Running) -> None:
    incident = str(at(worker, "north")["incident"])
    words = (incident[:8], "--until", "2h", "--command-id", "once")

    first, again = worker.act("ack", *words), worker.act("ack", *words)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert first.stdout == f"accepted: acknowledge, incident {incident} (seq 2)\n"
    assert again.stdout == "accepted: acknowledge, once was taken before\n"
    now = at(worker, "north")
    assert (now["state"], now["seq"], now["actor"]) == ("acknowledged", 2, "night-shift")
    assert now["acknowledged_until"]


def test_a_stale_one_is_rejected_with_the_seq_to_look_at(worker: Running) -> None:
    incident = str(at(worker, "north")["incident"])

    ran = worker.act("note", incident, "--seq", "1", "--text", "late", "--json")

    told = json.loads(ran.stdout)
    assert ran.returncode == 3
    assert (told["accepted"], told["reason"], told["seq"]) == (False, "stale_seq", 2)


def test_what_matches_nothing_is_rejected(worker: Running) -> None:
    ran = worker.act("resolve", "--site", "north", "--match", "model=cxr")

    assert ran.returncode == 3
    assert ran.stdout.startswith("rejected: resolve, nothing_matched: ")


def test_what_matches_is_resolved_at_its_site_alone(worker: Running) -> None:
    ran = worker.act("resolve", "--site", "south", "--match", "model=ptx")

    assert ran.returncode == 0, ran.stderr
    assert (at(worker, "south")["state"], at(worker, "north")["state"]) == (
        "resolved",
        "acknowledged",
    )


def test_an_id_that_nobody_has_is_rejected(worker: Running) -> None:
    ran = worker.act("ack", "00000000-0000")

    assert (ran.returncode, ran.stdout) == (
        3,
        "rejected: no incident's id begins with 00000000-0000\n",
    )


def test_a_broker_that_goes_away_meanwhile_is_no_traceback(worker: Running) -> None:
    """The last that needs the worker: it ends it, and its broker."""
    words = ("--site", "nowhere", "--match", "model=ptx", "--wait", "10")
    waiting = Console("ack", "--config", str(worker.config), *words)
    try:
        assert worker.console.end() == 0
        assert waiting.wait() in (1, 3)  # the reply may have come before
        assert "Traceback" not in waiting.text
    finally:
        waiting.close()

    ran = worker.act("ack", "--site", "north", "--match", "model=ptx", "--wait", "1")

    assert ran.returncode == 1
    assert ran.stderr.startswith("radvigil: the broker ")
    assert "does not answer" in ran.stderr


def test_without_a_worker_there_is_no_reply_and_the_command_is_there(tmp_path: Path) -> None:
    topics = ("act.commands.v1", "act.replies.v1")
    broker = EmbeddedBroker(topics)
    config = tmp_path / "radvigil.toml"
    config.write_text(CONFIG.format(broker=broker.address))
    words = ("--site", "north", "--match", "model=ptx", "--command-id", "c-1")

    ran = run("ack", "--config", str(config), "--as", "ada", *words, "--wait", "1")

    assert ran.returncode == 1
    assert ran.stderr == (
        "sent, no reply within 1 s: it is carried out when a worker gets to it. To ask again: "
        "--command-id c-1\n"
    )
    sent = first_of(broker.address, topics[0])
    assert (sent["action"], sent["actor"], sent["command_id"]) == ("acknowledge", "ada", "c-1")


def first_of(broker: str, topic: str) -> dict[str, object]:
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": "reader", "auto.offset.reset": "earliest"}
    )
    consumer.assign([TopicPartition(topic, partition_of("north", PARTITIONS), 0)])
    message = consumer.poll(20)
    consumer.close()
    assert message is not None
    assert message.error() is None
    assert message.key() == b"north"
    found: dict[str, object] = json.loads(message.value() or b"")
    return found


def test_topics_that_are_not_there_are_a_sentence(tmp_path: Path) -> None:
    config = tmp_path / "radvigil.toml"
    broker = EmbeddedBroker()
    config.write_text(CONFIG.format(broker=broker.address))

    ran = run("ack", "--config", str(config), "--site", "north", "--match", "model=ptx")

    assert ran.returncode == 1
    assert ran.stderr.startswith("radvigil: ")
    assert "Traceback" not in ran.stderr


def test_a_wrong_configuration_ends_with_2(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text('brooker = "embedded"\n')

    ran = run("ack", "--config", str(config), "12345678")

    assert ran.returncode == 2
    assert "brooker" in ran.stderr
