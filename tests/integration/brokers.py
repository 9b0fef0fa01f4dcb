"""Where a real Kafka for the tests comes from: a named one, the published jars, or Docker."""

import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path
from typing import Protocol

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.integration.kafka_rig import KAFKA, Kafka, Unavailable, free_port
from tests.integration.patience import SLOWER

NAMED = "RADVIGIL_TEST_KAFKA"


class Broker(Protocol):
    """What tests do with a broker. `suffix` keeps the topics of one run apart from another's."""

    bootstrap: str
    suffix: str

    def start(self) -> None:
        """Start it, or find that it answers."""

    def stop(self) -> None:
        """Take it away; its data stay."""

    def close(self) -> None:
        """The session is over."""


def broker(folder: Path) -> Broker:
    """The broker named in RADVIGIL_TEST_KAFKA, else one of our own, by jars or by Docker.

    Raises Unavailable, which says what is missing for each.
    """
    if named := os.environ.get(NAMED):
        return NamedBroker(named)
    try:
        return Kafka(folder)
    except Unavailable as no_jars:
        try:
            return DockerBroker()
        except Unavailable as no_docker:
            raise Unavailable(f"{no_jars}; {no_docker}; {NAMED} names none") from None


class NamedBroker:
    """Somebody's broker: tests that take a broker away are skipped."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.suffix = f"-{uuid.uuid4().hex[:8]}"

    def start(self) -> None:
        """Raises Unavailable when it does not answer within 20 s."""
        if not _answers(self.bootstrap, 20):
            raise Unavailable(f"{NAMED} names {self.bootstrap}, which does not answer")

    def stop(self) -> None:
        pytest.skip(f"{self.bootstrap} is not ours to stop")

    def close(self) -> None:
        """It goes on without us."""


class DockerBroker:
    """One node of the published image, on a free loopback port."""

    suffix = ""

    def __init__(self) -> None:
        if shutil.which("docker") is None or not _docker("info"):
            raise Unavailable("no Docker engine answers")
        port, controller = free_port(), 9093
        self.bootstrap = f"127.0.0.1:{port}"
        self._name = f"radvigil-test-{uuid.uuid4().hex[:8]}"
        settings = {
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_LISTENERS": f"PLAINTEXT://:9092,CONTROLLER://:{controller}",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{self.bootstrap}",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@localhost:{controller}",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "2000",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        }
        environment = [part for pair in settings.items() for part in ("-e", "=".join(pair))]
        ports = ["-p", f"127.0.0.1:{port}:9092"]
        image = f"apache/kafka:{KAFKA}"
        if not _docker("create", "--name", self._name, *ports, *environment, image):
            raise Unavailable(f"Docker has no {image}")

    def start(self) -> None:
        """Start the container and wait until the broker answers."""
        if not _docker("start", self._name) or not _answers(self.bootstrap, 60 * SLOWER):
            raise RuntimeError(f"Kafka in {self._name} did not start, see docker logs")

    def stop(self) -> None:
        _docker("stop", self._name)

    def close(self) -> None:
        _docker("rm", "--force", "--volumes", self._name)


def _docker(*arguments: str) -> bool:
    ran = subprocess.run(
        ["docker", *arguments], capture_output=True, timeout=300, check=False, text=True
    )
    return ran.returncode == 0


def _answers(bootstrap: str, seconds: float) -> bool:
    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            client.list_topics(timeout=2)
        except KafkaException:
            continue
        return True
    return False
