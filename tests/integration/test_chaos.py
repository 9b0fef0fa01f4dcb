"""Whatever happens to the workers and the broker: nothing lost, nothing false, nothing doubled."""

import time

import pytest

from tests.integration.scene import Scene

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
    time.sleep(15)  # the outage is the test: longer than session and transaction timeout
    scene.kafka.start()
    scene.flowing(60)

    scene.verdict()
