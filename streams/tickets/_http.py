"""What trackers have in common: JSON over HTTP, a user or a bearer token."""

from base64 import b64encode
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from schemas.tickets import Tracked
from streams.notifiers import Answer, Request, Result, Retry, Secrets, Unknown
from streams.notifiers._http import encode, read_status
from streams.tickets._contract import Unreadable

T = TypeVar("T")
_HEADERS = {"Accept": "application/json", "Content-Type": "application/json; charset=utf-8"}
_UNAUTHORISED = frozenset({401, 407})


def ask(settings: Tracked, step: str, path: str, query: Mapping[str, str] | None = None) -> Request:
    """A question, that may be asked as often as one likes."""
    asked = f"?{urlencode(query)}" if query else ""
    return Request("GET", _url(settings, path) + asked, _HEADERS, b"", step=step)


def tell(settings: Tracked, method: str, step: str, path: str, body: object) -> Request:
    """Something to be done; only a creation cannot be repeated without looking first."""
    again = step != "create"
    return Request(
        method, _url(settings, path), _HEADERS, encode(body), step=step, repeatable=again
    )


def read(request: Request, answer: Answer) -> Result:
    """By the status. Without access all is waited for, until somebody has mended it.

    Of a creation that failed with 5xx nobody knows whether it was done.
    """
    has_no_access = answer.status == 403 and request.step in ("search", "create")
    if answer.status in _UNAUTHORISED or has_no_access:
        return Retry(f"http_{answer.status}")
    result = read_status(request, answer)
    if isinstance(result, Retry) and answer.status >= 500 and not request.repeatable:
        return Unknown(result.why)
    return result


def seal(request: Request, secrets: Secrets) -> Request:
    """With the user and the token in it (RFC 7617), or the token alone (RFC 6750)."""
    token = secrets["token"]
    if user := secrets.get("user"):
        word = f"Basic {b64encode(f'{user}:{token}'.encode()).decode()}"
    else:
        word = f"Bearer {token}"
    return request._replace(headers={**request.headers, "Authorization": word})


def content(answer: Answer, kind: type[T]) -> T:
    """The body, as a struct. Raises Unreadable."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.DecodeError:
        raise Unreadable from None


def _url(settings: Tracked, path: str) -> str:
    return settings.url.rstrip("/") + path
