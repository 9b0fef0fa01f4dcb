"""What was once written must stay readable for ever, and is still written the same way."""

from pathlib import Path

import msgspec
import pytest

from schemas.decoding import decode_event, encode
from schemas.messages import EVENTS, MESSAGES
from tests.unit.golden import FILES, content, message


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_message_is_read_and_written_back_byte_for_byte(path: Path) -> None:
    assert encode(message(path)) == content(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_event_passes_the_strict_decoder(path: Path) -> None:
    if isinstance(message(path), EVENTS):
        assert decode_event(content(path)) == message(path)


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_the_golden_files_show_every_field(kind: type[msgspec.Struct]) -> None:
    shown = {
        name
        for path in FILES
        if isinstance(message(path), kind)
        for name in msgspec.json.decode(content(path))
    }

    assert shown == {"type", *kind.__struct_fields__}
