"""What people do at a receiver becomes commands: buttons of Slack, webhooks of PagerDuty.

    POST /hooks/slack/RECEIVER        signed by the signing secret
    POST /hooks/pagerduty/RECEIVER    signed by the webhook's secret

A callback is answered once its command is written, or refused with 503 so that the provider, or
the person, knows that it was not. Slack's Socket Mode wants its answer first: what could not be
written then is logged and counted.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
from aiohttp import web
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from slack_sdk.errors import SlackClientError

from schemas.command import Command
from schemas.config import Config
from schemas.decoding import encode
from schemas.routing import PagerDuty, Receiver, Slack
from schemas.secrets import read_secret
from streams.command_homes import homes
from streams.delivery.backchannel_paged import Paged
from streams.delivery.service_edge import Silent, Telemetry, topics_for
from streams.delivery.slack_socket import SlackSocket
from streams.engine import Engine
from streams.kafka.connection import aiokafka_settings
from streams.notifiers.back import NotTaken
from streams.notifiers.back import pagerduty as from_pagerduty
from streams.notifiers.back import slack as from_slack

log = logging.getLogger("radvigil.delivery")

ANSWER_S = 2.5
"""Slack waits 3 s for an answer, PagerDuty 5 s."""
_PAUSE_S = 5.0
_FORGED = frozenset({"signature", "stale"})
Users = Mapping[str, Mapping[str, str]]
Write = Callable[[Command], Awaitable[object]]


class NotWritten(Exception):
    """A command could not be written: there is no broker."""


@asynccontextmanager
async def command_writer(config: Config) -> AsyncIterator[Write]:
    """Writes commands to their topic; waits for the broker as long as it takes."""
    topics = topics_for(config)
    producer = AIOKafkaProducer(
        acks="all", enable_idempotence=True, request_timeout_ms=10_000, **aiokafka_settings(config)
    )

    async def write(command: Command) -> object:
        key, value = command.site.encode(), encode(command)
        return await asyncio.gather(
            *(
                producer.send_and_wait(topics.commands, value, key, partition=home)
                for home in homes(command.site, topics.partitions)
            )
        )

    try:
        while True:
            if await _started(producer):
                break
            await asyncio.sleep(_PAUSE_S)
        yield write
    finally:
        await producer.stop()


async def _started(producer: AIOKafkaProducer) -> bool:
    try:
        await producer.start()
    except (KafkaError, OSError) as error:
        log.info("no broker for commands yet: %r", error)
        return False
    return True


class BackChannel:
    """A companion of the worker, and routes for its HTTP server. Making it may raise MissingSecret.

    `users` maps, by receiver, the provider's ids of people to the names that they act under.
    """

    def __init__(
        self,
        config: Config,
        telemetry: Telemetry | None = None,
        *,
        users: Users | None = None,
        environment: Mapping[str, str] = os.environ,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        connect: Callable[[Config], AbstractAsyncContextManager[Write]] | None = None,
    ) -> None:
        slacks = [one for one in config.receivers if isinstance(one, Slack)]
        pagers = [one for one in config.receivers if isinstance(one, PagerDuty)]
        self._slacks = {one.name: one for one in slacks}
        self._signing = _secrets(slacks, "signing_secret", environment)
        self._app_tokens = _secrets(slacks, "app_token", environment)
        self._webhooks = _secrets(pagers, "webhook_secret", environment)
        self._paged = Paged(self._webhooks)
        self._telemetry = telemetry or Silent()
        self._users = users or {}
        self._now_us = now_us
        self._connect = connect or command_writer
        self._write: Write | None = None

    @property
    def is_needed(self) -> bool:
        """Whether any receiver may call back."""
        return bool(self._signing or self._app_tokens or self._webhooks)

    def routes(self) -> list[web.RouteDef]:
        """For the worker's HTTP server."""
        return [
            web.post("/hooks/slack/{receiver}", self._slack),
            web.post("/hooks/pagerduty/{receiver}", self._pagerduty),
        ]

    async def run(self, config: Config, engine: Engine, stopping: asyncio.Event) -> None:
        """Take what comes back until `stopping` is set."""
        if not self.is_needed:
            await stopping.wait()
            return
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._written(config))]
            if self._webhooks:
                tasks.append(group.create_task(self._paged.follow(config)))
            for name, token in self._app_tokens.items():
                tasks.append(group.create_task(self._socket(self._slacks[name], token)))
            await stopping.wait()
            for task in tasks:
                task.cancel()

    async def act(self, command: Command) -> None:
        """Write a command that has been answered already; where that fails, all can see it."""
        try:
            await self._send(command)
        except NotWritten as error:
            log.error("what %s wanted is lost: %s", command.origin, error)
            self._telemetry.called_back(command.origin or "", "not_written")
        else:
            self._telemetry.called_back(command.origin or "", "command")

    async def _written(self, config: Config) -> None:
        """Hold what writes commands, once there is a broker."""
        async with self._connect(config) as write:
            self._write = write
            try:
                await asyncio.Event().wait()
            finally:
                self._write = None

    async def _send(self, command: Command) -> None:
        if self._write is None:
            raise NotWritten("no broker yet")
        try:
            await asyncio.wait_for(self._write(command), ANSWER_S)
        except (KafkaError, OSError, TimeoutError) as error:
            raise NotWritten(repr(error)) from None

    async def _socket(self, receiver: Slack, token: str) -> None:
        """Stay connected; slack-sdk reconnects by itself once it was."""
        users = self._users.get(receiver.name, {})
        while True:
            try:
                async with SlackSocket(receiver, token, users, self.act):
                    await asyncio.Event().wait()
            except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
                log.warning("no Socket Mode for %s: %s", receiver.name, type(error).__name__)
            await asyncio.sleep(_PAUSE_S)

    async def _slack(self, request: web.Request) -> web.Response:
        name = request.match_info["receiver"]
        secret = self._signing.get(name)
        if secret is None:
            return web.Response(status=404)
        users = self._users.get(name, {})
        body, headers = await request.read(), _headers(request)
        found = from_slack.by_http(headers, body, secret, self._now_us(), users)
        return await self._answer("slack", [found] if isinstance(found, Command) else found)

    async def _pagerduty(self, request: web.Request) -> web.Response:
        name = request.match_info["receiver"]
        secrets = self._webhooks.get(name, "").split()
        if not secrets:
            return web.Response(status=404)
        users = self._users.get(name, {})
        body, headers = await request.read(), _headers(request)
        found = from_pagerduty.by_http(
            headers, body, secrets, self._now_us(), users, self._paged.find
        )
        if found == NotTaken("unknown_incident") and not self._paged.is_complete:
            return web.Response(status=503)  # it comes again, and is known by then
        return await self._answer("pagerduty", found)

    async def _answer(self, origin: str, found: Iterable[Command] | NotTaken) -> web.Response:
        if isinstance(found, NotTaken):
            self._telemetry.called_back(origin, found.why)
            return web.Response(status=401 if found.why in _FORGED else 200)
        try:
            for command in found:
                await self._send(command)
                self._telemetry.called_back(origin, "command")
        except NotWritten as error:
            log.warning("a callback of %s is refused, it may come again: %s", origin, error)
            self._telemetry.called_back(origin, "not_written")
            return web.Response(status=503)
        return web.Response()


def _headers(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _secrets(
    receivers: Iterable[Receiver], name: str, environment: Mapping[str, str]
) -> dict[str, str]:
    """Of those that have it, by receiver."""
    read = {
        one.name: read_secret(one, name, f"receiver.{one.name}", environment) for one in receivers
    }
    return {name: secret for name, secret in read.items() if secret is not None}
