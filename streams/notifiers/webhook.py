"""Any HTTP endpoint, by Standard Webhooks (standardwebhooks.com, specification 1.0).

`webhook-id` is the notification's id, the same at every try: the receiver's key to know a repeat.
The payload is the allow-list of `_facts.py` as it is, at most 20 KB: what does not fit is counted
in `more_n`. Several secrets, separated by blanks, sign side by side while one replaces the other.
"""

import base64
import hmac

from msgspec.structs import replace

from schemas.notification import Notification
from schemas.routing import Webhook
from streams.notifiers._contract import (
    Answer,
    Occasion,
    Pace,
    Refs,
    Refused,
    Request,
    Result,
    Secrets,
)
from streams.notifiers._facts import Telling, notice, telling
from streams.notifiers._http import JSON, encode, read_status

SECRETS = ("secret",)
PACE = Pace(per_s=10.0, at_once=20)
REFRESH_S = None
LONGEST_BYTES = 20_000
_PREFIX = "whsec_"


def render(
    notification: Notification, receiver: Webhook, refs: Refs, occasion: Occasion
) -> tuple[Request, ...]:
    """The notification, whole."""
    headers = {**JSON, "webhook-id": notification.notification}
    body = _body(telling(notification, occasion.page))
    return (Request("POST", receiver.url, headers, body, refs={"told": "yes"}),)


def read(request: Request, answer: Answer) -> Result:
    """By the status; 410 says that the endpoint is gone for good."""
    return Refused("gone") if answer.status == 410 else read_status(request, answer)


def seal(request: Request, secrets: Secrets, now_us: int) -> Request:
    """With the time and a signature per secret; unsigned where no secret is configured."""
    at = str(now_us // 1_000_000)
    signed = f"{request.headers['webhook-id']}.{at}.".encode() + request.body
    signatures = [_signature(secret, signed) for secret in secrets.get("secret", "").split()]
    headers = {**request.headers, "webhook-timestamp": at}
    if signatures:
        headers["webhook-signature"] = " ".join(signatures)
    return request._replace(headers=headers)


def _body(told: Telling) -> bytes:
    for n in range(len(told.incidents), 0, -1):
        left_out_n = len(told.incidents) - n
        data = replace(told, incidents=told.incidents[:n], more_n=told.more_n + left_out_n)
        body = encode(notice(data))
        if len(body) <= LONGEST_BYTES:
            break
    return body


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
