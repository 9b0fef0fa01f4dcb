"""Laws of the wire: nothing is lost on the way, and whatever is sent, nothing is raised."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import Refused, decode_event, encode
from schemas.messages import EVENTS
from tests.property.wire import changed_events, good_events
from tests.unit.messages import EVENTS as EXAMPLES

VALUES = st.binary() | st.sampled_from([b"radvigil.study.v1", b"application/cloudevents+json"])
HEADERS = st.lists(st.tuples(st.sampled_from(["ce_type", "ce_id", "content-type", "x"]), VALUES))


def sent(event: Any) -> bytes:
    return json.dumps(event).encode()


@settings(max_examples=100)
@given(good_events())
def test_what_is_written_reads_back_the_same(event: dict[str, Any]) -> None:
    decoded = decode_event(sent(event))
    assert isinstance(decoded, EVENTS)

    assert decode_event(encode(decoded)) == decoded
    assert encode(decode_event(encode(decoded))) == encode(decoded)


@settings(max_examples=100)
@given(changed_events())
def test_a_decoded_event_survives_any_encoding(event: dict[str, Any]) -> None:
    decoded = decode_event(sent(event))

    if isinstance(decoded, EVENTS):
        packed = msgspec.msgpack.encode(decoded)
        assert msgspec.msgpack.decode(packed, type=type(decoded)) == decoded
        assert decode_event(encode(decoded)) == decoded


@settings(max_examples=300)
@given(st.binary(max_size=64), HEADERS)
def test_no_bytes_and_no_headers_raise(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    assert isinstance(decode_event(value, headers), Refused)


@settings(max_examples=300)
@given(st.sampled_from(EXAMPLES), st.data())
def test_no_damaged_message_raises(event: dict[str, Any], data: st.DataObject) -> None:
    value = bytearray(sent(event))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))

    assert isinstance(decode_event(bytes(value)), (Refused, *EVENTS))
