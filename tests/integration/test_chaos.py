"""Whatever happens to the workers and the broker: nothing lost, nothing false, nothing doubled."""

import time
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from streams.serve import EXIT_UNFIT
from tests.integration.patience import ANSWER_S, wait_until
from tests.integration.scene import Scene
from tests.integration.verdict import Left
from tests.integration.ward import LATENESS_S, STALE_AFTER_S

pytestmark = pytest.mark.kafka


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
    time.sleep(60)  # the outage is the test: longer than session and transaction timeout
    scene.kafka.start()
    scene.flowing(60)

    scene.verdict()


def test_a_worker_that_was_away_too_long_says_so_and_calls_nothing_missing(scene: Scene) -> None:
    scene.start("a")

    scene.fleet.kill("a")
    time.sleep(STALE_AFTER_S + LATENESS_S + 4)  # the absence is the test
    scene.fleet.start("a")
    scene.flowing(60)

    found = scene.verdict()
    stale = [m for m in incidents(found) if m["kind"] == "monitor_stale"]
    states = {(m["subject"], m["state"]) for m in stale}
    partitions = {m["subject"] for m in stale}
    assert partitions
    assert states >= {(one, state) for one in partitions for state in ("open", "resolved")}


def incidents(found: Left) -> list[dict[str, Any]]:
    return [orjson.loads(row.value or b"") for row in found.incidents]


def test_a_fenced_worker_starts_over_in_place(scene: Scene) -> None:
    scene.start("a")

    usurper = Producer(
        {
            "bootstrap.servers": scene.kafka.bootstrap,
            "transactional.id": f"{scene.config.prefix}-0",
        }
    )
    usurper.init_transactions(30)
    assert wait_until(lambda: "restarted in place" in scene.fleet.log("a"), 40)
    scene.flowing(60)

    assert scene.fleet.is_running("a")
    scene.verdict()


def test_a_recreated_topic_is_refused_and_nothing_is_changed(scene: Scene) -> None:
    scene.start("a")
    scene.verdict()
    name = f"{scene.config.prefix}.predictions.v1"
    before = scene.reader.rows(f"{scene.config.prefix}.state.v1")

    admin = AdminClient({"bootstrap.servers": scene.kafka.bootstrap})
    (deleted,) = admin.delete_topics([name]).values()
    deleted.result(ANSWER_S)
    assert wait_until(lambda: not scene.reader.partitions(name), 30)
    scene.fleet.start("a")

    assert scene.fleet.wait("a") == EXIT_UNFIT
    assert "the topic was recreated" in scene.fleet.log("a")
    assert len(scene.reader.rows(f"{scene.config.prefix}.state.v1")) == len(before)
