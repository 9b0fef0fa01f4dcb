"""Requests to one worklist over real sockets: HTTP or MLLP."""

import os
import ssl
from collections.abc import Mapping
from typing import Self

from schemas.secrets import read_secrets
from schemas.worklist import FhirWorklist, Hl7Worklist, Worklist
from streams.delivery import http
from streams.delivery.http import Met
from streams.notifiers import Request
from streams.worklist import of
from streams.worklist.desk.mllp import Mllp


class Carrier:
    """Open while it is entered. Secrets are read when it is made, which may raise MissingSecret."""

    def __init__(self, settings: Worklist, environment: Mapping[str, str] = os.environ) -> None:
        kind, where = of(settings), f"worklist.{settings.name}"
        self._seal = kind.seal
        self._secrets = read_secrets(settings, kind.SECRETS, where, environment)
        trust = ssl.create_default_context(cafile=settings.ca_file)
        self._connection = _connection(settings, trust)

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._connection.__aexit__(*error)

    async def send(self, request: Request) -> Met:
        """Send it. Cancelled, nobody knows whether it arrived."""
        return await self._connection.send(self._seal(request, self._secrets))


class _Http(http.Client):
    """Requests to a FHIR server."""

    def __init__(self, settings: FhirWorklist, trust: ssl.SSLContext) -> None:
        super().__init__(settings.timeout_s)
        self._trust = trust
        self._proxy = settings.proxy

    async def send(self, request: Request) -> Met:
        """Send it. Unknown: perhaps it arrived."""
        return await self.carry(request, self._trust, self._proxy)


def _connection(settings: Worklist, trust: ssl.SSLContext) -> Mllp | _Http:
    match settings:
        case Hl7Worklist():
            tls = trust if settings.tls else None
            return Mllp(settings.host, settings.port, settings.timeout_s, tls)
        case FhirWorklist():
            return _Http(settings, trust)
