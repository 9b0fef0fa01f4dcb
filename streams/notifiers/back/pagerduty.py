"""What people did in PagerDuty: its webhooks, version 3.

developer.pagerduty.com, Verifying webhook signatures: `X-PagerDuty-Signature` holds several
`v1=` and HMAC-SHA256 of the body, one per secret. Only what a person did there is taken: what our
own events or PagerDuty's timers brought about comes without a user, and nothing here may end by a
timer that knows no evidence.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from schemas.command import Action, Command
from schemas.fields import Name
from streams.clock import from_us
from streams.notifiers.back import NotTaken, actor

# Nothing reopens an episode that is over; the command is then refused, and says so.
_ACTS: dict[str, Action] = {
    "incident.acknowledged": "acknowledge",
    "incident.unacknowledged": "unacknowledge",
    "incident.resolved": "resolve",
    "incident.reopened": "unacknowledge",
}
Find = Callable[[str], Sequence[tuple[str, str]]]


class _Agent(Struct):
    id: Name
    type: str = ""


class _Data(Struct, frozen=True):
    incident_key: str | None = None


class _Event(Struct):
    id: Name
    event_type: str
    agent: _Agent | None = None
    data: _Data = _Data()


class Payload(Struct):
    """The body of a webhook; only what is needed of it."""

    event: _Event


def is_genuine(signatures: str, body: bytes, secrets: Iterable[str]) -> bool:
    """Whether one of the signatures in the header is by one of our secrets."""
    given = [part.strip().removeprefix("v1=") for part in signatures.split(",")]
    expected = [hmac.new(secret.encode(), body, "sha256").hexdigest() for secret in secrets]
    return any(_equal(one, other) for one in expected for other in given)


def by_http(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str],
    now_us: int,
    users: Mapping[str, str],
    find: Find,
) -> list[Command] | NotTaken:
    """The commands of a webhook, one per incident; header names in lower case.

    `find` gives the incidents (id and site) that were told under a dedup key; `users` maps
    PagerDuty's ids of people to the names that they act under, empty lets everybody act. The same
    event again gives the same ids.
    """
    if not is_genuine(headers.get("x-pagerduty-signature", ""), body, secrets):
        return NotTaken("signature")
    try:
        event = msgspec.json.decode(body, type=Payload).event
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NotTaken("malformed")
    action = _ACTS.get(event.event_type)
    if action is None:
        return NotTaken("no_act")
    who = _person(event, users)
    if isinstance(who, NotTaken):
        return who
    found = find(event.data.incident_key or "")
    return _commands(event, action, who, found, now_us) or NotTaken("unknown_incident")


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode(errors="replace"))


def _person(event: _Event, users: Mapping[str, str]) -> str | NotTaken:
    if event.agent is None or event.agent.type != "user_reference":
        return NotTaken("no_person")
    return actor("pagerduty", event.agent.id, users) or NotTaken("unknown_user")


def _commands(
    event: _Event, action: Action, who: str, found: Sequence[tuple[str, str]], now_us: int
) -> list[Command]:
    return [
        Command(
            command_id=event.id if index == 0 else f"{event.id[:240]}-{index}",
            site=site,
            action=action,
            actor=who,
            at=from_us(now_us),
            incident=incident,
            origin="pagerduty",
        )
        for index, (incident, site) in enumerate(found)
    ]
