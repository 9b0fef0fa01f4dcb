"""Callbacks over HTTP: what is answered, and which commands are written."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiokafka.errors import KafkaError

from schemas.command import Command
from schemas.config import Config
from schemas.routing import PagerDuty, Slack
from schemas.secrets import MissingSecret
from streams.delivery.backchannel import BackChannel, Write
from streams.delivery.backchannel_paged import Paged
from streams.delivery.service_edge import Silent
from streams.engine import Engine
from tests.unit.notices import INCIDENT, NOW_US, PLANT, notification, several

SECRET = "s3cret-signing"
CONFIG = Config(
    receivers=[
        Slack(name="chat", channel="#x", token_env="T", signing_secret_env="SIGN"),
        Slack(name="mute", channel="#x", token_env="T"),
        PagerDuty(name="pager", routing_key_env="T", webhook_secret_env="SIGN"),
    ]
)


class Heard(Silent):
    def __init__(self) -> None:
        self.outcomes: list[tuple[str, str]] = []

    def called_back(self, origin: str, outcome: str) -> None:
        self.outcomes.append((origin, outcome))


class Line:
    """A back-channel behind a real HTTP server; `commands` is the topic."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.is_away = False
        self.heard = Heard()
        self.back = BackChannel(
            CONFIG,
            self.heard,
            environment={"SIGN": SECRET},
            now_us=lambda: NOW_US,
            connect=self.connect,
        )

    @asynccontextmanager
    async def connect(self, config: Config) -> AsyncIterator[Write]:
        async def write(command: Command) -> object:
            if self.is_away:
                raise KafkaError("away")
            self.commands.append(command)
            return None

        yield write

    async def post(self, path: str, body: bytes, **headers: str) -> int:
        app = web.Application()
        app.router.add_routes(self.back.routes())
        stopping = asyncio.Event()
        self.back._paged.follow = forever  # type: ignore[method-assign]
        running = asyncio.create_task(self.back.run(CONFIG, Engine(), stopping))
        async with TestClient(TestServer(app)) as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = await client.post(path, data=body, headers=named)
            stopping.set()
            await running
            return answer.status

    async def press(self, receiver: str = "chat", secret: str = SECRET, **fields: Any) -> int:
        act = {"action_id": "acknowledge", "value": f"{INCIDENT}:3:north", "action_ts": "1.5"}
        payload = {"type": "block_actions", "user": {"id": "U1"}, "actions": [act | fields]}
        body = urlencode({"payload": msgspec.json.encode(payload).decode()}).encode()
        at = str(NOW_US // 1_000_000)
        signature = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, "sha256").hexdigest()
        headers = {
            "X_Slack_Request_Timestamp": at,
            "X_Slack_Signature": f"v0={signature}",
            "Content_Type": "application/x-www-form-urlencoded",
        }
        return await self.post(f"/hooks/slack/{receiver}", body, **headers)

    async def page(self, key: str, event: str = "incident.acknowledged") -> int:
        data = {"incident_key": key, "title": PLANT}
        person = {"id": "P1", "type": "user_reference"}
        body = msgspec.json.encode(
            {"event": {"id": "e1", "event_type": event, "agent": person, "data": data}}
        )
        signature = "v1=" + hmac.new(SECRET.encode(), body, "sha256").hexdigest()
        return await self.post("/hooks/pagerduty/pager", body, X_PagerDuty_Signature=signature)


async def forever(config: Config) -> None:
    await asyncio.Event().wait()


async def test_a_button_is_a_command_and_answered_when_it_is_written() -> None:
    line = Line()

    assert await line.press() == 200

    (command,) = line.commands
    assert (command.action, command.incident, command.actor) == (
        "acknowledge",
        INCIDENT,
        "slack:U1",
    )
    assert line.heard.outcomes == [("slack", "command")]


async def test_forged_or_to_nobody_nothing_is_written() -> None:
    line = Line()

    assert await line.press(secret="guessed") == 401
    assert await line.press("mute") == 404
    assert await line.press("pager") == 404
    assert await line.press(action_id="link") == 200
    assert line.commands == []
    assert line.heard.outcomes == [("slack", "signature"), ("slack", "no_act")]


async def test_what_cannot_be_written_is_not_answered_as_done() -> None:
    line = Line()
    line.is_away = True

    assert await line.press() == 503
    assert line.heard.outcomes == [("slack", "not_written")]


async def test_a_webhook_of_pagerduty_finds_its_incidents_by_the_key() -> None:
    line = Line()
    line.back._paged.take(notification(receiver="pager"))
    line.back._paged.take(several(3, receiver="pager"))

    assert await line.page(f"rv-{INCIDENT}") == 200
    assert [(one.incident, one.site) for one in line.commands] == [(INCIDENT, "north")]
    assert await line.page("rv-digest-1", "incident.resolved") == 200
    assert [one.incident for one in line.commands[1:]] == [f"incident-{n}" for n in range(3)]


async def test_until_all_is_read_a_webhook_that_is_not_understood_is_to_come_again() -> None:
    line = Line()

    assert await line.page("rv-unknown") == 503
    line.back._paged.is_complete = True
    assert await line.page("rv-unknown") == 200
    assert line.commands == []


async def test_what_socket_mode_brings_is_counted_where_it_is_lost() -> None:
    line = Line()
    command = Command(
        command_id="c",
        site="north",
        action="acknowledge",
        actor="anna",
        at=notification().at,
        incident=INCIDENT,
        origin="slack",
    )

    await line.back.act(command)

    assert line.heard.outcomes == [("slack", "not_written")]


def test_only_pagers_are_looked_up_and_the_oldest_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.delivery.backchannel_paged.KEYS_N", 2)
    paged = Paged(["pager"])
    for receiver, key in (("chat", "a"), ("pager", "b"), ("pager", "c"), ("pager", "d")):
        paged.take(notification(receiver=receiver, key=key))

    found = {key: bool(paged.find(f"rv-{key}")) for key in "abcd"}

    assert found == {"a": False, "b": False, "c": True, "d": True}


def test_a_secret_that_is_missing_is_said_at_the_start() -> None:
    with pytest.raises(MissingSecret, match=r"receiver\.chat\.signing_secret_env"):
        BackChannel(CONFIG, environment={})
