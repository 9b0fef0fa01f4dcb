"""Asks a server over HTTP. No error repeats an address, a header or an answer.

Addresses of such servers hold identifiers, and errors of HTTP clients repeat addresses.
"""

import ssl
from typing import NamedTuple, Self

import aiohttp

from streams.ingest.read._contract import Away, Gone, Refused

CONNECT_S = 10.0
TIMEOUT_S = 120.0
LARGEST_BYTES = 256 * 1024 * 1024
_LATER = frozenset({408, 425, 429, 502, 503, 504})
_CHUNK_BYTES = 1 << 16


class Server(NamedTuple):
    """Where it is, and as whom to ask."""

    url: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None


class Http:
    """Open while it is entered. See streams.ingest.read.Get."""

    def __init__(self, server: Server, timeout_s: float = TIMEOUT_S) -> None:
        self._server = server
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        name, password = self._server.username, self._server.password
        headers = {}
        if name is not None:
            headers["Authorization"] = aiohttp.encode_basic_auth(name, password or "", "utf-8")
        self._session = aiohttp.ClientSession(
            trust_env=True,
            timeout=self._timeout,
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(ssl=self._server.tls or True),
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def __call__(self, path: str, accept: str = "application/json") -> bytes:
        """The content. Redirects are not followed, they would carry the password on."""
        assert self._session is not None, "not entered"
        url = self._server.url.rstrip("/") + path
        try:
            async with self._session.get(
                url, headers={"Accept": accept}, allow_redirects=False
            ) as answer:
                _check(answer.status)
                return await _content(answer)
        except aiohttp.ClientConnectorCertificateError:
            raise Refused("its certificate is not trusted (`ingest.server.ca_file`)") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(type(error).__name__) from None


def _check(status: int) -> None:
    if status in (401, 403):
        raise Refused(f"it refuses us (HTTP {status}): see `ingest.server` for name and password")
    if status in _LATER:
        raise Away(f"HTTP {status}")
    if 300 <= status < 400:
        raise Refused(f"it sends us elsewhere (HTTP {status}): name the final address")
    if status >= 400:
        raise Gone(f"HTTP {status}")


async def _content(answer: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
        size += len(chunk)
        if size > LARGEST_BYTES:
            raise Gone("too large")
        chunks.append(chunk)
    return b"".join(chunks)
