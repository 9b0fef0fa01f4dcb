"""One request over HTTP, and what came of it in closed words.

No exception leaves with an address or a secret in it: errors of HTTP clients repeat addresses.
Redirects are not followed, they would carry secrets on.
"""

import ssl
from email.utils import formatdate

import aiohttp

from streams.notifiers import Answer, Refused, Request, Retry, Unknown

CONNECT_S = 10.0
TIMEOUT_S = 30.0
_LONGEST_ANSWER = 65_536
Met = Answer | Retry | Refused | Unknown


def session(timeout_s: float = TIMEOUT_S) -> aiohttp.ClientSession:
    """Keeps no cookies, and uses the environment's proxies."""
    timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)
    return aiohttp.ClientSession(
        trust_env=True, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    )


async def carry(
    session: aiohttp.ClientSession,
    request: Request,
    trust: ssl.SSLContext,
    proxy: str | None = None,
    longest: int = _LONGEST_ANSWER,
) -> Met:
    """Send it; of the answer at most `longest` bytes. Unknown: perhaps it arrived."""
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
