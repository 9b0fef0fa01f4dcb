"""Retention took what no worker had read: it is said and counted, nothing false is concluded."""

import re
import time
import urllib.request
from collections import Counter

import msgspec
import orjson
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from streams.loss_marker import HEADER
from streams.state import Now
from tests.integration.brokers import Broker
from tests.integration.console import Console
from tests.integration.fleet import Reader, Row
from tests.integration.patience import ANSWER_S, wait_until
from tests.integration.scene import Scene
from tests.integration.verdict import outcomes
from tests.integration.ward import DEADLINE_S, LATENESS_S, STALE_AFTER_S

pytestmark = pytest.mark.kafka
REKEYED = """
[topics.studies]
rekey = true
[topics.predictions]
rekey = true
"""
UNREAD_N = 20  # results of each partition, while nobody reads
LATE = ("late", 2)  # after missing, which cannot be said of what may be lost


def delete_all(kafka: Broker, topic: str, partitions: int) -> int:
    """Delete every record that the topic has now; how many partitions lost some."""
    client = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
    ends = [TopicPartition(topic, number, -1) for number in range(partitions)]  # -1: to the end
    deleted = [one.result(ANSWER_S) for one in client.delete_records(ends).values()]
    return sum(one.low_watermark > 0 for one in deleted)


def test_results_that_were_deleted_unread_are_counted_and_not_called_missing(
    scene: Scene, kafka: Broker
) -> None:
    scene.start("a")
    lose_results_and_go_on(scene, kafka)

    subjects = {told["subject"] for told in losses_told(scene)}
    assert subjects
    assert all(re.fullmatch(r"partition-\d+ predictions", subject) for subject in subjects)


@pytest.mark.parametrize("scene", [pytest.param(REKEYED, id="rekeyed")], indirect=True)
def test_so_are_those_deleted_before_they_were_rekeyed(scene: Scene, kafka: Broker) -> None:
    scene.ward.keyed_by_site = False
    scene.start("a")
    lose_results_and_go_on(scene, kafka)

    copy = f"{scene.config.prefix}.predictions.keyed.v1"
    markers: dict[int, list[bytes | None]] = {
        number: [] for number in range(scene.config.kafka.partitions)
    }
    for row in scene.reader.rows(copy):
        if HEADER in dict(row.headers):
            markers[row.partition].append(row.value)
    assert markers[0]
    assert len(set(markers[0])) == len(markers[0]), "a loss was told twice"
    assert all(told == markers[0] for told in markers.values())
    assert {told["subject"] for told in losses_told(scene)} == {
        f"partition-{number} predictions" for number in markers
    }
    assert scene.reader.rows(f"{scene.config.prefix}.deadletters.v1") == []


def test_so_are_those_deleted_behind_a_worker_that_runs(scene: Scene, kafka: Broker) -> None:
    """Paused for less than its session it is never assigned anew: it finds the loss as it reads."""
    scene.fleet.tune(session_s=60)
    lose_results_of_a_paused_one(scene, kafka, on=False)


def test_where_nothing_is_left_time_is_asked_for_anew(scene: Scene, kafka: Broker) -> None:
    """What it knew of the broker's time may be of before the pause, and then too early."""
    scene.fleet.tune(session_s=60)
    lose_results_of_a_paused_one(scene, kafka, on=True)


def lose_results_of_a_paused_one(scene: Scene, kafka: Broker, *, on: bool) -> None:
    """What a worker says that was paused while results were deleted, and `on` until it saw that."""
    scene.start("a")
    topic = f"{scene.config.prefix}.predictions.v1"
    assert wait_until(lambda: all_begun(scene), 60)
    scene.fleet.pause("a")
    away_since = time.time()
    leave_unread(kafka, topic, away_since)
    lost_n = delete_all(kafka, topic, scene.config.kafka.partitions)
    scene.fleet.wake("a")

    def found() -> bool:
        if on:
            delete_all(kafka, topic, scene.config.kafka.partitions)
        return scene.fleet.log("a").count("are gone by retention") >= lost_n

    assert wait_until(found, 40)
    lost_until = go_on(scene, topic)
    scene.fleet.stop("a")

    assert scene.fleet.log("a").count("restored") == scene.config.kafka.partitions
    unsaid_of(scene, away_since, lost_until)
    assert {told["subject"] for told in losses_told(scene)} <= {
        f"partition-{number} predictions" for number in range(scene.config.kafka.partitions)
    }
    assert len({told["subject"] for told in losses_told(scene)}) >= lost_n


def go_on(scene: Scene, topic: str) -> float:
    """Until studies from after the loss are told; when it ended."""
    scene.flowing(60)
    time.sleep(DEADLINE_S + LATENESS_S)  # studies from after the loss come due
    scene.ward.stop()
    lost_until = oldest_left(scene, topic)
    late = after(scene, lost_until)
    assert wait_until(lambda: not late - outcomes(rows(scene)), 60)
    return lost_until


def unsaid_of(scene: Scene, away_since: float, lost_until: float) -> set[str]:
    """Studies of which nothing may be concluded; of all others everything is told, and no more."""
    told = outcomes(rows(scene))
    unsaid = scene.ward.expected() - told
    unknown_until_late = {(key, "late", 1) for key, outcome, n in unsaid if (outcome, n) == LATE}
    assert set(told - scene.ward.expected()) <= unknown_until_late
    assert unsaid, "nothing was lost: this has tested nothing"
    began = [scene.ward.sent[key].at for key, _, _ in unsaid]
    assert min(began) > away_since - DEADLINE_S - LATENESS_S - STALE_AFTER_S
    assert max(began) <= lost_until
    return {key for key, _, _ in unsaid}


def lose_results_and_go_on(scene: Scene, kafka: Broker) -> None:
    """Retention takes results while all workers are away; what is said of all studies then."""
    assert wait_until(lambda: all_begun(scene), 60)
    scene.fleet.kill("a")
    away_since = time.time()
    topic = f"{scene.config.prefix}.predictions.v1"
    leave_unread(kafka, topic, away_since)
    assert delete_all(kafka, topic, scene.config.kafka.partitions) > 0

    worker = Console("run", "--config", str(scene.fleet.config), "--http", "127.0.0.1:0")
    try:
        said = worker.until(lambda line: "listening http://" in line)
        worker.until(lambda line: "are gone by retention, unread" in line)
        lost_until = go_on(scene, topic)
        address = re.search(r"http://[\d.]+:\d+", said)
        assert address is not None
        metrics = page(address[0])
    finally:
        worker.close()

    unsaid = unsaid_of(scene, away_since, lost_until)
    assert count(metrics, 'radvigil_noticed_total{what="lost"}') > 0
    assert count(metrics, 'radvigil_dropped_total{reason="result_lost"}') == len(unsaid)


def all_begun(scene: Scene) -> bool:
    """Whether time is proved in every partition: to one that had not begun, nothing is lost."""
    state = scene.reader.rows(f"{scene.config.prefix}.state.v1")
    now = [(row.partition, row.value) for row in state if row.key == b'["now/1"]' and row.value]
    proved = {n for n, value in now if msgspec.msgpack.decode(value, type=Now).watermark_us > 0}
    return len(proved) == scene.config.kafka.partitions


def leave_unread(kafka: Broker, topic: str, since: float) -> None:
    """Until each partition that has records has got some since then."""
    reader = Reader(kafka.bootstrap)  # the scene's own is to find only what is left

    def unread_n() -> int:
        rows = reader.rows(topic)
        counts = Counter(row.partition for row in rows if row.append_ms > since * 1000)
        return min(counts[row.partition] for row in rows)

    try:
        assert wait_until(lambda: unread_n() >= UNREAD_N, 60)
    finally:
        reader.close()


def rows(scene: Scene) -> list[Row]:
    return scene.reader.rows(f"{scene.config.prefix}.outcomes.v1")


def losses_told(scene: Scene) -> list[dict[str, str]]:
    """The incidents that say what the monitor has not seen."""
    told = scene.reader.rows(f"{scene.config.prefix}.incidents.v1")
    messages = [orjson.loads(row.value or b"") for row in told]
    return [message for message in messages if message["kind"] == "data_quality"]


def oldest_left(scene: Scene, topic: str) -> float:
    """When the oldest record that is left in a partition was appended; of all partitions the last.

    Before it something may be lost, of a partition that was idle for a while also long before it.
    """
    oldest_ms: dict[int, int] = {}
    for row in scene.reader.rows(topic):
        oldest_ms.setdefault(row.partition, row.append_ms)
    return max(oldest_ms.values()) / 1000


def after(scene: Scene, at: float) -> Counter[tuple[str, str, int]]:
    """What must be said of the studies that began after it."""
    expected = scene.ward.expected()
    return Counter({key: n for key, n in expected.items() if scene.ward.sent[key[0]].at > at})


def page(address: str) -> str:
    with urllib.request.urlopen(f"{address}/metrics", timeout=ANSWER_S) as answer:
        return str(answer.read().decode())


def count(metrics: str, name: str) -> float:
    """The value of a metric, 0 where it is not there."""
    lines = [line.split() for line in metrics.splitlines() if line.startswith(name)]
    return float(lines[0][-1]) if lines else 0.0
