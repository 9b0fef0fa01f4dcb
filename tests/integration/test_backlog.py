"""A backlog is read in the order in which it happened: nothing is missing that lies further on."""

import time
from collections.abc import Sequence

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from streams.kafka.topics_admin import TopicsAdmin
from tests.integration.patience import ANSWER_S
from tests.integration.scene import Scene

pytestmark = pytest.mark.kafka


INPUTS = ("studies", "predictions")


def create_stamped_by_producers(scene: Scene, stems: Sequence[str] = INPUTS) -> None:
    """Topics whose records keep the times that their producer gives: a past that can be written."""
    client = AdminClient({"bootstrap.servers": scene.kafka.bootstrap})
    topics = [
        NewTopic(
            f"{scene.config.prefix}.{stem}.v1",
            num_partitions=scene.config.kafka.partitions,
            replication_factor=1,
            config={"message.timestamp.type": "CreateTime"},
        )
        for stem in stems
    ]
    for future in client.create_topics(topics).values():
        future.result(ANSWER_S)
    TopicsAdmin(scene.config).create()


def stamp_by_broker(scene: Scene) -> None:
    """As production has it, from now on."""
    client = AdminClient({"bootstrap.servers": scene.kafka.bootstrap})
    entry = ConfigEntry(
        "message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET
    )
    resources = [
        ConfigResource(
            ResourceType.TOPIC, f"{scene.config.prefix}.{stem}.v1", incremental_configs=[entry]
        )
        for stem in INPUTS
    ]
    for future in client.incremental_alter_configs(resources).values():
        future.result(ANSWER_S)


def test_a_backlog_of_an_hour_read_at_once(scene: Scene) -> None:
    create_stamped_by_producers(scene)
    scene.ward.past_hour(8000)
    scene.ward.flush()
    stamp_by_broker(scene)

    scene.fleet.start("a", "b")
    scene.flowing()

    found = scene.verdict()
    assert len(found.outcomes) > 8000


def test_a_restart_with_deadlines_long_past_calls_nothing_missing(scene: Scene) -> None:
    scene.ward.troubled = False
    scene.start("a")
    scene.fleet.kill("a")
    time.sleep(6)  # the time away is the test: twice deadline and lateness
    scene.fleet.start("a")
    scene.flowing()

    found = scene.verdict()
    assert not [row for row in found.outcomes if b'"missing"' in (row.value or b"")]
    assert not [row for row in found.incidents if b'"missing_output"' in (row.value or b"")]


def test_a_state_and_inputs_that_the_broker_does_not_stamp_blind_nobody(
    scene: Scene,
) -> None:
    create_stamped_by_producers(scene, ["reports", "commands", "state"])
    scene.ward.troubled = False
    scene.start("a")

    found = scene.verdict(replay=False)

    assert not [row for row in found.incidents if b'"missing_output"' in (row.value or b"")]
