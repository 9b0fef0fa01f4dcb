"""The published contract: valid, complete, the same bytes each time, and never broken later."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from schemas import asyncapi
from schemas.export import documents, write
from schemas.messages import MESSAGES, tag
from schemas.topics import INPUTS, NOTIFIED, OUTPUTS, STATE, keyed
from tests.unit.golden import FILES, content, message
from tests.unit.schema_changes import broken_promises

RELEASED = sorted((Path(__file__).parents[1] / "golden/schemas").glob("*/*.schema.json"))


def schema_of(kind: type) -> dict[str, Any]:
    return documents()[f"{tag(kind)}.schema.json"]


def accepts(schema: dict[str, Any], value: Any) -> bool:
    return jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(value)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from objects(inner)


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_a_schema_is_json_schema_2020_12(kind: type) -> None:
    schema = schema_of(kind)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert jsonschema_rs.meta.is_valid(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_golden_messages_keep_to_the_schemas(path: Path) -> None:
    assert accepts(schema_of(type(message(path))), json.loads(content(path)))


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_every_field_is_described(kind: type) -> None:
    schema = schema_of(kind)

    for described in (schema, *schema.get("$defs", {}).values()):
        assert described["description"]
        for name, field in described["properties"].items():
            assert name == "type" or field["description"]


def test_no_pattern_needs_python() -> None:
    patterns = [found["pattern"] for found in objects(documents()) if "pattern" in found]

    assert any("a-z0-9" in pattern for pattern in patterns)
    assert not any("(?" in pattern for pattern in patterns)


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a" / "b"), write(tmp_path / "c")

    assert [path.name for path in first] == [path.name for path in second] == list(documents())
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_a_release_promised_still_holds(path: Path) -> None:
    """A release that adds fields adds a folder here; no file of an older one ever changes."""
    assert broken_promises(json.loads(path.read_text()), documents()[path.name]) == []


def test_there_is_a_released_schema_of_every_type() -> None:
    assert {path.name for path in RELEASED} == {f"{tag(kind)}.schema.json" for kind in MESSAGES}


def test_a_new_optional_field_breaks_no_promise() -> None:
    old = schema_of(MESSAGES[0])
    new = deepcopy(old)
    new["properties"]["laterality"] = {"type": "string", "default": None}

    assert broken_promises(old, new) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda new: new["properties"].pop("view"),
        lambda new: new["properties"]["study"].update(maxLength=64),
        lambda new: new["properties"]["priority"]["enum"].remove("stat"),
        lambda new: new["properties"]["priority"]["enum"].append("asap"),
        lambda new: new["required"].append("priority"),
        lambda new: new["required"].remove("study"),
        lambda new: new["$defs"]["Scanner"]["properties"].pop("model"),
        lambda new: new["$defs"].pop("Scanner"),
        lambda new: new["properties"]["view"].update(anyOf=[{"type": "number"}]),
        lambda new: new["properties"]["state"].update(default="received"),
        lambda new: new.update(additionalProperties=False),
    ],
)
def test_anything_else_breaks_a_promise(change: Any) -> None:
    old = schema_of(MESSAGES[0])
    new = deepcopy(old)
    change(new)

    assert broken_promises(old, new) != []


def test_asyncapi_has_every_topic_with_its_message() -> None:
    channels = asyncapi.document("ward")["channels"].values()

    assert {channel["address"]: list(channel.get("messages", ())) for channel in channels} == {
        spec.name("ward"): [spec.message.__name__] if spec.message else []
        for spec in (*INPUTS, *map(keyed, INPUTS), *OUTPUTS, STATE, NOTIFIED)
    }


def test_asyncapi_says_what_we_read_and_what_we_send() -> None:
    operations = asyncapi.document()["operations"]

    assert {name for name in operations if operations[name]["action"] == "receive"} == {
        f"receive_{spec.stem}" for spec in INPUTS
    }
    assert {name for name in operations if operations[name]["action"] == "send"} == {
        f"send_{spec.stem}" for spec in OUTPUTS if spec.message
    }


def test_every_reference_in_asyncapi_leads_somewhere() -> None:
    document = asyncapi.document()
    references = [found["$ref"] for found in objects(document) if "$ref" in found]

    assert references
    for reference in references:
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def test_asyncapi_tells_the_kafka_settings_in_their_types() -> None:
    channels = asyncapi.document()["channels"]

    assert channels["studies"]["bindings"]["kafka"]["topicConfiguration"] == {
        "cleanup.policy": ["delete"],
        "retention.ms": 14 * 86_400_000,
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": 1_048_576 + 65_536,
    }
