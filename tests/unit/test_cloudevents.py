"""CloudEvents on Kafka, in and out, against the CloudEvents project's own library."""

import base64
import json
from typing import Any

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.v1.event import CloudEvent

from schemas.cloudevents import headers_of
from schemas.decoding import Refused, decode_event, encode
from schemas.messages import EVENTS
from schemas.study import Study
from tests.unit.golden import FILES, message, named
from tests.unit.messages import COMMAND, STUDY, study, without

SENT = [path for path in FILES if not isinstance(message(path), EVENTS)]
STRUCTURED = [("content-type", b"Application/CloudEvents+JSON; charset=UTF-8")]
BODY = {name: value for name, value in STUDY.items() if name != "type"}


def event(data: Any, **attributes: str) -> CloudEvent:
    given = {"type": "radvigil.study.v1", "source": "/pacs", "id": "77", **attributes}
    return CloudEvent(attributes=given, data=data)


def received(sent: kafka.KafkaMessage) -> Any:
    return decode_event(sent.value, list(sent.headers.items()))


def envelope(**changes: Any) -> bytes:
    given = {"specversion": "1.0", "type": "radvigil.study.v1", "source": "/pacs", "id": "77"}
    return json.dumps({**given, **changes}).encode()


@pytest.mark.parametrize("mode", [kafka.to_binary_event, kafka.to_structured_event])
@pytest.mark.parametrize("body", [STUDY, BODY], ids=["type in the body", "type not repeated"])
def test_what_the_library_sends_is_understood(mode: Any, body: dict[str, Any]) -> None:
    answer = received(mode(event(body, datacontenttype="application/json")))

    assert isinstance(answer, Study)
    assert (answer.study, answer.event_id) == ("s-1", "/pacs#77")


def test_data_in_base64_is_understood() -> None:
    value = envelope(data_base64=base64.b64encode(study()).decode())

    assert isinstance(decode_event(value, STRUCTURED), Study)


def test_the_event_id_of_the_body_counts_first() -> None:
    answer = received(kafka.to_binary_event(event({**STUDY, "event_id": "mine"})))

    assert answer.event_id == "mine"


def test_a_command_keeps_its_own_id() -> None:
    answer = received(kafka.to_binary_event(event(COMMAND, type="radvigil.command.v1")))

    assert answer.command_id == "c-1"


def test_the_same_id_from_two_sources_is_two_events() -> None:
    first, second = (
        received(kafka.to_binary_event(event(STUDY, source=source))) for source in ("/a", "/b")
    )

    assert first.event_id != second.event_id


def test_a_long_source_and_id_become_a_short_event_id() -> None:
    answer = received(kafka.to_binary_event(event(STUDY, source="/" + "x" * 300)))

    assert len(answer.event_id) == 64


def test_headers_of_others_leave_a_message_bare() -> None:
    headers = [("traceparent", b"00-0af7-b7ad-01"), ("empty", None), ("ce_id", b"9")]

    assert decode_event(study(), headers) == decode_event(study())


@pytest.mark.parametrize(
    ("headers", "value", "where_and_why"),
    [
        ([("ce_type", b"x")], study(), "headers.ce_type unknown_type"),
        ([("ce_type", b"\xff")], study(), "headers.ce_type unknown_type"),
        ([("ce_type", b"radvigil.outcome.v1")], study(), "headers.ce_type not_an_event"),
        ([("ce_type", b"radvigil.report.v1")], study(), "$.type inconsistent"),
        (
            [("ce_type", b"radvigil.study.v1"), ("ce_specversion", b"0.3")],
            study(),
            "headers.ce_specversion bad_value",
        ),
        (
            [("content-type", b"application/cloudevents-batch+json")],
            b"[]",
            "headers.content-type bad_value",
        ),
        (STRUCTURED, b"{", "$ not_json"),
        (STRUCTURED, b"\xff", "$ not_utf8"),
        (STRUCTURED, b"[]", "$ not_an_object"),
        (STRUCTURED, study(), "$.specversion missing_field"),
        (STRUCTURED, envelope(), "$.data missing_field"),
        (STRUCTURED, envelope(specversion="2.0", data=STUDY), "$.specversion bad_value"),
        (STRUCTURED, envelope(data=STUDY, data_base64="e30="), "$ inconsistent"),
        (STRUCTURED, envelope(data_base64="!"), "$.data_base64 bad_value"),
        (STRUCTURED, envelope(data_base64="/w=="), "$.data_base64 not_utf8"),
        (STRUCTURED, envelope(data=None), "$.data not_an_object"),
        (STRUCTURED, envelope(data=STUDY, type="x"), "$.type unknown_type"),
        (STRUCTURED, envelope(data=STUDY, type=1), "$.type wrong_type"),
        (STRUCTURED, envelope(data={**STUDY, "type": "x"}), "$.data.type inconsistent"),
        (STRUCTURED, envelope(data={**STUDY, "at": "now"}), "$.data.at bad_time"),
        (
            STRUCTURED,
            envelope(data=json.loads(without(STUDY, "site"))),
            "$.data.site missing_field",
        ),
    ],
)
def test_a_refusal_says_where_in_the_envelope(
    headers: list[tuple[str, bytes]], value: bytes, where_and_why: str
) -> None:
    answer = decode_event(value, headers)

    assert isinstance(answer, Refused)
    assert f"{answer.path} {answer.reason}" == where_and_why


def test_the_site_of_an_unknown_type_is_still_read() -> None:
    answer = decode_event(study(), [("ce_type", b"x")])

    assert answer.site == "north"


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.stem)
def test_what_we_send_is_understood_by_the_library(path: Any) -> None:
    sent = message(path)

    read = kafka.from_kafka_event(
        kafka.KafkaMessage(headers=dict(headers_of(sent)), key=b"north", value=encode(sent))
    )

    assert read.get_type() == read.get_data()["type"]
    assert read.get_time() == sent.at
    assert read.get_datacontenttype() == "application/json"
    assert read.get_subject()
    assert read.get_source() == "radvigil"


def test_ids_name_what_happened() -> None:
    ids = {path.stem: dict(headers_of(message(path)))["ce_id"].decode() for path in SENT}

    assert ids == {
        "deadletter.full": "radvigil.predictions.v1/5/123456789",
        "deadletter.minimal": "events.jsonl//3",
        "incident.full": "5f7c1d9e-0c1a-5b7e-9d57-3b1e0f2a4c6d/4",
        "incident.minimal": "5f7c1d9e-0c1a-5b7e-9d57-3b1e0f2a4c6d/1",
        "incident.reopened": "5f7c1d9e-0c1a-5b7e-9d57-3b1e0f2a4c6d/9",
        "notification.full": "0b8f5e7c-7a15-5e0b-9f3c-2d1c1b2a3e4f",
        "outcome.full": "north/s-1/ptx/1",
        "reply.full": "north/c-1/stale_seq/2026-03-01T07:00:00Z",
        "reply.minimal": "north/c-2/ok/2026-03-01T07:00:00Z",
        "series.noted": "north/ptx/pneumothorax.score/2026-03-01T07:00:00Z",
        "series.full": "north/ptx/pneumothorax.score/2026-03-01T07:00:00Z",
        "series.minimal": "north//acquisition.kvp/2026-03-01T07:00:00Z",
    }


def test_headers_tell_the_time_in_utc() -> None:
    assert dict(headers_of(named("outcome.full")))["ce_time"] == b"2026-03-01T07:00:00Z"
