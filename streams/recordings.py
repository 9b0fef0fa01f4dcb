"""Recorded events as lines: plain, .gz, .zst, or standard input."""

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import zstandard

from schemas.fields import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STDIN = "-"
_CHUNK_BYTES = 16_384  # of the compressed file


class UnreadableRecording(Exception):
    """A file that cannot be read; says which, and why."""


def lines(source: str) -> Iterator[bytes]:
    """The lines of a recording, without their ends; one longer than a message may be is cut there.

    The mark that editors on Windows begin a file with is no part of its first line.

    Raises UnreadableRecording for a file that is missing, not readable or damaged.
    """
    try:
        mark = codecs.BOM_UTF8
        with _open(source) as stream:
            while line := stream.readline(2 * MAX_MESSAGE_BYTES):
                yield line.removeprefix(mark).rstrip(b"\r\n")
                mark = b""
                while line and not line.endswith(b"\n"):
                    line = stream.readline(2 * MAX_MESSAGE_BYTES)  # the rest of a cut line
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnreadableRecording(f"{source}: {reason}") from error


def _open(source: str) -> BinaryIO:
    if source == STDIN:
        if sys.stdin.buffer.closed:
            raise UnreadableRecording(f"{source}: standard input can be read only once")
        return sys.stdin.buffer
    if source.endswith(".gz"):
        return io.BufferedReader(gzip.open(source, "rb"))
    if source.endswith(".zst"):
        return io.BufferedReader(_Zstandard(Path(source)))
    return Path(source).open("rb")


class _Zstandard(io.RawIOBase):
    """The content of a .zst file. One that ends within a frame is damaged: EOFError."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._chunks = self._decompressed()
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: "WriteableBuffer") -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        target = memoryview(into)
        n = min(len(target), len(self._left))
        target[:n], self._left = self._left[:n], self._left[n:]
        return n

    def close(self) -> None:
        self._file.close()
        super().close()

    def _decompressed(self) -> Iterator[bytes]:
        frame = None
        while data := self._file.read(_CHUNK_BYTES):
            while data:
                frame = frame or zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(data)
                data, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
        if frame is not None:
            raise EOFError("the file ends too early")
