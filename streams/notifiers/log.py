"""The worker's own log: one JSON object a line. It is there without being configured."""

from schemas.notification import Notification
from schemas.routing import Log
from streams.notifiers._contract import (
    Answer,
    Occasion,
    Pace,
    Refs,
    Request,
    Result,
    Secrets,
    Sent,
)
from streams.notifiers._facts import notice, telling
from streams.notifiers._http import encode

SECRETS: tuple[str, ...] = ()
PACE = Pace(per_s=1_000.0, at_once=1_000)
REFRESH_S = None


def render(
    notification: Notification, receiver: Log, refs: Refs, occasion: Occasion
) -> tuple[Request, ...]:
    """The notification, as the webhook has it."""
    line = encode(notice(telling(notification, occasion.page)))
    return (Request("LOG", "", {}, line, step="line", refs={"told": "yes"}),)


def read(request: Request, answer: Answer) -> Result:
    """A line that was written is told."""
    return Sent(request.refs)


def seal(request: Request, secrets: Secrets, now_us: int) -> Request:
    """As it is: it has no secrets."""
    return request
