"""Every kind of record that was ever written stays readable, with all its fields, for ever.

tests/golden/state/records.jsonl has one of each, every field filled: its kind, its bytes, and what
they say. A line never changes. `python -m tests.unit.test_state_records >> FILE` adds what a new
kind of record lacks.
"""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams import state
from tests.unit.filled import filled

FILE = Path(__file__).parents[1] / "golden" / "state" / "records.jsonl"


def golden() -> dict[str, tuple[bytes, Any]]:
    lines = [json.loads(line) for line in FILE.read_text().splitlines()]
    assert len({kind for kind, _, _ in lines}) == len(lines)
    return {kind: (b64decode(raw), says) for kind, raw, says in lines}


def as_of(then: Any, now: Any) -> Any:
    """Without what has been added since: fields by name, or at the end of a row."""
    if isinstance(then, dict):
        return {name: as_of(one, now[name]) for name, one in then.items()}
    if isinstance(then, list):
        return [as_of(*pair) for pair in zip(then, now, strict=False)]
    return now


def test_every_kind_of_record_has_a_golden_one() -> None:
    assert set(state._KINDS) == set(golden())


@pytest.mark.parametrize("kind", golden())
def test_a_golden_record_says_what_it_always_said(kind: str) -> None:
    raw, says = golden()[kind]

    ((key, record),) = state.read([(json.dumps([kind, "north"]).encode(), raw)])

    assert key == [kind, "north"]
    told = json.loads(msgspec.json.encode(record))
    assert as_of(says, told) == says


@pytest.mark.parametrize("kind", golden())
def test_without_what_a_later_version_added_it_is_written_as_it_was(kind: str) -> None:
    raw, _ = golden()[kind]
    record = state._decoders[kind].decode(raw)

    _, again = state.write(kind, [], record)

    assert again is not None
    written = msgspec.msgpack.decode(again)
    assert as_of(msgspec.msgpack.decode(raw), written) == msgspec.msgpack.decode(raw)


if __name__ == "__main__":
    known = golden() if FILE.exists() else {}
    for kind, struct in state._KINDS.items():
        if kind not in known:
            says = filled(struct)
            raw = msgspec.msgpack.encode(msgspec.convert(says, struct))
            print(json.dumps([kind, b64encode(raw).decode(), says]))
