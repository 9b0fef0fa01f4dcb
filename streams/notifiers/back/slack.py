"""The buttons of a Slack message: by signed HTTP, or as the payload of a Socket Mode envelope.

docs.slack.dev, Verifying requests from Slack: `v0=` and HMAC-SHA256 of `v0:timestamp:body`, and
nothing older than five minutes.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta, Struct

from schemas.command import Action, Command
from schemas.fields import Name
from streams.clock import from_us
from streams.notifiers.back import NotTaken, actor

WINDOW_S = 300
SILENCE_US = 3_600_000_000
_ACTS: dict[str, Action] = {"acknowledge": "acknowledge", "silence": "silence"}


class _User(Struct):
    id: Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,32}$")]


class _Act(Struct):
    action_id: Name
    action_ts: Name
    value: Annotated[str, Meta(max_length=2000)] = ""


class Payload(Struct, tag_field="type", tag="block_actions"):
    """What Slack sends when somebody presses a button; only what is needed of it."""

    user: _User
    actions: Annotated[list[_Act], Meta(min_length=1)]


def by_http(
    headers: Mapping[str, str],
    body: bytes,
    secret: str,
    now_us: int,
    users: Mapping[str, str],
) -> Command | NotTaken:
    """The command of a request that Slack sent; header names in lower case.

    `users` maps Slack's ids of people to the names that they act under; empty lets everybody act.
    """
    stamp = headers.get("x-slack-request-timestamp", "")
    signed = b"v0:" + stamp.encode(errors="replace") + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, "sha256").hexdigest()
    given = headers.get("x-slack-signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
        return NotTaken("signature")
    if not (stamp.isascii() and stamp.isdecimal()):
        return NotTaken("signature")
    if abs(now_us // 1_000_000 - int(stamp)) > WINDOW_S:
        return NotTaken("stale")
    payload = parse_qs(body.decode(errors="replace")).get("payload", [""])[0]
    return by_payload(payload.encode(), now_us, users)


def by_payload(payload: bytes, now_us: int, users: Mapping[str, str]) -> Command | NotTaken:
    """The command of a payload that is known to come from Slack.

    The same press again gives the same `command_id`, so a repeat does nothing.
    """
    try:
        pressed = msgspec.json.decode(payload, type=Payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NotTaken("malformed")
    act = pressed.actions[0]
    action = _ACTS.get(act.action_id)
    if action is None:  # a link was opened: Slack tells that too
        return NotTaken("no_act")
    who = actor("slack", pressed.user.id, users)
    if who is None:
        return NotTaken("unknown_user")
    return _command(act, action, who, now_us) or NotTaken("malformed")


def _command(act: _Act, action: Action, who: str, now_us: int) -> Command | None:
    incident, _, rest = act.value.rpartition(":")[0].rpartition(":")
    site = act.value.rpartition(":")[2]
    acknowledges = action == "acknowledge"
    raw = {
        "type": "radvigil.command.v1",
        "command_id": _command_id(act, who),
        "site": site,
        "action": action,
        "actor": who,
        "at": from_us(now_us),
        "incident": incident,
        # To acknowledge what has changed since would be to acknowledge unseen; a silence is not.
        "expected_seq": int(rest) if acknowledges and rest.isdecimal() else None,
        "until": None if acknowledges else from_us(now_us + SILENCE_US),
        "origin": "slack",
    }
    try:
        return msgspec.convert(raw, Command)
    except msgspec.ValidationError:
        return None


def _command_id(act: _Act, who: str) -> str:
    pressed = "\n".join((who, act.action_id, act.action_ts, act.value))
    return f"slack-{sha256(pressed.encode()).hexdigest()[:32]}"
