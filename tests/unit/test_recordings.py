"""Recorded lines, however they are packed, and a sentence for what cannot be read."""

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from schemas.fields import MAX_MESSAGE_BYTES
from streams.recordings import UnreadableRecording, lines

LINES = [b'{"number":%d}' % number for number in range(100_000)]
TEXT = b"\n".join(LINES)
PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".jsonl": bytes,
    ".jsonl.gz": gzip.compress,
    ".jsonl.zst": zstandard.compress,
}


@pytest.mark.parametrize(("suffix", "pack"), PACKED.items())
def test_lines_are_the_same_however_they_are_packed(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"day{suffix}"
    path.write_bytes(pack(TEXT))

    assert list(lines(str(path))) == LINES


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
def test_files_that_were_packed_apart_may_be_joined(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"days{suffix}"
    path.write_bytes(PACKED[suffix](b"one\n") + PACKED[suffix](b"two\n"))

    assert list(lines(str(path))) == [b"one", b"two"]


def test_the_byte_order_mark_of_a_file_is_no_part_of_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_bytes("\ufeff{}\r\n\ufeff{}\r\n".encode())

    assert [*lines(str(path))] == [b"{}", "\ufeff{}".encode()]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\r\ntwo")))

    assert list(lines("-")) == [b"one", b"two"]


@pytest.mark.parametrize("text", [b"", b"\n", b"\n\n"])
def test_an_empty_recording_has_no_event(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "empty.jsonl").write_bytes(text)

    assert not any(lines(str(tmp_path / "empty.jsonl")))


def test_a_line_longer_than_a_message_may_be_is_cut_and_the_next_is_whole(tmp_path: Path) -> None:
    (tmp_path / "long.jsonl").write_bytes(b"x" * (5 * MAX_MESSAGE_BYTES) + b"\nnext\n")

    cut, following = lines(str(tmp_path / "long.jsonl"))

    assert (len(cut), following) == (2 * MAX_MESSAGE_BYTES, b"next")


def damaged(packed: bytes) -> bytes:
    return packed[:2_000] + bytes(200) + packed[2_200:]


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
@pytest.mark.parametrize(
    "harm",
    [lambda packed: packed[: len(packed) // 2], lambda packed: packed[:-3], damaged],
    ids=["half", "end", "middle"],
)
def test_a_damaged_file_is_named(
    tmp_path: Path, suffix: str, harm: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(harm(PACKED[suffix](TEXT)))

    with pytest.raises(UnreadableRecording, match=f"damaged{suffix}: ."):
        list(lines(str(path)))


@pytest.mark.parametrize("name", ["absent.jsonl", "absent.jsonl.gz", "absent.jsonl.zst", "."])
def test_a_file_that_is_not_there_or_none_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableRecording, match=r"absent.*No such file|Is a directory"):
        list(lines(str(tmp_path / name)))
