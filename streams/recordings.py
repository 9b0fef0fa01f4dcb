"""Recorded events as lines: plain, .gz, .zst, or standard input."""

import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from schemas.fields import MAX_MESSAGE_BYTES

STDIN = "-"


class UnreadableRecording(Exception):
    """A file that cannot be read; says which, and why."""


def lines(source: str) -> Iterator[bytes]:
    """The lines of a recording, without their ends; one longer than a message may be is cut there.

    Raises UnreadableRecording for a file that is missing, not readable or damaged.
    """
    try:
        with _open(source) as stream:
            while line := stream.readline(2 * MAX_MESSAGE_BYTES):
                yield line.rstrip(b"\r\n")
                while line and not line.endswith(b"\n"):
                    line = stream.readline(2 * MAX_MESSAGE_BYTES)  # the rest of a cut line
    except (OSError, EOFError, zstandard.ZstdError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnreadableRecording(f"{source}: {reason}") from error


def _open(source: str) -> BinaryIO:
    if source == STDIN:
        return sys.stdin.buffer
    if source.endswith(".gz"):
        return io.BufferedReader(gzip.open(source, "rb"))
    if source.endswith(".zst"):
        raw = Path(source).open("rb")  # noqa: SIM115, closed with its reader
        reader = zstandard.ZstdDecompressor().stream_reader(
            raw, read_across_frames=True, closefd=True
        )
        return io.BufferedReader(reader)
    return Path(source).open("rb")
