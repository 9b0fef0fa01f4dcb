"""One request over HTTP, and what came of it in closed words.

No exception leaves with an address or a secret in it: errors of HTTP clients repeat addresses.
Redirects are not followed, they would carry secrets on.
"""

import ssl
from email.utils import formatdate
from typing import Self

import aiohttp

from streams.notifiers import Answer, Refused, Request, Retry, Unknown

CONNECT_S = 10.0
TIMEOUT_S = 30.0
_LONGEST_ANSWER = 65_536
Met = Answer | Retry | Refused | Unknown


class Client:
    """Open while it is entered. Keeps no cookies, and uses the environment's proxies."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            trust_env=True, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def carry(
        self,
        request: Request,
        trust: ssl.SSLContext,
        proxy: str | None = None,
        longest: int = _LONGEST_ANSWER,
    ) -> Met:
        """Send it; of the answer at most `longest` bytes. Unknown: perhaps it arrived."""
        if self._session is None:
            raise RuntimeError("the client is not entered")
        return await _carry(self._session, request, trust, proxy, longest)


async def _carry(
    session: aiohttp.ClientSession,
    request: Request,
    trust: ssl.SSLContext,
    proxy: str | None,
    longest: int,
) -> Met:
    try:
        async with session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            proxy=proxy,
            ssl=trust,
            allow_redirects=False,
        ) as response:
            return await _answer(response, longest)
    except aiohttp.InvalidURL:
        return Refused("bad_address")
    except aiohttp.ClientSSLError:
        return Retry("certificate")
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        return Retry("unreachable")
    except TimeoutError:
        return Unknown("timeout")
    except (aiohttp.ClientError, OSError):
        return Unknown("disconnected")


async def _answer(response: aiohttp.ClientResponse, longest: int) -> Answer:
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) >= longest:
            break
    headers = {"date": formatdate(usegmt=True)}
    headers |= {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, body[:longest])
