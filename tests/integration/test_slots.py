"""Static membership: a worker that comes back in its slot within its session moves nothing."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from tests.integration.brokers import Broker
from tests.integration.fleet import Fleet
from tests.integration.patience import ANSWER_S, wait_until
from tests.integration.scene import Scene
from tests.integration.ward import config_toml

pytestmark = pytest.mark.kafka
SESSION_S = 60.0


def partitions_of(kafka: Broker, group: str) -> dict[str, set[tuple[str, int]]]:
    """What the broker says each slot has."""
    client = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
    described = client.describe_consumer_groups([group])[group].result(ANSWER_S)
    return {
        member.group_instance_id: {
            (place.topic, place.partition) for place in member.assignment.topic_partitions
        }
        for member in described.members
    }


def sizes(slots: dict[str, set[tuple[str, int]]]) -> list[int]:
    return sorted(map(len, slots.values()))


def restores(fleet: Fleet, name: str) -> int:
    """How many partitions a worker has taken over since its log began."""
    return fleet.log(name).count(": restored ")


def test_a_restart_within_the_session_moves_no_partition(kafka: Broker, tmp_path: Path) -> None:
    prefix = f"slots{kafka.suffix}"
    scene = Scene(kafka, tmp_path, prefix)
    fleet = scene.fleet = Fleet(tmp_path, "", session_s=SESSION_S)
    for name in ("a", "b"):
        instance = f'instance = "slot-{name}"'
        fleet.configure(name, config_toml(prefix, kafka.bootstrap, instance))
    try:
        scene.start("a", "b")
        assert wait_until(lambda: sizes(partitions_of(kafka, prefix)) == [12, 12], 60)
        scene.flowing(60)
        before = partitions_of(kafka, prefix)
        mine, others = restores(fleet, "a"), restores(fleet, "b")

        fleet.kill("a")
        fleet.start("a")
        assert wait_until(lambda: restores(fleet, "a") == mine + 3, 60)
        scene.flowing(60)

        assert set(before) == {"slot-a", "slot-b"}
        assert partitions_of(kafka, prefix) == before
        assert restores(fleet, "b") == others
        scene.verdict()
    finally:
        scene.close()
