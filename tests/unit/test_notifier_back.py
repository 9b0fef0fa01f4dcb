"""Buttons and webhooks become commands of the people who acted, once, and of nobody else."""

import hmac
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from schemas.command import Command
from streams.clock import from_us
from streams.notifiers.back import NotTaken, pagerduty, slack
from tests.unit.notices import INCIDENT, NOW_US, RECEIVERS, in_state, render

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW_S = NOW_US // 1_000_000


def pressed(**fields: Any) -> dict[str, Any]:
    act = {
        "type": "button",
        "action_id": "acknowledge",
        "value": f"{INCIDENT}:3:north",
        "action_ts": "1767601323.5",
    }
    return {
        "type": "block_actions",
        "user": {"id": "U024BE7LH", "name": "anna"},
        "team": {"id": "T1"},
        "actions": [act | fields],
    }


def by_http(payload: Any, at_s: int = NOW_S, secret: str = SECRET) -> Command | NotTaken:
    body = urlencode({"payload": msgspec.json.encode(payload).decode()}).encode()
    signed = b"v0:%d:" % at_s + body
    signature = "v0=" + hmac.new(SECRET.encode(), signed, "sha256").hexdigest()
    headers = {"x-slack-request-timestamp": str(at_s), "x-slack-signature": signature}
    return slack.by_http(headers, body, secret, NOW_US, {})


def by_socket(users: dict[str, str] | None = None, **fields: Any) -> Command | NotTaken:
    return slack.by_payload(msgspec.json.encode(pressed(**fields)), NOW_US, users or {})


def test_a_press_is_a_command_of_who_pressed() -> None:
    command = by_http(pressed())

    assert isinstance(command, Command)
    assert (command.action, command.incident, command.site) == ("acknowledge", INCIDENT, "north")
    assert (command.expected_seq, command.actor, command.origin) == (3, "slack:U024BE7LH", "slack")
    assert command == by_socket()


def test_a_silence_ends_after_an_hour_and_holds_whatever_comes() -> None:
    command = by_socket(action_id="silence")

    assert isinstance(command, Command)
    assert command.until == from_us(NOW_US + 3_600_000_000)
    assert command.expected_seq is None


def test_the_same_press_is_the_same_command_and_another_is_another() -> None:
    first, again, later = by_socket(), by_socket(), by_socket(action_ts="1767601399.0")

    assert isinstance(first, Command) and isinstance(later, Command)
    assert first == again
    assert first.command_id != later.command_id


def test_the_buttons_of_a_message_are_ones_that_are_understood() -> None:
    (request,) = render(RECEIVERS["slack"], in_state("open"))
    blocks = msgspec.json.decode(request.body)["blocks"]
    buttons = next(block["elements"] for block in blocks if block["type"] == "actions")

    told = [by_socket(action_id=b["action_id"], value=b.get("value", "")) for b in buttons]

    assert [one.action for one in told[:2] if isinstance(one, Command)] == [
        "acknowledge",
        "silence",
    ]
    assert told[2:] == [NotTaken("no_act")] * 2


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (pressed(value="nonsense"), "malformed"),
        (pressed(value=f"{INCIDENT}:3:No Such Site"), "malformed"),
        (pressed(value=":3:north"), "malformed"),
        (pressed(value="x" * 3000), "malformed"),
        (pressed(action_id="resolve"), "no_act"),
        ({"type": "view_submission"}, "malformed"),
        (pressed() | {"actions": []}, "malformed"),
        (pressed() | {"user": {"id": "<!channel>"}}, "malformed"),
        ([], "malformed"),
    ],
)
def test_what_is_no_command(payload: Any, why: str) -> None:
    assert by_http(payload) == NotTaken(why)


@pytest.mark.parametrize(
    ("at_s", "secret", "why"),
    [
        (NOW_S, "another", "signature"),
        (NOW_S - 301, SECRET, "stale"),
        (NOW_S + 301, SECRET, "stale"),
    ],
)
def test_what_slack_did_not_send_now_is_not_taken(at_s: int, secret: str, why: str) -> None:
    assert by_http(pressed(), at_s, secret) == NotTaken(why)


@given(
    body=st.binary(max_size=64),
    at_s=st.integers(NOW_S - 400, NOW_S + 400),
    spoilt=st.booleans(),
)
def test_slack_sdk_takes_a_signature_where_we_do(body: bytes, at_s: int, spoilt: bool) -> None:
    class Now(Clock):
        def now(self) -> float:
            return float(NOW_S)

    oracle = SignatureVerifier(SECRET, Now())
    text = body.decode(errors="replace").encode()
    signature = oracle.generate_signature(timestamp=str(at_s), body=text)
    assert signature is not None
    if spoilt:
        signature = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    headers = {"x-slack-request-timestamp": str(at_s), "x-slack-signature": signature}

    ours = slack.by_http(headers, text, SECRET, NOW_US, {})

    valid = oracle.is_valid(body=text, timestamp=str(at_s), signature=signature)
    assert (ours not in (NotTaken("signature"), NotTaken("stale"))) == valid


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-slack-signature": "v0=\udcff", "x-slack-request-timestamp": "\udcff"},
        {"x-slack-signature": "é", "x-slack-request-timestamp": "1e9"},
    ],
)
def test_odd_headers_are_a_bad_signature(headers: dict[str, str]) -> None:
    assert slack.by_http(headers, b"x", SECRET, NOW_US, {}) == NotTaken("signature")
    odd = {"x-pagerduty-signature": headers.get("x-slack-signature", "")}
    told = pagerduty.by_http(odd, b"{}", ["a"], NOW_US, {}, lambda key: [])
    assert told == NotTaken("signature")


def test_who_is_not_listed_may_not_act() -> None:
    allowed = by_socket({"U024BE7LH": "anna"})

    assert isinstance(allowed, Command) and allowed.actor == "anna"
    assert by_socket({"U0000000": "bert"}) == NotTaken("unknown_user")


def event(**fields: Any) -> bytes:
    given = {
        "id": "01CXB0PZ5",
        "event_type": "incident.acknowledged",
        "resource_type": "incident",
        "occurred_at": "2026-01-05T08:22:00Z",
        "agent": {"id": "PXPGF42", "type": "user_reference", "summary": "Erika Mustermann"},
        "data": {"id": "PT4KHLK", "type": "incident", "incident_key": f"rv-{INCIDENT}"},
    }
    return msgspec.json.encode({"event": given | fields})


def find(key: str) -> list[tuple[str, str]]:
    return [(INCIDENT, "north")] if key == f"rv-{INCIDENT}" else []


def webhook(
    body: bytes, users: dict[str, str] | None = None, signed_by: tuple[str, ...] = ("new",)
) -> list[Command] | NotTaken:
    signatures = [hmac.new(key.encode(), body, "sha256").hexdigest() for key in signed_by]
    header = ", ".join(f"v1={signature}" for signature in signatures)
    headers = {"x-pagerduty-signature": header}
    return pagerduty.by_http(headers, body, ["old", "new"], NOW_US, users or {}, find)


@pytest.mark.parametrize(
    ("event_type", "action"),
    [
        ("incident.acknowledged", "acknowledge"),
        ("incident.unacknowledged", "unacknowledge"),
        ("incident.resolved", "resolve"),
        ("incident.reopened", "unacknowledge"),
    ],
)
def test_what_a_person_does_in_pagerduty_shows_here(event_type: str, action: str) -> None:
    commands = webhook(event(event_type=event_type))

    assert isinstance(commands, list)
    (command,) = commands
    assert (command.action, command.incident, command.site) == (action, INCIDENT, "north")
    assert (command.command_id, command.actor) == ("01CXB0PZ5", "pagerduty:PXPGF42")
    assert command.origin == "pagerduty"
    assert "Mustermann" not in repr(command)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (event(event_type="incident.triggered"), "no_act"),
        (event(event_type="pagey.ping"), "no_act"),
        (event(agent=None), "no_person"),
        (event(agent={"id": "PS", "type": "inbound_integration_reference"}), "no_person"),
        (event(data={"incident_key": "somebody-elses"}), "unknown_incident"),
        (event(data={"incident_key": None}), "unknown_incident"),
        (b"{}", "malformed"),
        (b"\xff", "malformed"),
        (b'{"event":7}', "malformed"),
    ],
)
def test_what_nobody_did_is_not_taken(body: bytes, why: str) -> None:
    assert webhook(body) == NotTaken(why)


def test_one_of_several_signatures_is_enough_and_a_strange_one_is_not() -> None:
    assert isinstance(webhook(event(), signed_by=("unknown", "old")), list)
    assert webhook(event(), signed_by=("unknown",)) == NotTaken("signature")
    assert webhook(event(), signed_by=()) == NotTaken("signature")


def test_who_is_not_listed_may_not_act_in_pagerduty_either() -> None:
    assert isinstance(webhook(event(), {"PXPGF42": "anna"}), list)
    assert webhook(event(), {"P0": "bert"}) == NotTaken("unknown_user")


def test_a_digest_is_a_command_for_each_of_its_incidents() -> None:
    body = event()
    headers = {"x-pagerduty-signature": "v1=" + hmac.new(b"k", body, "sha256").hexdigest()}
    found = [("one", "north"), ("two", "south")]

    commands = pagerduty.by_http(headers, body, ["k"], NOW_US, {}, lambda key: found)

    assert isinstance(commands, list)
    assert [(one.incident, one.site) for one in commands] == found
    assert len({one.command_id for one in commands}) == 2
