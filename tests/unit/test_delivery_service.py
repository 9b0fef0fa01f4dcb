"""The service between its broker and its receivers: what is sent, written, committed, and when."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import ProducerFenced
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest

from schemas.config import Config
from schemas.deadletter import DeadLetter
from schemas.routing import Alertmanager, Webhook
from streams.delivery import service
from streams.delivery.service import STUCK_S, everybody
from streams.delivery.service_metrics import DELIVERY, DeliveryMetrics
from streams.engine import Engine
from streams.metric_list import table
from streams.notifiers import Refused, Retry, Unknown
from tests.unit.delivery_room import Room, let_run
from tests.unit.notices import INCIDENT, PLANT, in_state

HOOK = Webhook(name="hook", url="http://hook", fallback="spare")
SPARE = Webhook(name="spare", url="http://spare")
CONFIG = Config(receivers=[HOOK, SPARE])
DOWN = Retry("unreachable")


def ended(**fields: Any) -> dict[str, Any]:
    told = replace(in_state("resolved"), receiver="hook", **fields)
    return {name: getattr(told, name) for name in ("receiver", "action", "why", "incidents")}


async def test_sent_then_written_then_committed() -> None:
    answer = asyncio.Event()
    room = Room(CONFIG, answer)
    room.topics.decide(receiver="hook")

    await room.turn(3)
    assert len(room.bodies("hook")) == 1
    assert room.topics.order == ["commit"]
    assert room.topics.committed == {0: 0}
    answer.set()
    await room.turn()

    assert room.topics.order == ["commit", "log", "commit"]
    assert room.topics.committed == {0: 1}


async def test_killed_after_sending_and_before_writing_it_is_repeated_by_the_same_key() -> None:
    answer = asyncio.Event()
    room = Room(CONFIG, answer)
    room.topics.decide(receiver="hook")
    await room.turn()
    answer.set()
    await let_run(3)

    after = await room.crash()
    await after.turn(3)

    (before,), (again,) = room.bodies("hook"), after.bodies("hook")
    assert before["notification"] == again["notification"]
    assert after.topics.committed == {0: 1}


async def test_killed_after_writing_and_before_committing_it_is_not_repeated() -> None:
    room = Room(CONFIG)
    room.topics.decide(receiver="hook")
    await room.turn(2)
    room.topics.committed = {0: 0}

    after = await room.crash()
    await after.turn(3)

    assert after.carrier.sent == []
    assert after.topics.committed == {0: 1}


async def test_all_that_was_there_is_read_before_the_first_is_sent() -> None:
    room = Room(CONFIG)
    room.topics.decide(receiver="hook", number=1)
    room.topics.decide(receiver="hook", number=2, why="severity_raised", action="update")

    await room.turn(2)

    (told,) = room.bodies("hook")
    assert (told["number"], told["action"]) == (2, "open")


async def test_who_was_paused_and_wakes_writes_nothing_over_what_the_next_has_told() -> None:
    answer = asyncio.Event()
    room = Room(CONFIG, answer)
    room.topics.decide(receiver="hook")
    await room.turn()
    after = await room.crash()
    await after.turn()
    room.topics.decide(number=2, **ended(key=INCIDENT))
    await after.turn(3)
    log = after.topics.log()

    answer.set()
    with pytest.raises(ProducerFenced):
        await room.turn(2)

    assert after.topics.log() == log
    assert b'"over":true' in b"".join(log.values())


async def test_who_was_paused_and_wakes_sends_nothing_behind_the_next() -> None:
    """What it decided to send before would come after what the next has told, which is newer."""
    room = Room(CONFIG, DOWN)
    room.topics.decide(receiver="hook")
    await room.turn(2)
    room.now_us += 60_000_000
    after = await room.crash()
    room.topics.decide(number=2, **ended(key=INCIDENT))
    await after.turn(3)
    sent_n = len(room.carrier.sent)

    with pytest.raises(ProducerFenced):
        await room.turn()

    assert len(room.carrier.sent) == sent_n == 1


async def test_nor_does_an_attempt_that_ends_as_it_wakes_begin_another() -> None:
    answer = asyncio.Event()
    room = Room(CONFIG, answer)
    room.topics.decide(receiver="hook")
    await room.turn(2)
    room.topics.decide(receiver="hook", number=2, why="severity_raised", action="update")
    await room.turn()
    room.now_us += 60_000_000
    after = await room.crash()
    await after.turn()

    answer.set()
    await let_run(5)
    with pytest.raises(ProducerFenced):
        await room.turn()

    assert len(room.carrier.sent) == 1


async def test_who_was_paused_and_is_alone_goes_on() -> None:
    room = Room(CONFIG, DOWN)
    room.topics.decide(receiver="hook")
    await room.turn(2)
    room.now_us += 60_000_000

    await room.turn(2)

    assert len(room.bodies("hook")) == 2
    assert room.topics.committed == {0: 1}


async def test_a_rebalance_waits_for_what_is_under_way_and_writes_it() -> None:
    answer = asyncio.Event()
    room = Room(CONFIG, answer)
    room.topics.decide(receiver="hook")
    await room.turn()
    losing = asyncio.create_task(room.member.lose())
    await room.turn()
    assert not losing.done()

    answer.set()
    await losing

    assert room.topics.committed == {0: 1}
    assert len(room.topics.log()) == 1


async def test_a_broker_that_is_away_is_waited_for_and_nothing_is_sent_meanwhile() -> None:
    room, stopping = Room(CONFIG), asyncio.Event()
    room.topics.is_away = True
    room.topics.decide(receiver="hook")
    running = asyncio.create_task(room.delivery.run(CONFIG, Engine(), stopping))
    await asyncio.wait({running}, timeout=0.05)
    assert not running.done()
    assert room.carrier.sent == []

    stopping.set()
    async with asyncio.timeout(10):
        await running


async def test_it_stops_when_what_is_under_way_is_done() -> None:
    answer, stopping = asyncio.Event(), asyncio.Event()
    room = Room(CONFIG, answer)
    room.topics.decide(receiver="hook")
    running = asyncio.create_task(room.delivery.run(CONFIG, Engine(), stopping))
    await let_run(20)
    assert len(room.carrier.sent) == 1
    stopping.set()
    asyncio.get_running_loop().call_soon(answer.set)
    async with asyncio.timeout(10):
        await running

    assert room.topics.committed == {0: 1}
    assert len(room.topics.log()) == 1


async def test_a_receiver_slower_than_a_turn_is_waited_for_and_its_answer_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "_TURN_S", 0.01)
    answer, stopping = asyncio.Event(), asyncio.Event()
    room = Room(CONFIG, answer)
    room.topics.decide(receiver="hook")
    running = asyncio.create_task(room.delivery.run(CONFIG, Engine(), stopping))
    await let_run(20)
    stopping.set()
    await asyncio.wait({running}, timeout=0.1)  # ten times as long as a turn may take
    assert not running.done()
    answer.set()
    async with asyncio.timeout(10):
        await running

    assert room.topics.committed == {0: 1}
    assert len(room.topics.log()) == 1


async def test_what_is_no_notification_is_passed_over() -> None:
    room = Room(CONFIG)
    place = room.topics.names.outbox, 0
    room.topics.rows[place] += [(b"north", b"{}"), (b"north", None)]
    room.topics.decide(receiver="hook")

    await room.turn(3)

    assert len(room.bodies("hook")) == 1
    assert room.topics.committed == {0: 3}


async def test_what_is_refused_is_a_dead_letter_and_an_incident_told_to_others() -> None:
    room = Room(CONFIG, Refused("http_404"))
    room.topics.decide(receiver="hook")
    await room.turn(3)

    (letter,) = room.topics.told(DeadLetter, room.topics.names.deadletters)
    (incident,) = room.topics.incidents()
    assert (letter.topic, letter.offset, letter.path) == (room.topics.names.outbox, 0, "receiver")
    assert "http_404" in (letter.expected or "")
    assert (incident.kind, incident.subject, incident.state) == (
        "monitor_stale",
        "delivery.hook/0",
        "open",
    )
    hearers = [told.receiver for told in room.topics.outbox() if told.key == incident.incident]
    assert hearers == ["log", "spare"]
    assert len(room.bodies("spare")) == 2  # the notification itself, and the incident
    assert room.topics.committed == {0: 3}


async def test_the_incident_ends_when_the_receiver_takes_something_even_after_a_restart() -> None:
    room = Room(CONFIG, Refused("http_404"))
    room.topics.decide(receiver="hook")
    await room.turn(3)
    after = await room.crash()
    after.topics.decide(receiver="hook", key="another")
    await after.turn(4)

    told = [(one.seq, one.state) for one in after.topics.incidents()]
    assert told == [(1, "open"), (2, "resolving"), (3, "resolved")]
    about = after.topics.incidents()[0].incident
    numbers = [one.number for one in after.topics.outbox() if one.key == about]
    assert sorted(numbers) == [1, 1, 2, 2, 3, 3]


async def test_one_incident_about_a_receiver_though_two_partitions_have_trouble() -> None:
    room = Room(CONFIG, Refused("http_404"), Refused("http_404"))
    room.member.owned = {0, 1}
    room.topics.decide(0, receiver="hook")
    room.topics.decide(1, receiver="hook", key="another")

    await room.turn(4)

    assert [one.seq for one in room.topics.incidents()] == [1]


async def test_down_for_hours_everything_is_told_and_an_end_never_before_its_beginning() -> None:
    room = Room(Config(receivers=[replace(HOOK, fallback=None)]), *[DOWN] * 60)
    for number in range(1, 40):
        room.topics.decide(receiver="hook", key=f"k{number}")
    await room.run(30)
    for number in range(1, 20):
        room.topics.decide(number=2, key=f"k{number}", **ended())
    await room.run(6 * 3600, step_s=20)

    told = room.bodies("hook")[60:]
    assert {one["key"] for one in told} == {f"k{number}" for number in range(1, 40)}
    last = {one["key"]: one["action"] for one in told}
    assert sum(action == "resolve" for action in last.values()) == 19
    assert room.topics.committed[0] >= 39 + 19


async def test_an_alert_is_told_again_until_it_is_over_also_by_who_comes_next() -> None:
    config = Config(receivers=[Alertmanager(name="am", url="http://am")])
    room = Room(config)
    room.topics.decide(receiver="am")
    await room.run(150, step_s=10)
    assert 2 <= len(room.carrier.sent) <= 4

    after = await room.crash()
    await after.run(150, step_s=10)

    assert 2 <= len(after.carrier.sent) <= 3


async def test_who_makes_no_turn_is_stuck() -> None:
    room = Room(CONFIG)
    await room.turn()
    assert room.delivery.obstacles() == []

    room.now_us += round((STUCK_S + 1) * 1e6)

    assert room.delivery.obstacles() == ["delivery has not moved for 121 s"]


async def test_metrics_say_what_became_of_it_and_name_nobody() -> None:
    registry = CollectorRegistry()
    room = Room(CONFIG, DOWN, Unknown("timeout"), telemetry=DeliveryMetrics(registry))
    room.topics.decide(receiver="hook")
    await room.run(120)
    text = generate_latest(registry).decode()

    assert 'radvigil_notification_failures_total{class="retry",receiver="hook"} 1.0' in text
    assert 'radvigil_notification_failures_total{class="unknown",receiver="hook"} 1.0' in text
    assert 'radvigil_notifications_total{reason="opened",receiver="hook"} 1.0' in text
    assert 'radvigil_notification_oldest_pending_seconds{receiver="hook"} 0.0' in text
    assert 'radvigil_notification_breaker_open{receiver="hook"} 0.0' in text
    assert 'radvigil_notifications_waiting{receiver="hook"} 0.0' in text
    assert PLANT not in text


async def test_metrics_say_how_many_wait_and_for_how_long() -> None:
    registry = CollectorRegistry()
    room = Room(CONFIG, *[DOWN] * 50, telemetry=DeliveryMetrics(registry))
    for number in range(3):
        room.topics.decide(receiver="hook", key=f"k{number}")
    await room.run(90)
    text = generate_latest(registry).decode()

    assert 'radvigil_notifications_waiting{receiver="hook"} 3.0' in text
    waited_s = registry.get_sample_value(
        "radvigil_notification_oldest_pending_seconds", {"receiver": "hook"}
    )
    assert waited_s is not None
    assert waited_s > 60
    assert 'radvigil_notifications_waiting{receiver="spare"} 0.0' in text


def test_the_log_needs_no_configuration() -> None:
    assert [one.name for one in everybody(CONFIG)] == ["hook", "spare", "log"]


def test_every_metric_stands_in_the_document() -> None:
    text = (Path(__file__).parents[2] / "docs/DELIVERY.md").read_text()

    assert [row for row in table(DELIVERY).splitlines() if row not in text] == []
