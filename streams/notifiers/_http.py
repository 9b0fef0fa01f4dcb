"""What HTTP answers mean where a provider has no word of its own for it."""

from email.utils import parsedate_to_datetime

import msgspec

from streams.clock import from_us, to_us
from streams.notifiers._contract import Answer, Refused, Request, Result, Retry, Sent, Unknown

JSON = {"Content-Type": "application/json; charset=utf-8"}
_AGAIN = frozenset({408, 425, 429})
# The gateway or the server failed after it had the request: it may have done what was asked.
_PERHAPS_DONE = frozenset({500, 502, 504})


def read_status(request: Request, answer: Answer) -> Result:
    """By the status alone: 2xx accepted; 408, 425, 429 and 5xx again; anything else is refused."""
    why = f"http_{answer.status}"
    if 200 <= answer.status < 300:
        return Sent(request.refs)
    if answer.status in _AGAIN:
        return Retry(why, retry_after_s(answer))
    if answer.status in _PERHAPS_DONE and not request.repeatable:
        return Unknown(why)
    if answer.status >= 500:
        return Retry(why, retry_after_s(answer))
    return Refused(why)


def retry_after_s(answer: Answer) -> float | None:
    """RFC 9110, 10.2.3: seconds, here with decimals too, or a date, taken from the answer's own.

    >>> retry_after_s(Answer(429, {"retry-after": "1.5"}))
    1.5
    >>> retry_after_s(Answer(429, {"retry-after": "Mon, 05 Jan 2026 08:00:30 GMT",
    ...                            "date": "Mon, 05 Jan 2026 08:00:00 GMT"}))
    30.0
    """
    said = answer.headers.get("retry-after", "").strip()
    if said.replace(".", "", 1).isdecimal() and said.isascii():
        return float(said)
    until_us, now_us = _date_us(said), _date_us(answer.headers.get("date", ""))
    if until_us is None or now_us is None:
        return None
    return max(0.0, (until_us - now_us) / 1e6)


def _date_us(written: str) -> int | None:
    try:
        return to_us(parsedate_to_datetime(written))
    except (ValueError, TypeError, OverflowError):
        return None


def iso(us: int) -> str:
    """RFC 3339 in whole seconds.

    >>> iso(1_500_000)
    '1970-01-01T00:00:01Z'
    """
    return from_us(us - us % 1_000_000).isoformat().replace("+00:00", "Z")


def encode(payload: object) -> bytes:
    """JSON."""
    return msgspec.json.encode(payload)
