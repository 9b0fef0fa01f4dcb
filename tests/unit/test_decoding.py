"""What the decoder takes, and the canonical bytes that it all becomes."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from schemas.decoding import Refused, decode_event, encode
from schemas.incident import Evidence, Incident
from schemas.outcome import Outcome
from schemas.study import Study
from tests.unit.messages import EVENTS, raw, study, text

TIMES = [  # text, what it means; None where it is refused
    ("2026-03-01T06:30:00Z", "2026-03-01T06:30:00Z"),
    ("2026-03-01T07:30:00+01:00", "2026-03-01T06:30:00Z"),
    ("2026-03-01T06:30:00-00:00", "2026-03-01T06:30:00Z"),
    ("2026-03-01T06:30:00.5Z", "2026-03-01T06:30:00.500000Z"),
    ("2026-03-01T06:30:00.1234565Z", "2026-03-01T06:30:00.123457Z"),  # rounded to microseconds
    ("2026-02-28T23:59:59.9999999Z", "2026-03-01T00:00:00Z"),
    ("2026-03-01t06:30:00z", "2026-03-01T06:30:00Z"),
    ("2026-03-01 06:30:00Z", "2026-03-01T06:30:00Z"),
    ("2026-03-01T06:30:00+0000", "2026-03-01T06:30:00Z"),
    ("2026-03-01T06:30:00+00", None),
    ("2026-03-01T06:30:00", None),
    ("2026-03-01T06:30Z", None),
    ("2026-03-01T06:30:00.Z", None),
    ("2026-03-01T06:30:00,5Z", None),
    ("2026-03-01T24:00:00Z", None),
    ("2026-06-30T23:59:60Z", None),  # a leap second is no moment of Python's calendar
    ("2026-02-29T06:30:00Z", None),
    ("2026-03-01T06:30:00+24:00", None),
    ("20260301T063000Z", None),
    ("1772346600", None),
    ("", None),
]


def decoded(value: bytes) -> Study:
    event = decode_event(value)
    assert isinstance(event, Study)
    return event


@pytest.mark.parametrize(("written", "meant"), TIMES)
def test_times_are_rfc_3339_with_an_offset(written: str, meant: str | None) -> None:
    event = decode_event(study(at=written))

    if meant is None:
        assert isinstance(event, Refused)
        assert event.path == "$.at"
    else:
        assert isinstance(event, Study)
        assert encode(event.at) == f'"{meant}"'.encode()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["type"])
def test_each_kind_of_event_is_told_apart_by_its_type(event: dict[str, object]) -> None:
    answer = decode_event(text(event))

    assert answer.__struct_config__.tag == event["type"]


def test_unknown_fields_are_ignored() -> None:
    assert decoded(study(colour="blue", scanner={"model": "X", "age": 3})) == decoded(
        study(scanner={"model": "X"})
    )


def test_null_means_absent_where_a_field_may_be_absent() -> None:
    assert decoded(study(view=None, scanner=None)) == decoded(study())


def test_of_a_repeated_name_the_last_counts() -> None:
    assert decoded(raw(b'"study":"s-2","type":"radvigil.study.v1"')).study == "s-2"


def test_numbers_in_maps_are_floats_and_text_stays_text() -> None:
    acquisition = decoded(study(acquisition={"rows": 3000, "kernel": "B30f"})).acquisition

    assert acquisition == {"rows": 3000.0, "kernel": "B30f"}
    assert isinstance((acquisition or {})["rows"], float)


def test_a_message_of_exactly_the_limit_is_taken() -> None:
    padding = 1_048_576 - len(study())

    assert isinstance(decode_event(study() + b" " * padding), Study)
    assert isinstance(decode_event(study() + b" " * (padding + 1)), Refused)


def test_brackets_in_text_are_no_levels() -> None:
    assert isinstance(decode_event(raw(b'"zz":"' + b'[{\\"' * 5_000 + b'"')), Study)


@pytest.mark.parametrize("frames_left", [700, 30])
def test_depth_is_judged_alike_however_deep_the_caller_stands(frames_left: int) -> None:
    deep = raw(b'"zz":' + b"[" * 650 + b"]" * 650)

    answer = at_depth(sys.getrecursionlimit() - frames_left, lambda: decode_event(deep))

    assert isinstance(answer, Refused)
    assert answer.reason == "too_many"


def at_depth(frames: int, call: Callable[[], Any]) -> Any:
    depth = 0
    frame = sys._getframe()
    while (frame := frame.f_back) is not None:  # type: ignore[assignment]
        depth += 1
    return call() if depth >= frames else at_depth(frames, call)


def test_what_is_written_is_in_utc_and_ends_in_z() -> None:
    berlin = datetime(2026, 7, 1, 8, tzinfo=timezone(timedelta(hours=2)))
    outcome = Outcome(
        site="north", study="s", model="m", outcome="late", due=berlin, at=berlin, revision=1
    )

    assert encode(outcome).count(b'"2026-07-01T06:00:00Z"') == 2
    assert encode(berlin) == b'"2026-07-01T06:00:00Z"'


def test_times_inside_the_evidence_are_in_utc_too() -> None:
    utc = datetime(2026, 7, 1, 6, tzinfo=UTC)
    incident = Incident(
        incident="i", seq=1, fingerprint="f", kind="input_drift", state="open", reason="opened",
        severity="error", site="north", title="t", opened_at=utc, last_seen=utc, at=utc,
        evidence=Evidence(since=utc.astimezone(timezone(timedelta(hours=2)))),
    )  # fmt: skip

    assert b'"since":"2026-07-01T06:00:00Z"' in encode(incident)


def test_map_keys_are_written_in_order() -> None:
    assert encode(decoded(study(attributes={"b": 1, "a": 2}))) == encode(
        decoded(study(attributes={"a": 2, "b": 1}))
    )
