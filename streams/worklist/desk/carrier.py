"""Requests to one worklist over real sockets: HTTP or MLLP."""

import os
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp

from schemas.secrets import read_secret
from schemas.worklist import FhirWorklist, Hl7Worklist, Worklist
from streams.delivery import http
from streams.delivery.http import Met
from streams.notifiers import Request, Secrets
from streams.worklist import of
from streams.worklist.desk.mllp import Mllp


class Carrier:
    """Open while it is entered. Secrets are read when it is made, which may raise MissingSecret."""

    def __init__(self, settings: Worklist, environment: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._kind = of(settings)
        self._secrets = _secrets(settings, self._kind.SECRETS, environment)
        self._trust = ssl.create_default_context(cafile=settings.ca_file)
        self._session: aiohttp.ClientSession | None = None
        self._mllp: Mllp | None = None

    async def __aenter__(self) -> Self:
        match self._settings:
            case Hl7Worklist() as told:
                trust = self._trust if told.tls else None
                self._mllp = Mllp(told.host, told.port, told.timeout_s, trust)
            case FhirWorklist() as told:
                self._session = http.session(told.timeout_s)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        if self._mllp is not None:
            await self._mllp.close()

    async def send(self, request: Request) -> Met:
        """Send it. Cancelled, nobody knows whether it arrived."""
        sealed = self._kind.seal(request, self._secrets)
        if self._mllp is not None:
            return await self._mllp.send(sealed)
        if self._session is None:
            raise RuntimeError("the carrier is not entered")
        proxy = self._settings.proxy if isinstance(self._settings, FhirWorklist) else None
        return await http.carry(self._session, sealed, self._trust, proxy)


def _secrets(settings: Worklist, names: tuple[str, ...], environment: Mapping[str, str]) -> Secrets:
    where = f"worklist.{settings.name}"
    read = {name: read_secret(settings, name, where, environment) for name in names}
    return {name: secret for name, secret in read.items() if secret is not None}
