"""What is particular to one kind."""

import hmac
from base64 import b64decode
from email import message_from_bytes, policy
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook as Verifier

from streams.clock import from_us
from streams.notifiers import Answer, Occasion, Refused, Result, Retry, Sent, Unknown, of
from tests.unit.notices import (
    INCIDENT,
    NOW_US,
    RECEIVERS,
    SECRETS,
    TOLD,
    in_state,
    incident,
    notification,
    render,
    several,
)

SLACK, PAGER, HOOK = RECEIVERS["slack"], RECEIVERS["pagerduty"], RECEIVERS["webhook"]
KEEPER, TEAMS, MAIL = RECEIVERS["alertmanager"], RECEIVERS["teams"], RECEIVERS["email"]


def payload(request: Any) -> Any:
    return msgspec.json.decode(request.body)


def actions(told: Any, state: str | None, doubtful: bool = False) -> list[str]:
    refs = {"state": state} if state else {}
    occasion = Occasion(NOW_US, is_doubtful=doubtful)
    return [payload(one)["event_action"] for one in render(PAGER, told, refs, occasion)]


@pytest.mark.parametrize(
    ("step", "error", "result"),
    [
        ("post", "ratelimited", Retry("slack_ratelimited", 2.5)),
        ("post", "rate_limited", Retry("slack_rate_limited", 2.5)),
        ("post", "service_unavailable", Retry("slack_service_unavailable", 2.5)),
        ("post", "request_timeout", Retry("slack_request_timeout", 2.5)),
        ("post", "internal_error", Unknown("slack_internal_error")),
        ("post", "fatal_error", Unknown("slack_fatal_error")),
        ("update", "internal_error", Retry("slack_internal_error")),
        ("update", "message_not_found", Retry("slack_message_not_found", anew=True)),
        ("update", "cant_update_message", Retry("slack_cant_update_message", anew=True)),
        ("post", "channel_not_found", Refused("slack_channel_not_found")),
        ("post", "not_in_channel", Refused("slack_not_in_channel")),
        ("post", "is_archived", Refused("slack_is_archived")),
        ("post", "invalid_auth", Refused("slack_invalid_auth")),
        ("post", "token_revoked", Refused("slack_token_revoked")),
        ("post", "msg_blocks_too_long", Refused("slack_msg_blocks_too_long")),
        ("post", "Mustermann was here", Refused("slack_other")),
    ],
)
def test_slack_says_what_is_wrong_in_an_answer_of_200(
    step: str, error: str, result: Result
) -> None:
    refs = TOLD["slack"] if step == "update" else {}
    request = render(SLACK, in_state("acknowledged" if refs else "open"), refs)[0]
    body = msgspec.json.encode({"ok": False, "error": error})

    assert request.step == step
    assert of(SLACK).read(request, Answer(200, {"retry-after": "2.5"}, body)) == result


def test_a_page_that_is_not_slacks_says_nothing_about_the_message() -> None:
    (post,) = render(SLACK, in_state("open"))
    update = render(SLACK, in_state("acknowledged"), TOLD["slack"])[0]
    page = Answer(200, {}, b"<html>Please log in to the proxy")

    assert of(SLACK).read(post, page) == Unknown("not_json")
    assert of(SLACK).read(update, page) == Retry("not_json")


def test_slack_remembers_the_post_and_not_the_thread() -> None:
    told = replace(in_state("open"), action="update", why="escalated")
    update, thread = render(SLACK, told, TOLD["slack"])
    body = b'{"ok":true,"channel":"C9","ts":"9.9"}'

    assert payload(thread)["reply_broadcast"] is True
    assert of(SLACK).read(update, Answer(200, {}, body)) == Sent(TOLD["slack"])
    assert of(SLACK).read(thread, Answer(200, {}, body)) == Sent(TOLD["slack"])


def test_new_numbers_alone_make_no_line_in_the_thread() -> None:
    told = notification(action="update", why="changed", disturb=False)

    assert [one.step for one in render(SLACK, told, TOLD["slack"])] == ["update"]


def test_a_digest_in_slack_has_a_button_for_each_that_is_open() -> None:
    (request,) = render(SLACK, several(4))
    values = [
        block["accessory"]["value"] for block in payload(request)["blocks"] if "accessory" in block
    ]

    assert values == ["incident-0:3:north", "incident-2:3:north"]


@pytest.mark.parametrize(
    ("state", "was", "disturb", "expected"),
    [
        ("open", None, False, ["trigger"]),
        ("open", "trigger", False, []),
        ("open", "trigger", True, ["trigger"]),
        ("open", "resolve", False, ["trigger"]),
        ("open", "acknowledge", False, []),
        ("open", "acknowledge", True, ["resolve", "trigger"]),
        ("acknowledged", None, False, ["trigger", "acknowledge"]),
        ("acknowledged", "trigger", False, ["acknowledge"]),
        ("acknowledged", "acknowledge", True, []),
        ("acknowledged", "resolve", False, ["trigger", "acknowledge"]),
        ("resolved", None, True, ["resolve"]),
        ("resolved", "trigger", False, ["resolve"]),
        ("resolved", "acknowledge", False, ["resolve"]),
    ],
)
def test_pagerduty_is_brought_to_where_the_incident_is(
    state: str, was: str | None, disturb: bool, expected: list[str]
) -> None:
    assert actions(replace(in_state(state), disturb=disturb), was) == expected


def test_where_the_alert_may_be_elsewhere_it_is_told_whole() -> None:
    assert actions(replace(in_state("open"), disturb=False), "trigger", True) == ["trigger"]
    assert actions(in_state("acknowledged"), "acknowledge", True) == ["trigger", "acknowledge"]


@pytest.mark.parametrize(("said", "after_s"), [("", 30.0), ("5", 30.0), ("90", 90.0)])
def test_pagerduty_is_left_alone_for_half_a_minute_at_least(said: str, after_s: float) -> None:
    (request,) = render(PAGER, in_state("open"))

    result = of(PAGER).read(request, Answer(429, {"retry-after": said}))

    assert result == Retry("http_429", after_s)


def test_pagerduty_gets_its_key_in_the_body() -> None:
    (request,) = render(PAGER, in_state("open"))

    sealed = of(PAGER).seal(request, {"routing_key": 'a"b'}, NOW_US)

    assert payload(sealed) == {**payload(request), "routing_key": 'a"b'}


def test_a_signature_is_one_that_standard_webhooks_verifies() -> None:
    (request,) = render(HOOK, in_state("open"))
    old, new = "whsec_b2xkb2xkb2xkb2xkb2xkb2xk", "whsec_bmV3bmV3bmV3bmV3bmV3bmV3"
    now_us = int(from_us(NOW_US).timestamp() * 1e6)

    sealed = of(HOOK).seal(request, {"secret": f"{old} {new}\n"}, now_us)

    assert sealed.headers["webhook-id"] == notification().notification
    for secret in (old, new):
        signature = sealed.headers["webhook-signature"]
        signed = f"{sealed.headers['webhook-id']}.{sealed.headers['webhook-timestamp']}."
        content = signed + sealed.body.decode()
        expected = Verifier(secret).sign(
            sealed.headers["webhook-id"], from_us(now_us), sealed.body.decode()
        )
        key = b64decode(secret.removeprefix("whsec_"))
        assert expected in signature.split(" ")
        assert hmac.digest(key, content.encode(), "sha256") == b64decode(expected[3:])


def test_a_webhook_without_a_secret_is_not_signed() -> None:
    (request,) = render(HOOK, in_state("open"))

    assert "webhook-signature" not in of(HOOK).seal(request, {}, NOW_US).headers


def test_a_webhook_that_is_gone_is_told_nothing_more() -> None:
    (request,) = render(HOOK, in_state("open"))

    assert of(HOOK).read(request, Answer(410)) == Refused("gone")


def test_what_does_not_fit_into_a_webhook_is_counted() -> None:
    told = several(20, more_n=7)
    long_ones = [replace(one, subject="\U0001f9e0" * 256) for one in told.incidents]

    (request,) = render(HOOK, replace(told, incidents=long_ones))
    data = payload(request)["data"]

    assert 1 <= len(data["incidents"]) < 20
    assert data["more_n"] == 27 - len(data["incidents"])


def test_a_label_that_changes_ends_the_old_alert() -> None:
    graver = notification(action="update", incidents=[incident(severity="error")])

    (request,) = render(KEEPER, graver, TOLD["alertmanager"])
    firing, ended = payload(request)

    assert (firing["labels"]["severity"], ended["labels"]["severity"]) == ("error", "critical")
    assert "annotations" in firing and "annotations" not in ended
    assert msgspec.json.decode(request.refs[INCIDENT])["severity"] == "error"


def test_a_short_list_ends_what_it_leaves_out_and_a_long_one_does_not() -> None:
    refs = {"other": '{"alertname":"radvigil","incident":"other"}', **TOLD["alertmanager"]}

    (short,) = render(KEEPER, notification(action="update"), refs)
    (long,) = render(KEEPER, notification(action="update", more_n=3), refs)

    assert set(short.refs) == {INCIDENT}
    assert set(long.refs) == {INCIDENT, "other"}
    assert len(payload(short)) == 2 and len(payload(long)) == 1


def test_alertmanager_does_not_end_by_itself_for_a_day() -> None:
    (request,) = render(KEEPER, in_state("open"))

    assert payload(request)[0]["endsAt"] == "2026-01-06T08:22:03Z"


@pytest.mark.parametrize("receiver", [TEAMS, MAIL], ids=["teams", "email"])
def test_what_cannot_be_updated_is_not_repeated_quietly(receiver: Any) -> None:
    kind = "teams" if receiver is TEAMS else "email"
    quiet = notification(action="update", why="changed", disturb=False)
    loud = notification(action="update", why="escalated", disturb=True)

    assert render(receiver, quiet, TOLD[kind]) == ()
    assert len(render(receiver, loud, TOLD[kind])) == 1
    assert len(render(receiver, in_state("resolved"), TOLD[kind])) == 1


def test_mails_of_one_incident_are_one_thread() -> None:
    (first,) = render(MAIL, in_state("open"))
    loud = notification(notification="n2", number=2, action="update", why="escalated")
    (second,) = render(MAIL, loud, first.refs)
    (third,) = render(MAIL, replace(in_state("resolved"), number=3), second.refs)
    one, two, three = (
        message_from_bytes(request.body, policy=policy.default)
        for request in (first, second, third)
    )

    assert two["In-Reply-To"] == one["Message-ID"] == three["References"]
    assert len({message["Message-ID"] for message in (one, two, three)}) == 3
    assert one["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (250, Sent),
        (421, Retry),
        (450, Retry),
        (451, Retry),
        (452, Retry),
        (535, Refused),
        (550, Refused),
        (554, Refused),
    ],
)
def test_what_a_mail_servers_reply_means(status: int, result: type) -> None:
    (request,) = render(MAIL, in_state("open"))

    assert isinstance(of(MAIL).read(request, Answer(status)), result)


def test_a_login_goes_to_the_mail_server_and_into_no_mail() -> None:
    (request,) = render(MAIL, in_state("open"))

    sealed = of(MAIL).seal(request, SECRETS["email"], NOW_US)

    assert sealed.body == request.body
    assert sealed.headers["password"] == "s3cret-password"
