"""Requests to one tracker over real sockets."""

import os
import ssl
from collections.abc import Mapping

from schemas.secrets import MissingSecret, read_secrets
from schemas.tickets import Tickets
from streams.delivery import http
from streams.delivery.http import Met
from streams.notifiers import Refused, Request, Secrets
from streams.tickets import of

_LONGEST_ANSWER = 4 * 1_048_576  # fifty comments


class Carrier(http.Client):
    """Open while it is entered. Secrets are read when it is made, which may raise MissingSecret."""

    def __init__(self, settings: Tickets, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__(settings.timeout_s)
        self._settings = settings
        self._seal = of(settings).seal
        self._secrets = _secrets(settings, environment)
        self._trust = ssl.create_default_context(cafile=settings.ca_file)

    async def send(self, request: Request) -> Met:
        """Send it. Cancelled, nobody knows whether it arrived."""
        try:
            sealed = self._seal(request, self._secrets)
        except (KeyError, ValueError):
            return Refused("secret_unusable")
        return await self.carry(sealed, self._trust, self._settings.proxy, _LONGEST_ANSWER)


def _secrets(settings: Tickets, environment: Mapping[str, str]) -> Secrets:
    where = f"tickets.{settings.name}"
    read = read_secrets(settings, ("user", "token"), where, environment)
    if "token" not in read:
        raise MissingSecret(f"`{where}`: `token_env` or `token_file` is missing")
    return read
