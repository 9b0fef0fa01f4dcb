"""Notifications and receivers of every kind, in few words."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import msgspec
from msgspec.structs import replace

from schemas.incident import Evidence, Incident, Slice
from schemas.notification import Notification
from schemas.routing import (
    Alertmanager,
    Email,
    Log,
    PagerDuty,
    Receiver,
    Slack,
    Teams,
    Webhook,
)
from streams.clock import to_us
from streams.notifiers import Occasion, Refs, Request, kind_of, of

OPENED = datetime(2026, 1, 5, 8, 13, 27, tzinfo=UTC)
AT = datetime(2026, 1, 5, 8, 21, 44, tzinfo=UTC)
NOW_US = to_us(datetime(2026, 1, 5, 8, 22, 3, tzinfo=UTC))
PAGE = "https://radvigil.hospital.example/"
OCCASION = Occasion(NOW_US, PAGE)
PLANT = "Mustermann^Erika"
INCIDENT = "2f0a6f9e-52b1-5b62-9f7c-0c8f7e7f4a11"

RECEIVERS: dict[str, Receiver] = {
    "alertmanager": Alertmanager(name="am", url="http://alertmanager:9093"),
    "email": Email(
        name="mail",
        host="mail.example",
        sender="radvigil <radvigil@hospital.example>",
        to=["oncall@hospital.example", "Lead <lead@hospital.example>"],
    ),
    "log": Log(name="log"),
    "pagerduty": PagerDuty(name="pager", routing_key_env="PD"),
    "slack": Slack(name="oncall", channel="#ai-watch", token_env="SLACK"),
    "teams": Teams(name="teams", url_env="TEAMS"),
    "webhook": Webhook(name="hook", url="https://hook.example/radvigil", secret_env="HOOK"),
}
SECRETS: dict[str, dict[str, str]] = {
    "alertmanager": {"username": "radvigil", "password": "s3cret-password"},
    "email": {"username": "radvigil", "password": "s3cret-password"},
    "log": {},
    "pagerduty": {"routing_key": "s3cret0123456789s3cret0123456789"},
    "slack": {"token": "xoxb-s3cret"},
    "teams": {"url": "https://flow.example/run?sig=s3cret"},
    "webhook": {"secret": "whsec_czNjcmV0czNjcmV0czNjcmV0czNjcmV0"},
}
# What earlier answers have left, by kind.
TOLD: dict[str, Refs] = {
    "alertmanager": {
        INCIDENT: '{"alertname":"radvigil","incident":"' + INCIDENT + '","kind":"missing_output",'
        '"model":"ptx","severity":"critical","site":"north"}'
    },
    "email": {"message_id": "<first@hospital.example>"},
    "log": {"told": "yes"},
    "pagerduty": {"state": "trigger"},
    "slack": {"channel": "C024BE91L", "ts": "1767601287.000200"},
    "teams": {"told": "yes"},
    "webhook": {"told": "yes"},
}


def incident(**fields: Any) -> Incident:
    """A critical outage with 12 studies; whatever may not leave has a name planted in it."""
    given: dict[str, Any] = {
        "incident": INCIDENT,
        "seq": 3,
        "fingerprint": f"fp-{PLANT}",
        "kind": "missing_output",
        "state": "open",
        "reason": "opened",
        "severity": "critical",
        "site": "north",
        "title": "ptx at north gives no result: 12 studies past the deadline",
        "opened_at": OPENED,
        "last_seen": AT,
        "at": AT,
        "evidence": evidence(),
        "model": "ptx",
        "model_version": "2.1.0",
        "actor": PLANT,
        "note": f"called about {PLANT}",
        "runbook": "https://wiki.hospital.example/ptx",
        "owner": "imaging-ai-oncall",
        "suggested_codes": [PLANT],
    }
    return Incident(**(given | fields))


def evidence(**fields: Any) -> Evidence:
    given: dict[str, Any] = {
        "detector": PLANT,
        "affected_count": 12,
        "before": 0.2512,
        "after": 0.5,
        "reference_n": 2000,
        "current_n": 40,
        "since": OPENED,
        "slices": [Slice(slice=f"patient.name={PLANT}", share=0.5, shift=1.0)],
        "examples": [PLANT, f"h1:{PLANT}"],
    }
    return Evidence(**(given | fields))


def notification(**fields: Any) -> Notification:
    given: dict[str, Any] = {
        "notification": "7d3b9c9e-8f4f-5f0b-9f59-8f1f1c9b7e10",
        "receiver": "oncall",
        "site": "north",
        "key": INCIDENT,
        "number": 1,
        "action": "open",
        "why": "opened",
        "disturb": True,
        "incidents": [incident()],
        "at": AT,
    }
    return Notification(**(given | fields))


def several(n: int, more_n: int = 0, **fields: Any) -> Notification:
    """A digest of n incidents, every other one resolved."""
    incidents = [
        incident(
            incident=f"incident-{index}",
            model=f"model-{index}",
            state="resolved" if index % 2 else "open",
            severity="error" if index else "warning",
        )
        for index in range(n)
    ]
    given = {"key": "digest-1", "why": "digest", "incidents": incidents, "more_n": more_n}
    return notification(**(given | fields))


def in_state(state: str) -> Notification:
    """What a receiver is told when an incident is in a state, the first time for `open`."""
    words = {
        "pending": ("open", "opened"),
        "open": ("open", "opened"),
        "acknowledged": ("update", "acknowledged"),
        "resolving": ("update", "recovering"),
        "resolved": ("resolve", "resolved"),
        "closed": ("resolve", "resolved"),
    }
    action, why = words[state]
    return notification(action=action, why=why, incidents=[incident(state=state)])


def render(
    receiver: Receiver,
    told: Notification,
    refs: Refs | None = None,
    occasion: Occasion = OCCASION,
) -> tuple[Request, ...]:
    return of(receiver).render(told, receiver, refs or {}, occasion)


def readable(receiver: Receiver, request: Request) -> str:
    """All that leaves, mail decoded."""
    head = [request.method, request.url, *map(": ".join, request.headers.items())]
    if kind_of(receiver) != "email":
        return "\n".join([*head, request.body.decode()])
    message = message_from_bytes(request.body, policy=policy.default)
    headers = [f"{name}: {value}" for name, value in message.items()]
    parts = [part.get_content() for part in message.iter_parts()]  # type: ignore[attr-defined]
    return "\n".join([*head, "", *headers, "", *parts])


def pretty(receiver: Receiver, requests: tuple[Request, ...]) -> str:
    """For the golden files: requests as a person reads them."""
    blocks = []
    for request in requests:
        text = readable(receiver, request)
        if kind_of(receiver) != "email":
            head = text.removesuffix(request.body.decode())
            text = head + msgspec.json.format(request.body, indent=2).decode()
        blocks.append(text.replace("\r\n", "\n").rstrip("\n"))
    return "\n\n---\n\n".join(blocks) + "\n" if blocks else "(nothing is sent)\n"


def with_text(told: Notification, text: str) -> Notification:
    """The same with a text in every field that may leave."""
    fields = ("incident", "title", "model", "model_version", "subject", "owner", "runbook")
    longest = {"title": 200}
    values = {name: text[: longest.get(name, 256)] or "x" for name in fields}
    incidents = [replace(one, **values) for one in told.incidents]
    return replace(told, incidents=incidents, key=(text or "x")[:256])
