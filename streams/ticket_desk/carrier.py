"""Requests to one tracker over real sockets."""

import os
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp

from schemas.secrets import MissingSecret, read_secret
from schemas.tickets import Tickets
from streams.delivery import http
from streams.delivery.http import Met
from streams.notifiers import Refused, Request, Secrets
from streams.tickets import of

_LONGEST_ANSWER = 4 * 1_048_576  # fifty comments


class Carrier:
    """Open while it is entered. Secrets are read when it is made, which may raise MissingSecret."""

    def __init__(self, settings: Tickets, environment: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._seal = of(settings).seal
        self._secrets = _secrets(settings, environment)
        self._trust = ssl.create_default_context(cafile=settings.ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = http.session(self._settings.timeout_s)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, request: Request) -> Met:
        """Send it. Cancelled, nobody knows whether it arrived."""
        if self._session is None:
            raise RuntimeError("the carrier is not entered")
        try:
            sealed = self._seal(request, self._secrets)
        except (KeyError, ValueError):
            return Refused("secret_unusable")
        proxy = self._settings.proxy
        return await http.carry(self._session, sealed, self._trust, proxy, _LONGEST_ANSWER)


def _secrets(settings: Tickets, environment: Mapping[str, str]) -> Secrets:
    where = f"tickets.{settings.name}"
    read = {name: read_secret(settings, name, where, environment) for name in ("user", "token")}
    if read["token"] is None:
        raise MissingSecret(f"`{where}`: `token_env` or `token_file` is missing")
    return {name: secret for name, secret in read.items() if secret is not None}
