"""Slack's buttons by Socket Mode: a websocket that we open, so no hole in a firewall is needed.

Slack wants an envelope acknowledged within three seconds and repeats those it believes lost: the
acknowledgement goes first, the work after it, and an envelope that was seen does nothing.
"""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

import msgspec
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from schemas.command import Command
from schemas.routing import Slack
from streams.notifiers.back import NotTaken
from streams.notifiers.back.slack import by_payload

SEEN_N = 1_000
_LOG = logging.getLogger("radvigil.delivery")
_WEBSOCKET = re.compile(r"wss?://[^\s'\"]+")


class SlackSocket:
    """Connected while it is entered; it reconnects by itself. `act` is given each command once.

    `app_token` is the one that begins with xapp-; `users` as for `by_payload`.
    """

    def __init__(
        self,
        receiver: Slack,
        app_token: str,
        users: Mapping[str, str],
        act: Callable[[Command], Awaitable[None]],
        proxy: str | None = None,
    ) -> None:
        self._receiver = receiver
        self._app_token = app_token
        self._users = users
        self._act = act
        self._proxy = proxy
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._client: SocketModeClient | None = None

    async def __aenter__(self) -> Self:
        url = self._receiver.url.rstrip("/") + "/"
        web = AsyncWebClient(base_url=url, proxy=self._proxy, trust_env_in_session=True)
        logger = logging.getLogger("slack_sdk.socket_mode")
        logger.addFilter(_without_ticket)
        self._client = SocketModeClient(
            self._app_token, logger=logger, web_client=web, proxy=self._proxy
        )
        self._client.socket_mode_request_listeners.append(self._take)
        await self._client.connect()  # type: ignore[no-untyped-call]
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._client is not None:
            await self._client.close()  # type: ignore[no-untyped-call]

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        response = SocketModeResponse(envelope_id=request.envelope_id)
        await client.send_socket_mode_response(response)
        if request.type != "interactive" or self._is_seen(request.envelope_id):
            return
        now_us = time.time_ns() // 1_000
        command = by_payload(msgspec.json.encode(request.payload), now_us, self._users)
        if isinstance(command, NotTaken):
            _LOG.warning("a button of %s was not taken: %s", self._receiver.name, command.why)
        else:
            await self._act(command)

    def _is_seen(self, envelope_id: str) -> bool:
        if envelope_id in self._seen:
            return True
        self._seen[envelope_id] = None
        if len(self._seen) > SEEN_N:
            self._seen.popitem(last=False)
        return False


def _without_ticket(record: logging.LogRecord) -> bool:
    """The websocket's address holds a ticket that lets anybody in; slack-sdk logs it."""
    record.msg, record.args = _WEBSOCKET.sub("wss://...", record.getMessage()), ()
    return True
