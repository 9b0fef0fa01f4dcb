"""A patient's name, planted wherever a message or a configuration can hold one, is never told."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from schemas.config_file import ConfigError, parse
from schemas.decoding import Refused, decode_event
from tests.unit.golden import FILES, content, message
from tests.unit.messages import EVENTS
from tests.unit.test_config_file import ROOT

NAME = "Mustermann^Erika"
# As it is, of the wrong kind, too long, as the name of a map's entry, beside NaN.
PLANTS: list[Any] = [NAME, [NAME], NAME * 40, {NAME: NAME}, {NAME: float("nan")}, {NAME: [NAME]}]
SENT = [path for path in FILES if json.loads(content(path))["type"] in {e["type"] for e in EVENTS}]


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a tree, as a container and the key in it."""
    for key in range(len(tree)) if isinstance(tree, list) else list(tree):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from places(tree[key])


def planted(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for plant in PLANTS:
        for index, _ in enumerate(places(event)):
            copy = deepcopy(event)
            container, key = list(places(copy))[index]
            container[key] = plant
            yield copy
            if isinstance(container, dict):
                container[NAME] = container.pop(key)
                yield copy


def told(answer: Any) -> bool:
    return any(part in repr(answer) for part in ("Muster", "Erika"))


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.stem)
def test_no_refusal_tells_a_name(path: Any) -> None:
    answers = [
        decode_event(json.dumps(event).encode()) for event in planted(json.loads(content(path)))
    ]
    refusals = [answer for answer in answers if isinstance(answer, Refused)]

    assert len(refusals) > 50
    assert all(len(answer.path) + len(answer.expected or "") < 256 for answer in refusals)
    assert not any(map(told, refusals))


@pytest.mark.parametrize("name", ["ce_type", "ce_specversion", "ce_id", "content-type"])
@pytest.mark.parametrize("value", [NAME, f"application/cloudevents+{NAME}"])
def test_no_refusal_tells_a_header(name: str, value: str) -> None:
    headers = [("ce_type", b"radvigil.study.v1"), (name, value.encode())]

    assert not told(decode_event(b'{"type":"radvigil.study.v1"}', headers))


def test_text_around_a_name_is_not_told_either() -> None:
    for value in (NAME, f'{{"{NAME}', f'["{NAME}"]', f'"{NAME}"', f'{{"type":"{NAME}"}}'):
        assert not told(decode_event(value.encode()))


def test_no_configuration_error_repeats_a_value() -> None:
    """Names of receivers and sites are told; nobody is to be named by them."""
    lines = (ROOT / "examples/radvigil.toml").read_text().splitlines()
    told_values = []
    errors = 0
    for index, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        if equals and not line.startswith("#") and key != "name":
            changed = [*lines[:index], f'{key} = "{NAME}"', *lines[index + 1 :]]
            try:
                parse("\n".join(changed))
            except ConfigError as error:
                errors += 1
                told_values += [problem for problem in error.problems if told(problem)]

    assert errors > 20
    assert told_values == []


def test_the_golden_events_are_there_to_be_planted_in() -> None:
    assert {type(message(path)).__name__ for path in SENT} == {
        "Study",
        "Prediction",
        "Report",
        "Command",
    }
