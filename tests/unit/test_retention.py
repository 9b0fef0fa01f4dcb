"""Records deleted behind a worker while it runs: found, told in their place, and nothing false."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from schemas.incident import Incident
from schemas.outcome import Outcome
from streams.kafka.broker_clock import BrokerClock
from streams.kafka.recreated import Recreated
from streams.shard import UnfitState
from tests.unit.reading import Broker, Worker
from tests.unit.test_lost import result
from tests.unit.test_shard import COMMANDS, PREDICTIONS, REPORTS, STUDIES, study


async def begun() -> tuple[Broker, Worker]:
    """A worker that has read a study and its result, and an hour of nothing."""
    broker = Broker()
    broker.add(STUDIES, study("before", 0))
    broker.add(PREDICTIONS, result("before", 0))
    worker = Worker(broker)
    broker.now_s = 3600
    await worker.read()
    worker.checkpoint()
    return broker, worker


def add(broker: Broker, key: str, at_s: float, *, answered: bool = True) -> None:
    broker.now_s = at_s
    broker.add(STUDIES, study(key, at_s))
    if answered:
        broker.add(PREDICTIONS, result(key, at_s))


def outcomes(worker: Worker) -> dict[str, str]:
    return {told.study: told.outcome for told in worker.told if isinstance(told, Outcome)}


def losses(worker: Worker) -> list[Incident]:
    told = [one for one in worker.told if isinstance(one, Incident)]
    return [one for one in told if one.kind == "data_quality" and one.reason != "updated"]


@pytest.mark.parametrize("between", [False, True])
async def test_what_is_deleted_behind_a_worker_is_told_and_nothing_of_it_called_missing(
    between: bool,
) -> None:
    broker, worker = await begun()
    add(broker, "lost", 3700)
    add(broker, "never", 3701, answered=False)
    broker.delete(PREDICTIONS)
    add(broker, "left", 3800)
    add(broker, "missing", 3801, answered=False)

    await worker.fetch(PREDICTIONS, between=between)
    broker.now_s = 9000
    await worker.read()
    worker.checkpoint()

    assert outcomes(worker) == {"before": "on_time", "left": "on_time", "missing": "missing"}
    opened, recovering, resolved = losses(worker)
    assert (opened.state, recovering.state, resolved.state) == ("open", "resolving", "resolved")
    assert opened.subject == "partition-0 predictions"
    assert opened.title == (
        "1 predictions on partition 0 were deleted by retention before they were read; from "
        "2026-03-01 12:59 until 2026-03-01 13:03 UTC no result is called missing there"
    )
    assert worker.noticed.counts["lost"] == 1
    assert worker.shard.pipeline.losses()["result_lost"] == 2


@pytest.mark.parametrize("between", [False, True])
async def test_it_ends_where_something_is_left_though_that_is_fetched_later(between: bool) -> None:
    broker, worker = await begun()
    add(broker, "lost", 3700)
    broker.delete(PREDICTIONS)
    add(broker, "left", 3800)
    add(broker, "missing", 3801, answered=False)
    broker.now_s = 9000

    await worker.fetch(PREDICTIONS, 0, between=between)
    await worker.read()
    worker.checkpoint()

    assert outcomes(worker) == {"before": "on_time", "left": "on_time", "missing": "missing"}
    assert len(losses(worker)) == 3


@pytest.mark.parametrize("between", [False, True])
async def test_where_nothing_is_left_the_loss_ends_when_it_is_found(between: bool) -> None:
    broker, worker = await begun()
    add(broker, "lost", 3700)
    broker.delete(PREDICTIONS)
    broker.now_s = 3750

    await worker.fetch(PREDICTIONS, between=between)
    add(broker, "missing", 3751, answered=False)
    broker.now_s = 9000
    await worker.read()
    worker.checkpoint()

    assert outcomes(worker) == {"before": "on_time", "missing": "missing"}
    assert [one.state for one in losses(worker)] == ["open"]


@pytest.mark.parametrize("topic", [STUDIES, REPORTS, COMMANDS])
async def test_so_it_is_for_every_input(topic: str) -> None:
    broker, worker = await begun()
    broker.add(topic, b"{}")
    broker.add(topic, b"{}")
    broker.delete(topic)

    await worker.read()
    worker.checkpoint()

    (opened,) = losses(worker)
    assert opened.subject == f"partition-0 {topic.split('.')[1]}"
    assert opened.title.startswith("2 ")


async def test_a_loss_waits_for_its_turn_behind_what_was_read_before_it() -> None:
    """Queued records of the same input are older than what is gone."""
    broker, worker = await begun()
    add(broker, "read", 3700)
    await worker.fetch(PREDICTIONS)
    add(broker, "lost", 3710)
    broker.delete(PREDICTIONS)
    add(broker, "left", 3800)
    await worker.fetch(PREDICTIONS)

    assert worker.shard.merge.queued() == 3
    worker.checkpoint()
    worker.start()
    broker.now_s = 9000
    await worker.read()
    worker.checkpoint()

    assert outcomes(worker)["left"] == "on_time"
    assert "lost" not in outcomes(worker)
    assert "read" not in outcomes(worker), "it was deleted before a checkpoint had it"
    assert [one.title[:1] for one in losses(worker) if one.reason == "opened"] == ["2"]


async def test_once_told_and_written_a_loss_is_not_found_again() -> None:
    broker, worker = await begun()
    add(broker, "lost", 3700)
    broker.delete(PREDICTIONS)
    await worker.read()
    worker.checkpoint()
    told_n = len(losses(worker))

    worker.start()
    await worker.read()
    worker.checkpoint()

    assert (told_n, len(losses(worker))) == (1, 1)
    assert worker.noticed.counts["lost"] == 1


async def test_an_offset_without_a_record_is_no_loss() -> None:
    broker, worker = await begun()
    for number in range(5):
        broker.control(PREDICTIONS)
        add(broker, f"s{number}", 3700 + number)
        await worker.fetch(PREDICTIONS)
    broker.now_s = 9000
    await worker.read()
    worker.checkpoint()

    assert losses(worker) == []
    assert set(outcomes(worker).values()) == {"on_time"}


async def test_records_that_join_on_ask_the_broker_nothing() -> None:
    broker, worker = await begun()
    for number in range(5):
        add(broker, f"s{number}", 3700 + number)
        await worker.read()

    assert worker.prover.asked_n == 0


@pytest.mark.parametrize("error", [KafkaError(), TimeoutError()])
async def test_while_the_broker_does_not_say_it_is_asked_again_and_nothing_is_concluded(
    error: Exception,
) -> None:
    broker, worker = await begun()
    add(broker, "lost", 3700)
    broker.delete(PREDICTIONS)
    add(broker, "left", 3800)
    broker.now_s = 9000
    worker.prover.error = error
    await worker.read()
    worker.checkpoint()

    assert "lost" not in outcomes(worker)
    assert losses(worker) == []

    worker.prover.error = None
    await worker.read()
    worker.checkpoint()

    assert "lost" not in outcomes(worker)
    assert outcomes(worker)["left"] == "on_time"
    assert losses(worker) != []


async def test_without_the_brokers_time_a_loss_that_ends_nowhere_waits_for_it() -> None:
    broker, worker = await begun()
    add(broker, "lost", 3700)
    broker.delete(PREDICTIONS)
    worker.clock = BrokerClock()
    worker.start()
    await worker.fetch(PREDICTIONS)
    worker.checkpoint()
    assert losses(worker) == []

    worker.acknowledge()
    await worker.read()
    worker.checkpoint()

    assert len(losses(worker)) == 1


async def test_a_clock_that_was_heard_before_the_loss_was_found_does_not_end_it() -> None:
    """A worker that was stopped hears late what the broker said long ago: its clock is behind."""
    broker, worker = await begun()
    worker.clock = BrokerClock()
    worker.start()
    worker.acknowledge()
    await worker.read()
    add(broker, "lost", 3700)
    broker.delete(PREDICTIONS)
    broker.now_s = 3750
    await worker.read()
    worker.checkpoint()

    assert losses(worker) == []
    await worker.shards.checkpoint()
    assert not worker.shards.failed.done(), "nothing stands still: a record is written and stamped"
    add(broker, "missing", 3760, answered=False)
    await worker.read()
    broker.now_s = 9000
    worker.acknowledge()
    await worker.read()
    worker.checkpoint()

    assert outcomes(worker) == {"before": "on_time", "missing": "missing"}
    assert [one.state for one in losses(worker)] == ["open"]


async def test_a_topic_that_is_recreated_behind_a_worker_is_refused_as_on_opening() -> None:
    broker, worker = await begun()
    add(broker, "a", 3700, answered=False)
    await worker.read()
    broker.recreate(PREDICTIONS)
    broker.now_s = 9000

    await worker.shards.prove()
    assert not worker.shards.failed.done(), "once may be a broker that has just taken over"
    worker.checkpoint()
    assert "a" not in outcomes(worker), "its end proves nothing"
    await worker.shards.prove()

    with pytest.raises(UnfitState, match="the topic was recreated"):
        await asyncio.wait_for(worker.shards.failed, 1)


async def test_one_that_ends_too_early_once_is_read_on() -> None:
    broker, worker = await begun()
    broker.ends[PREDICTIONS] -= 1
    await worker.shards.prove()
    broker.ends[PREDICTIONS] += 1
    await worker.shards.prove()
    broker.ends[PREDICTIONS] -= 1
    await worker.shards.prove()

    assert not worker.shards.failed.done()


def test_what_to_do_about_a_recreated_topic_is_said() -> None:
    place = TopicPartition("studies", 3)

    with pytest.raises(UnfitState, match=r"studies/3 ends at 2, but 5 .* Delete it, or"):
        Recreated("Delete it").check({place: 5}, {place: 2})
    Recreated("Delete it").check({place: 2}, {place: 2})
