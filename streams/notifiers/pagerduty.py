"""PagerDuty, Events API v2: one alert per incident, found again by its key.

The key is of the episode, not of the fingerprint: a resolve of an old episode that is told once
more must not close the new one. Limits: developer.pagerduty.com, Events API v2 (summary 1024
characters, key 255, 512 KB; 429 asks for half a minute).
"""

from hashlib import sha256

from schemas.notification import Notification
from schemas.routing import PagerDuty
from streams.notifiers import _words
from streams.notifiers._contract import (
    Answer,
    Occasion,
    Pace,
    Refs,
    Request,
    Result,
    Retry,
    Secrets,
)
from streams.notifiers._facts import Telling, is_over, telling
from streams.notifiers._http import JSON, encode, read_status
from streams.notifiers._text import shorten

SECRETS = ("routing_key",)
PACE = Pace(per_s=100 / 60, at_once=20)
REFRESH_S = None
PREFIX = "rv-"
_SUMMARY, _KEY, _SOURCE = 1024, 255, 255
_WAIT_S = 30.0
_ROUTING_KEY = b'{"routing_key":"",'


def render(
    notification: Notification, receiver: PagerDuty, refs: Refs, occasion: Occasion
) -> tuple[Request, ...]:
    """An event that moves the alert to where the incident is; none where it is there already.

    What is over before PagerDuty was told of it pages nobody: a resolve of what it does not know is
    dropped there. What somebody had acknowledged by then is triggered and acknowledged at once.
    """
    told = telling(notification, occasion.page)
    was = refs.get("state", "")
    actions = _actions(was, _state(told), told.disturb, occasion.is_doubtful)
    return tuple(_event(told, receiver, action) for action in actions)


def read(request: Request, answer: Answer) -> Result:
    """202 accepted; 429 asks for a longer pause than others do."""
    result = read_status(request, answer)
    if answer.status == 429 and isinstance(result, Retry):
        return result._replace(after_s=max(_WAIT_S, result.after_s or 0.0))
    return result


def seal(request: Request, secrets: Secrets, now_us: int) -> Request:
    """With the integration's key, which PagerDuty wants in the body."""
    rest = request.body.removeprefix(_ROUTING_KEY)
    key = b'{"routing_key":' + encode(secrets["routing_key"]) + b","
    return request._replace(body=key + rest)


def dedup_key(key: str) -> str:
    """What PagerDuty knows the alert by: `rv-` and the key, hashed where that is too long."""
    whole = PREFIX + key
    fits = len(whole.encode()) <= _KEY
    return whole if fits else PREFIX + sha256(key.encode()).hexdigest()


def _actions(was: str, now: str, disturb: bool, doubtful: bool) -> tuple[str, ...]:
    """From the state the alert was left in, "" for none, to where it belongs.

    No event takes an acknowledgement back: only a new alert pages anybody again.
    """
    unseen = was in ("", "resolve") or doubtful
    if now == "resolve":
        return (now,)
    if now == "acknowledge":
        return ("trigger", now) if unseen else () if was == now else (now,)
    if was == "acknowledge" and disturb:
        return ("resolve", now)
    return (now,) if unseen or disturb else ()


def _state(told: Telling) -> str:
    if told.action == "resolve":
        return "resolve"
    live = [facts for facts in told.incidents if not is_over(facts)]
    taken = bool(live) and all(facts.state == "acknowledged" for facts in live)
    return "acknowledge" if taken and not told.more_n else "trigger"


def _event(told: Telling, receiver: PagerDuty, action: str) -> Request:
    event: dict[str, object] = {
        "routing_key": "",
        "event_action": action,
        "dedup_key": dedup_key(told.key),
    }
    if action == "trigger":
        event |= {"client": "radvigil", "payload": _payload(told)}
        links = _links(told)
        if links:
            event |= {"client_url": links[0]["href"], "links": links}
    refs = {"state": action}
    return Request("POST", receiver.url, JSON, encode(event), step=action, refs=refs)


def _payload(told: Telling) -> dict[str, object]:
    alone = told.alone
    head = _words.headline(told)
    payload: dict[str, object] = {
        "summary": shorten(f"{head}. {alone.title}" if alone else head, _SUMMARY),
        "source": shorten(_words.whose(alone) if alone else told.site, _SOURCE),
        "severity": told.severity,  # the same four words
        "timestamp": min(facts.since for facts in told.incidents),
        "group": told.site,
        "class": alone.kind if alone else "several",
    }
    if alone and alone.model:
        payload["component"] = alone.model
    return payload | {"custom_details": _details(told)}


def _details(told: Telling) -> dict[str, object]:
    alone = told.alone
    if alone:
        return {**dict(_words.rows(alone)), "Incident": alone.incident}
    lines = [f"{_words.state(facts)}: {facts.title}" for facts in told.incidents]
    return {"Incidents": [line for line in (*lines, _words.more(told)) if line]}


def _links(told: Telling) -> list[dict[str, str]]:
    links = _words.links(told.incidents[0])
    return [{"href": address, "text": words} for words, address in links]
