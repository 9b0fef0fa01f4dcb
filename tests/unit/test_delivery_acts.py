"""What people do about a receiver that cannot be told reaches delivery, whose incident it is."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.command import Command
from schemas.config import Config
from schemas.decoding import encode
from schemas.incident import Incident
from schemas.reply import Reply
from schemas.routing import Webhook
from streams.clock import from_us
from streams.finding import MONITOR_SITE
from streams.notifiers import Refused
from tests.unit.delivery_room import Room
from tests.unit.notices import NOW_US

REFUSED = Refused("http_404")
CONFIG = Config(receivers=[Webhook(name="hook", url="http://hook", secret_env="WHSEC")])
WHO = {"actor": "Kim Lee", "at": from_us(NOW_US)}


async def troubled(reopen_s: float = 0) -> tuple[Room, Incident]:
    """A room whose receiver has refused something, and the incident about it."""
    config = replace(CONFIG, incidents=replace(CONFIG.incidents, reopen_s=reopen_s))
    room = Room(config, REFUSED)
    room.topics.decide(receiver="hook")
    await room.turn(3)
    (incident,) = room.topics.incidents()
    return room, incident


def ask(room: Room, incident: str | None, action: str = "acknowledge", **fields: Any) -> None:
    """A command as it is sent: to every partition."""
    plain = {"command_id": action, "site": MONITOR_SITE, "incident": incident, "action": action}
    value = encode(Command(**plain | WHO | fields))
    for partition in (0, 1):
        room.topics.rows[room.topics.names.commands, partition].append((b"radvigil", value))


def states(room: Room) -> list[tuple[int, str, str]]:
    return [(one.seq, one.state, one.reason) for one in room.topics.incidents()]


def replies(room: Room) -> list[Reply]:
    found: list[Reply] = room.topics.told(Reply, room.topics.names.replies)
    return found


async def test_it_is_acknowledged_replied_and_told() -> None:
    room, incident = await troubled()
    ask(room, incident.incident)
    await room.turn(3)

    assert states(room)[1:] == [(2, "acknowledged", "acknowledged")]
    assert room.topics.incidents()[-1].actor == "Kim Lee"
    (reply,) = replies(room)
    assert (reply.accepted, reply.reason, reply.incident) == (True, "ok", incident.incident)
    told = [one for one in room.topics.outbox() if one.key == incident.incident]
    assert [(one.action, one.why, one.disturb) for one in told] == [
        ("open", "opened", True),
        ("update", "acknowledged", False),
    ]


async def test_an_acknowledgement_expires_and_disturbs_again() -> None:
    room, incident = await troubled()
    ask(room, incident.incident, until=from_us(NOW_US) + timedelta(minutes=5))
    await room.run(400, step_s=20)

    assert states(room)[-1][1:] == ("open", "acknowledgement_expired")
    last = room.topics.outbox()[-1]
    assert (last.why, last.disturb) == ("unacknowledged", True)


async def test_killed_before_or_after_a_command_is_obeyed_once() -> None:
    room, incident = await troubled()
    ask(room, incident.incident)  # nobody has the partition when it comes
    second = await room.crash()
    await second.turn(3)
    third = await second.crash()
    await third.turn(3)

    assert [state for _, state, _ in states(third)] == ["open", "acknowledged"]
    assert len(replies(third)) == 1

    ask(third, incident.incident)  # and with the same id, whoever sends it again
    await third.turn(3)

    assert len(states(third)) == 2
    assert replies(third)[-1].reason == "repeated"


async def test_a_receiver_that_is_told_again_ends_what_was_acknowledged() -> None:
    room, incident = await troubled()
    ask(room, incident.incident)
    await room.turn(3)
    room.topics.decide(receiver="hook", key="another")
    await room.turn(4)

    assert states(room)[-1][1] == "resolved"


async def test_resolved_by_hand_and_refused_again_it_is_told_as_new() -> None:
    room, incident = await troubled(reopen_s=3600)
    ask(room, incident.incident, "resolve", text="fixed")
    await room.turn(3)
    room.carrier.results = [REFUSED]
    room.topics.decide(receiver="hook", key="another")
    await room.turn(4)

    assert [reason for _, _, reason in states(room)] == ["opened", "resolved_by_hand", "reopened"]
    last = [one for one in room.topics.outbox() if one.key == incident.incident][-1]
    assert (last.action, last.disturb) == ("open", True)


@pytest.mark.parametrize("action", ["silence", "acknowledge"])
async def test_what_is_not_its_own_is_left_to_the_shards(action: str) -> None:
    room, incident = await troubled()
    mine = incident.incident if action == "silence" else "of a shard"
    ask(room, mine, action, until=from_us(NOW_US) + timedelta(hours=1))
    rows = room.topics.rows[room.topics.names.commands, 0]
    rows += [(b"north", None), (b"north", b"{}")]
    await room.turn(3)

    assert replies(room) == []
    assert len(states(room)) == 1


async def test_all_that_match_are_acknowledged() -> None:
    room, _ = await troubled()
    ask(room, None, matchers={"kind": "monitor_stale"})
    await room.turn(3)

    assert states(room)[-1][1] == "acknowledged"
    assert replies(room)[0].affected_n == 1
