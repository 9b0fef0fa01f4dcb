"""Prometheus Alertmanager, API v2: an alert per incident, told again until it is over.

Alertmanager keeps alerts in memory and takes one that nobody repeats for resolved. So what is open
is told again every minute, with an end so far away that a pause of ours resolves nothing. An alert
is its labels: when one of them changes, the alert with the old labels is ended in the same request,
for which the refs keep them. Every node of a cluster must be told: one receiver per node.
"""

import base64

import msgspec

from schemas.notification import Notification
from schemas.routing import Alertmanager
from streams.notifiers import _words
from streams.notifiers._contract import (
    Answer,
    Occasion,
    Pace,
    Refs,
    Request,
    Result,
    Secrets,
)
from streams.notifiers._facts import Facts, Telling, is_over, telling
from streams.notifiers._http import JSON, encode, iso, read_status

SECRETS = ("username", "password")
PACE = Pace(per_s=20.0, at_once=50)
REFRESH_S = 60.0
_HOLDS_US = 86_400_000_000
Labels = dict[str, str]


def render(
    notification: Notification, receiver: Alertmanager, refs: Refs, occasion: Occasion
) -> tuple[Request, ...]:
    """The alerts of its incidents, and the end of those that were told and are no more."""
    told = telling(notification, occasion.page)
    live = [facts for facts in told.incidents if told.action != "resolve" and not is_over(facts)]
    firing = {facts.incident: _key(facts) for facts in live}
    kept = {key: labels for key, labels in refs.items() if _stays(key, labels, told, firing)}
    ended = {labels for key, labels in refs.items() if key not in kept}
    ended |= {_key(facts) for facts in told.incidents if facts not in live}
    alerts = [_firing(facts, occasion.now_us) for facts in live]
    alerts += [_ended(labels, told.at) for labels in sorted(ended)]
    remembered = kept | firing
    url = f"{receiver.url.rstrip('/')}/api/v2/alerts"
    return (Request("POST", url, JSON, encode(alerts), step="alerts", refs=remembered),)


def read(request: Request, answer: Answer) -> Result:
    """By the status."""
    return read_status(request, answer)


def seal(request: Request, secrets: Secrets, now_us: int) -> Request:
    """With basic authentication, where a user is configured."""
    if "username" not in secrets:
        return request
    login = f"{secrets['username']}:{secrets.get('password', '')}".encode()
    basic = f"Basic {base64.b64encode(login).decode()}"
    return request._replace(headers={**request.headers, "Authorization": basic})


def _stays(incident: str, labels: str, told: Telling, firing: Refs) -> bool:
    """Whether an alert stays: told again as it is, or left out of a list that is too long."""
    if incident in firing:
        return firing[incident] == labels
    listed = any(facts.incident == incident for facts in told.incidents)
    return told.action != "resolve" and bool(told.more_n) and not listed


def _key(facts: Facts) -> str:
    return encode(_labels(facts)).decode()


def _labels(facts: Facts) -> Labels:
    labels = {
        "alertname": "radvigil",
        "incident": facts.incident,
        "kind": facts.kind,
        "model": facts.model,
        "severity": facts.severity,
        "site": facts.site,
        "subject": facts.subject,
    }
    return {name: value for name, value in labels.items() if value}


def _firing(facts: Facts, now_us: int) -> dict[str, object]:
    annotations = {
        "summary": facts.title,
        "state": _words.state(facts),
        "runbook_url": facts.runbook,
        "owner": facts.owner,
        "affected": facts.affected,
    }
    alert: dict[str, object] = {
        "labels": _labels(facts),
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": facts.since,
        "endsAt": iso(now_us + _HOLDS_US),
    }
    links = [address for words, address in _words.links(facts) if words != "Runbook"]
    return alert | ({"generatorURL": links[0]} if links else {})


def _ended(labels: str, at: str) -> dict[str, object]:
    return {"labels": msgspec.json.decode(labels, type=Labels), "startsAt": at, "endsAt": at}
