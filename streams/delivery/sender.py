"""Sends requests over real sockets and says what came of it, in closed words.

No exception leaves with an address or a secret in it: a Teams address is a secret as a whole.
"""

import asyncio
import logging
import os
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from schemas.routing import Email, Receiver
from schemas.secrets import read_secrets
from streams.delivery import http, mail
from streams.delivery.http import TIMEOUT_S, Met
from streams.delivery.mail import Tls
from streams.notifiers import Answer, Refused, Request, Result, Secrets, of

_LOG = logging.getLogger("radvigil.delivery")


class Connection(NamedTuple):
    """How to reach a receiver, where the environment's proxies and the system's trust do not do."""

    proxy: str | None = None
    ca_file: str | None = None
    tls: Tls = "starttls"


def _wall_us() -> int:
    return time.time_ns() // 1_000


def to_stderr(line: bytes) -> None:
    """Where the lines of receivers of kind log go, unless told otherwise."""
    sys.stderr.buffer.write(line + b"\n")
    sys.stderr.buffer.flush()


class Sender(http.Client):
    """Open while it is entered. Secrets are read when it is made, which may raise MissingSecret.

    `write_line` takes what is told to receivers of kind log.
    """

    def __init__(
        self,
        receivers: Iterable[Receiver],
        connections: Mapping[str, Connection] | None = None,
        *,
        environment: Mapping[str, str] = os.environ,
        now_us: Callable[[], int] = _wall_us,
        write_line: Callable[[bytes], None] = to_stderr,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        super().__init__(timeout_s)
        receivers = list(receivers)
        self._connections = connections or {}
        self._secrets = {one.name: _secrets(one, environment) for one in receivers}
        self._trust = {one.name: self._context(one) for one in receivers}
        self._now_us = now_us
        self._write_line = write_line

    async def send(self, receiver: Receiver, request: Request) -> Result:
        """Send it and read the answer. Cancelled, nobody knows whether it arrived."""
        notifier = of(receiver)
        try:
            sealed = notifier.seal(request, self._secrets[receiver.name], self._now_us())
        except (KeyError, ValueError):
            return Refused("secret_unusable")
        met = await self._carry(receiver, sealed)
        result = notifier.read(request, met) if isinstance(met, Answer) else met
        why = getattr(result, "why", "sent")
        _LOG.debug("told %s: %s %s", receiver.name, request.step, why)
        return result

    async def _carry(self, receiver: Receiver, request: Request) -> Met:
        if isinstance(receiver, Email):
            return await self._mail(receiver, request)
        if request.method == "LOG":
            self._write_line(request.body)
            return Answer(200)
        return await self._http(receiver, request)

    async def _mail(self, receiver: Email, request: Request) -> Met:
        tls = self._connection(receiver).tls
        trust = self._trust[receiver.name]
        met = await asyncio.to_thread(mail.send, receiver, request, tls, trust)
        if isinstance(met, Answer) and "refused" in met.headers:
            refused = met.headers["refused"]
            _LOG.warning("%s: %s of the recipients were refused", receiver.name, refused)
        return met

    async def _http(self, receiver: Receiver, request: Request) -> Met:
        trust, proxy = self._trust[receiver.name], self._connection(receiver).proxy
        return await self.carry(request, trust, proxy)

    def _connection(self, receiver: Receiver) -> Connection:
        return self._connections.get(receiver.name, Connection())

    def _context(self, receiver: Receiver) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._connection(receiver).ca_file)


def _secrets(receiver: Receiver, environment: Mapping[str, str]) -> Secrets:
    where = f"receiver.{receiver.name}"
    return read_secrets(receiver, of(receiver).SECRETS, where, environment)
