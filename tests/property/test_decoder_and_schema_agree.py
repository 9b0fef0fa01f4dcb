"""The decoder and our published JSON Schemas, as an independent validator reads them, agree.

They differ on purpose in three things, each of which has its test here: JSON Schema takes 1.0 for
an integer; the decoder takes some times that producers are told not to send; and of what JSON
itself leaves open (repeated names, text behind it) the schemas know nothing.
"""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from schemas.decoding import Refused, decode_event
from schemas.json_schema import document
from schemas.messages import EVENTS, tag
from tests.property.wire import changed_events, good_events
from tests.unit.messages import COMMAND, study, text
from tests.unit.test_decoding import TIMES

VALIDATORS = {
    tag(event): jsonschema_rs.validator_for(document(event), validate_formats=True)
    for event in EVENTS
}
WIDER = {"2026-03-01 06:30:00Z", "2026-03-01T06:30:00+0000"}


def decoder_takes(event: Any) -> bool:
    return not isinstance(decode_event(json.dumps(event).encode()), Refused)


def schema_takes(event: Any) -> bool:
    declared = event.get("type")
    validator = VALIDATORS.get(declared) if isinstance(declared, str) else None
    return validator is not None and validator.is_valid(event)


def with_whole_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: with_whole_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_whole_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@settings(max_examples=100)
@given(good_events())
def test_both_take_what_fits(event: dict[str, Any]) -> None:
    assert schema_takes(event)
    assert decoder_takes(event)


@settings(max_examples=400)
@given(changed_events())
def test_both_judge_alike_what_was_changed(event: dict[str, Any]) -> None:
    if schema_takes(event) != decoder_takes(event):
        assert schema_takes(event), "the decoder takes what the schema refuses"
        event = with_whole_numbers(event)

    assert schema_takes(event) == decoder_takes(event)


def test_a_whole_number_with_a_fraction_is_an_integer_for_the_schema_only() -> None:
    event = {**COMMAND, "expected_seq": 3.0}

    assert schema_takes(event)
    assert not decoder_takes(event)


@pytest.mark.parametrize(("written", "meant"), TIMES)
def test_the_schema_takes_only_times_that_the_decoder_takes(
    written: str, meant: str | None
) -> None:
    event = json.loads(study(at=written))

    assert schema_takes(event) == (meant is not None and written not in WIDER)


@pytest.mark.parametrize("year", [1, 1899, 1900, 2999, 3000, 9999])
@pytest.mark.parametrize("field", ["at", "until"])
def test_both_know_the_same_years(year: int, field: str) -> None:
    event = json.loads(text(COMMAND, **{field: f"{year:04}-06-01T00:00:00Z"}))

    assert schema_takes(event) == decoder_takes(event) == (1900 <= year <= 2999)
