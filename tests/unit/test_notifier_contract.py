"""What every notifier keeps, whatever its kind."""

import re
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.incident import IncidentState
from schemas.notification import NotificationAction, NotificationReason
from schemas.routing import Receiver
from streams.clock import from_us, to_us
from streams.notifiers import (
    Answer,
    Occasion,
    Refused,
    Request,
    Retry,
    Sent,
    Unknown,
    _words,
    kind_of,
    kinds,
    of,
)
from tests.unit.notices import (
    INCIDENT,
    NOW_US,
    OCCASION,
    PLANT,
    RECEIVERS,
    SECRETS,
    TOLD,
    evidence,
    in_state,
    incident,
    notification,
    pretty,
    readable,
    render,
    several,
    with_text,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "notifications"
STATES = get_args(IncidentState)
WHOLE = [
    notification(action=action, why=why, disturb=disturb, incidents=[incident(state=state)])
    for action, why, state, disturb in product(
        get_args(NotificationAction), get_args(NotificationReason), STATES, (False, True)
    )
]
every_kind = pytest.mark.parametrize("receiver", RECEIVERS.values(), ids=kind_of)
HTTP = [receiver for kind, receiver in RECEIVERS.items() if kind not in ("email", "log")]
every_http_kind = pytest.mark.parametrize("receiver", HTTP, ids=kind_of)
NASTY = st.text(max_size=256) | st.sampled_from(
    [
        "<!channel> <@U123> <https://evil.example|click>",
        "*bold* _it_ `code` ~no~ [x](https://evil.example) &amp;",
        "a\r\nBcc: everybody@hospital.example\r\n\r\nhello",
        "\x00\x1b[31m\u202e\u2066\ufeff",
        '"\\' * 128,
        "\U0001f9e0" * 256,
        "<" * 256,
        "&" * 256,
        "é" * 256,
        "https://wiki.example/" + "x" * 230,
        "https://wiki.example/ü",
        "javascript:alert(1)",
        "<script>alert(1)</script>",
    ]
)


def test_the_folder_is_the_register() -> None:
    assert kinds() == sorted(RECEIVERS) == sorted(map(kind_of, RECEIVERS.values()))
    assert set(kinds()) == {str(kind.__struct_config__.tag) for kind in get_args(Receiver)}


@every_kind
def test_every_state_action_and_reason_is_told_the_same_way_each_time(receiver: Receiver) -> None:
    refs = TOLD[kind_of(receiver)]
    for told, known in product(WHOLE, ({}, refs)):
        first, second = render(receiver, told, known), render(receiver, told, known)

        assert first == second
        assert len(first) <= 2
        assert all(request.body and request.refs is not None for request in first)


@every_kind
def test_a_beginning_is_always_told(receiver: Receiver) -> None:
    for state in ("pending", "open", "acknowledged", "resolving"):
        told = notification(action="open", incidents=[incident(state=state)])

        assert render(receiver, told)


@every_kind
def test_an_end_is_told_where_a_beginning_was(receiver: Receiver) -> None:
    quiet = replace(in_state("resolved"), disturb=False)

    assert render(receiver, quiet, TOLD[kind_of(receiver)])


@every_kind
def test_what_was_accepted_is_remembered(receiver: Receiver) -> None:
    (request,) = render(receiver, in_state("open"))
    body = b'{"ok":true,"channel":"C1","ts":"1.2"}' if kind_of(receiver) == "slack" else b""
    status = 250 if kind_of(receiver) == "email" else 200

    sent = of(receiver).read(request, Answer(status, {}, body))

    assert isinstance(sent, Sent)
    assert sent.refs


@every_kind
def test_nothing_that_may_not_leave_does(receiver: Receiver) -> None:
    parts = PLANT.split("^")
    for told, known in product([*WHOLE, several(20, 5)], ({}, TOLD[kind_of(receiver)])):
        for request in render(receiver, told, known):
            text = readable(receiver, request) + repr(request.refs)

            assert not any(part in text for part in parts)


@every_kind
def test_few_studies_are_not_counted_outside(receiver: Receiver) -> None:
    few = evidence(affected_count=3, before=71.5, after=83.25, current_n=4)
    title = "ptx at north gives no result: 3 studies past the deadline"
    told = notification(incidents=[incident(title=title, evidence=few)])

    (request,) = render(receiver, told)
    text = readable(receiver, request)

    assert "<5 studies" in text or "&lt;5 studies" in text
    assert "3 studies" not in text
    assert "83.25" not in text


@every_kind
def test_times_are_floored_to_five_minutes(receiver: Receiver) -> None:
    for request in render(receiver, in_state("open")):
        text = readable(receiver, request)

        assert "08:13" not in text
        assert "08:21" not in text
        assert ":27" not in text


@every_kind
def test_no_secret_is_rendered_and_every_one_is_sealed_in(receiver: Receiver) -> None:
    kind = kind_of(receiver)
    (request,) = render(receiver, in_state("open"))

    sealed = of(receiver).seal(request, SECRETS[kind], NOW_US)

    assert set(SECRETS[kind]) == set(of(receiver).SECRETS)
    assert "s3cret" not in readable(receiver, request)
    assert (sealed != request) == bool(SECRETS[kind])
    assert sealed.refs == request.refs


@every_kind
@settings(max_examples=60, deadline=None)
@given(text=NASTY, n=st.integers(1, 20), told=st.booleans(), perhaps=st.booleans())
def test_no_text_breaks_a_limit(
    receiver: Receiver, text: str, n: int, told: bool, perhaps: bool
) -> None:
    """The limits of each provider are checked by LIMITS in its own test file's words."""
    refs = TOLD[kind_of(receiver)] if told else {}
    many = several(n, more_n=0 if n == 1 else 3)
    occasion = Occasion(NOW_US, OCCASION.page, perhaps_told=perhaps)

    for request in render(receiver, with_text(many, text), refs, occasion):
        assert within_limits(kind_of(receiver), request)


@every_kind
@pytest.mark.parametrize("state", STATES)
def test_the_golden_files(receiver: Receiver, state: str) -> None:
    refs = {} if state in ("pending", "open") else TOLD[kind_of(receiver)]
    path = GOLDEN / kind_of(receiver) / f"{state}.txt"

    assert pretty(receiver, render(receiver, in_state(state), refs)) == path.read_text()


@every_kind
def test_the_golden_digest(receiver: Receiver) -> None:
    path = GOLDEN / kind_of(receiver) / "digest.txt"

    assert pretty(receiver, render(receiver, several(3, more_n=9))) == path.read_text()


@every_http_kind
@pytest.mark.parametrize(
    ("status", "result"),
    [
        (301, Refused),
        (400, Refused),
        (401, Refused),
        (403, Refused),
        (404, Refused),
        (408, Retry),
        (413, Refused),
        (425, Retry),
        (429, Retry),
        (501, Retry),
        (503, Retry),
        (599, Retry),
    ],
)
def test_what_a_status_means(receiver: Receiver, status: int, result: type) -> None:
    (request,) = render(receiver, in_state("open"))

    assert isinstance(of(receiver).read(request, Answer(status)), result)


@every_http_kind
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_failure_behind_the_gateway_may_have_told_it(receiver: Receiver, status: int) -> None:
    (request,) = render(receiver, in_state("open"))

    result = of(receiver).read(request, Answer(status))

    assert isinstance(result, Retry if request.repeatable else Unknown)


@every_http_kind
@pytest.mark.parametrize(
    ("said", "after_s"),
    [
        ("40", 40.0),
        ("40.5", 40.5),
        ("Mon, 05 Jan 2026 08:23:00 GMT", 60.0),
        ("Mon, 05 Jan 2026 08:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("", None),
        ("Mon, 99 Jan 2026 08:23:00 GMT", None),
    ],
)
def test_when_to_come_back(receiver: Receiver, said: str, after_s: float | None) -> None:
    (request,) = render(receiver, in_state("open"))
    headers = {"retry-after": said, "date": "Mon, 05 Jan 2026 08:22:00 GMT"}

    result = of(receiver).read(request, Answer(503, headers))

    assert isinstance(result, Retry)
    assert result.after_s == after_s


def test_every_state_and_reason_has_its_word() -> None:
    assert set(_words.STATES) == set(STATES)
    assert set(_words.REASONS) == set(get_args(NotificationReason))


def test_the_key_is_the_episodes_and_not_the_fingerprints() -> None:
    pager = RECEIVERS["pagerduty"]
    first, second = (
        render(pager, notification(key=key, incidents=[incident(incident=key)]))[0].body
        for key in (INCIDENT, "another-episode")
    )

    assert first.replace(INCIDENT.encode(), b"another-episode") == second
    assert b"rv-another-episode" in second


def within_limits(kind: str, request: Request) -> bool:
    from tests.unit import notifier_limits

    check = getattr(notifier_limits, kind)
    return bool(check(request))


def test_the_clock_of_the_cases_is_what_it_says() -> None:
    assert to_us(from_us(NOW_US)) == NOW_US
    assert re.fullmatch(r"2026-01-05T08:22:03\+00:00", from_us(NOW_US).isoformat())
