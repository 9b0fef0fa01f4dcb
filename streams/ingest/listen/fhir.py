"""An HTTP endpoint for FHIR subscriptions: rest-hook of R4 and R5, answered when the sink has it.

Taken: a resource (R4's rest-hook with payload: POST, or PUT with its type and id in the path) and a
Bundle (R5's subscription-notification, the backport's to R4, a transaction). 200: the sink has it,
or it holds nothing for us, as a handshake. 4xx: it can never be taken, sending it again is of no
use. 503: the sink is away, send it again.
"""

import asyncio
import hmac
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Self

import msgspec
from aiohttp import web

from schemas.config_file import ConfigError
from streams.ingest._contract import Ingest, Translated, Untranslated, WhyNot
from streams.ingest.fhir import Translator
from streams.ingest.listen._contract import Acknowledge, Settings

log = logging.getLogger("radvigil.ingest")
# The server's own errors repeat what was sent; what matters of them is answered and counted.
_unsaid = logging.getLogger("radvigil.ingest.http")
_unsaid.setLevel(logging.CRITICAL + 1)

LARGEST_BYTES = 4 * 1024 * 1024
TOKEN_ENV = "RADVIGIL_FHIR_TOKEN"
MOST_AT_ONCE = 32
BODY_WITHIN_S = 30.0
RETRY_AFTER_S = 10
_JSON = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
_NEVER: dict[WhyNot, int] = {
    "unreadable": 400,
    "too_large": 413,
    "missing_field": 422,
    "bad_value": 422,
    "unsupported": 422,
}
# OperationOutcome's words, value set issue-type.
_ISSUES = {
    400: "structure",
    401: "login",
    408: "timeout",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    503: "transient",
}


class Listener:
    """See streams.ingest.listen.Listener."""

    def __init__(self, settings: Settings, ingest: Ingest, safe: Acknowledge) -> None:
        self.port = settings.port
        self._settings = settings
        self._translator = Translator(ingest)
        self._safe = safe
        self._token = os.environ.get(TOKEN_ENV, "")
        self._busy_n = 0
        if not self._token and not _is_local(settings.host):
            told = f"set {TOKEN_ENV}: whoever reaches {settings.host} could send results"
            raise ConfigError("--listen", [told])
        application = web.Application(client_max_size=LARGEST_BYTES)
        for method in ("POST", "PUT", "DELETE"):
            application.router.add_route(method, "/{any:.*}", self._asked)
        self._runner = web.AppRunner(
            application, access_log=None, handle_signals=False, logger=_unsaid
        )

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(
            self._runner,
            self._settings.host,
            self._settings.port,
            ssl_context=self._settings.tls,
        )
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()

    async def _asked(self, request: web.Request) -> web.Response:
        if not self._is_allowed(request):
            return _outcome(401, "Authorization")
        if self._busy_n >= MOST_AT_ONCE:
            return _outcome(503, "too many at once")
        self._busy_n += 1
        try:
            return await self._answer(request)
        finally:
            self._busy_n -= 1

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":  # a resource is gone; what it said was said
            return await self._taken([Untranslated("ignored", "DELETE")])
        if request.content_type not in _JSON and request.can_read_body:
            return await self._taken([Untranslated("unsupported", "Content-Type")], never=415)
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                content = await request.read()
        except TimeoutError:
            return _outcome(408, "body")
        except web.HTTPRequestEntityTooLarge:
            return await self._taken([Untranslated("too_large", "body")])
        except web.RequestPayloadError:  # cut short, or not packed as it says
            return await self._taken([Untranslated("unreadable", "body")])
        now = datetime.now(UTC)  # noqa: TID251, the edge has a clock
        return await self._taken(list(self._translator.message(content, now)))

    async def _taken(
        self, translated: Sequence[Translated], never: int | None = None
    ) -> web.Response:
        """Counted in any case; refused only where no event came of it."""
        try:
            async with asyncio.timeout(self._settings.answer_s):
                await self._safe(translated)
        except Exception as error:  # whatever the sink has: the sender keeps the message
            log.warning("a message was not taken: %s", type(error).__name__)
            return _outcome(503, "the events could not be stored")
        refused = [one for one in translated if isinstance(one, Untranslated)]
        if len(refused) == len(translated):
            for one in refused:
                if never is not None or one.reason in _NEVER:
                    return _outcome(never or _NEVER[one.reason], one.where)
        return web.Response(status=200)

    def _is_allowed(self, request: web.Request) -> bool:
        sent = request.headers.get("Authorization", "")
        scheme, _, token = sent.partition(" ")
        told = token.strip().encode("utf-8", "surrogateescape")
        is_bearer = scheme.lower() == "bearer"
        return not self._token or (is_bearer and hmac.compare_digest(told, self._token.encode()))


def _outcome(status: int, where: str) -> web.Response:
    """Why not, by place and never by value."""
    issue = {"severity": "error", "code": _ISSUES[status], "diagnostics": where}
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        status=status,
        headers=headers,
        content_type="application/fhir+json",
        body=msgspec.json.encode({"resourceType": "OperationOutcome", "issue": [issue]}),
    )


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
