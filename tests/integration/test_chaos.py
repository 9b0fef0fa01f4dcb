"""Whatever happens to the workers and the broker: nothing lost, nothing false, nothing doubled."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from schemas.config import Config
from tests.integration.fleet import Fleet, Reader, wait_until
from tests.integration.kafka_rig import Kafka
from tests.integration.verdict import gaps, kept, left, outcomes, published, replayed
from tests.integration.ward import Ward, config_toml

pytestmark = pytest.mark.kafka


class Scene:
    """A broker, a fleet of workers, a stream, and the verdict at the end."""

    def __init__(self, kafka: Kafka, folder: Path, prefix: str) -> None:
        self.kafka = kafka
        toml = config_toml(prefix, kafka.bootstrap)
        self.config = msgspec.toml.decode(toml, type=Config)
        self.fleet = Fleet(folder, toml)
        self.reader = Reader(kafka.bootstrap)
        self.ward = Ward(kafka.bootstrap, prefix)

    def outcomes_n(self) -> int:
        return len(self.reader.rows(f"{self.config.prefix}.outcomes.v1"))

    def flowing(self, seconds: float = 40) -> None:
        """Wait until workers publish outcomes that were not there before."""
        before = self.outcomes_n()
        assert wait_until(lambda: self.outcomes_n() > before, seconds), "no outcome came"

    def start(self, *names: str) -> None:
        """Workers first: they create the topics."""
        self.fleet.start(*names)
        topic = f"{self.config.prefix}.state.v1"
        assert wait_until(lambda: bool(self.reader.partitions(topic)), 30), "no topics"
        self.ward.start()
        self.flowing()

    def verdict(self) -> None:
        """End the stream, let the workers finish and stop, and compare all there is."""
        self.ward.stop()
        expected = self.ward.expected()
        done = wait_until(lambda: self.outcomes_n() >= expected.total(), 60)
        codes = self.fleet.stop()
        found = left(self.reader, self.config)
        said = outcomes(found.outcomes)
        assert said - expected == {}, "false or doubled"
        assert expected - said == {}, "lost"
        assert done
        assert gaps(found.incidents) == {}
        assert set(codes) == {0}
        for partition in range(self.config.kafka.partitions):
            again = replayed(found, partition)
            assert published(found.outcomes, partition) == again.effects["outcomes"]
            assert published(found.incidents, partition) == again.effects["incidents"]
            assert published(found.series, partition) == again.effects["series"]
            assert kept(found.state[partition]) == kept(again.state)


@pytest.fixture
def scene(kafka: Kafka, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    scene = Scene(kafka, tmp_path, request.node.name.replace("_", "-")[5:60])
    yield scene
    scene.fleet.close()
    scene.reader.close()


def test_kill_9_of_one_or_both_again_and_again(scene: Scene) -> None:
    scene.start("a", "b")

    for victims in (("a",), ("b",), ("a", "b"), ("a",), ("a", "b")):
        scene.fleet.kill(*victims)
        scene.fleet.start(*victims)
        scene.flowing()

    scene.verdict()


def test_a_rebalance_under_load(scene: Scene) -> None:
    scene.start("a")

    scene.fleet.start("b")
    scene.flowing()
    scene.fleet.start("c")
    scene.flowing()
    assert scene.fleet.stop("a") == [0]
    scene.flowing()
    assert scene.fleet.stop("c") == [0]
    scene.flowing()

    scene.verdict()


def test_a_worker_paused_beyond_its_session_and_woken(scene: Scene) -> None:
    scene.start("a", "b")

    for sleeper in ("a", "b"):
        scene.fleet.pause(sleeper)
        time.sleep(9)  # the pause is the test: longer than the session of 5 s
        scene.flowing()
        scene.fleet.wake(sleeper)
        scene.flowing()

    scene.verdict()


def test_a_broker_restart_and_a_time_without_broker(scene: Scene) -> None:
    scene.start("a", "b")

    scene.kafka.stop()
    scene.kafka.start()
    scene.flowing(60)
    scene.kafka.stop()
    time.sleep(15)  # the outage is the test: longer than session and transaction timeout
    scene.kafka.start()
    scene.flowing(60)

    scene.verdict()
