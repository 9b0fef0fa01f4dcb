"""Links that several services share, each receiver being a process of its own: one file of lines.

Each service appends what it learnt and reads on what the others appended, so that a report that
names only an accession number meets the study that another service received.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import msgspec

from streams.ingest.links import Links

LARGEST_BYTES = 128 * 1024 * 1024
"""Beyond that it is written anew, with the links that are still known."""
_decoder = msgspec.json.Decoder(dict[str, str])


class LinkFile:
    """What one process knows of the file. Not for several threads."""

    def __init__(self, file: Path, links: Links) -> None:
        self._file = file
        self._links = links
        self._learnt: dict[str, str] = {}
        self._read_to = 0
        self._edition = b""
        links.on_learnt = self._learnt.__setitem__

    def exchange(self) -> None:
        """Take up what others learnt, and write what we learnt. Raises OSError."""
        with self._locked() as lock, self._opened() as file:
            if (edition := os.pread(lock, 64, 0)) != self._edition:
                self._edition, self._read_to = edition, 0
            file.seek(self._read_to)
            for links in _lines(file):
                self._links.take_up(links)
            if self._learnt:
                file.write(b"\n" + msgspec.json.encode(self._learnt) + b"\n")
                file.flush()
                self._learnt.clear()
            self._read_to = file.seek(0, os.SEEK_END)
            if self._read_to > LARGEST_BYTES:
                self._write_anew(lock)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The lock lies beside the file, which may be replaced, and says which edition that is."""
        lock = os.open(f"{self._file}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock
        finally:
            os.close(lock)

    def _opened(self) -> BinaryIO:
        return open(os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "a+b")

    def _write_anew(self, lock: int) -> None:
        fresh = self._file.with_name(self._file.name + ".new")
        fresh.touch(mode=0o600)
        self._read_to = fresh.write_bytes(msgspec.json.encode(self._links.known()) + b"\n")
        fresh.replace(self._file)
        self._edition = uuid4().hex.encode()
        os.pwrite(lock, self._edition, 0)


def read_links(file: Path, links: Links) -> None:
    """Take up what the file has, and write nothing. Raises OSError."""
    with file.open("rb") as lines:
        for some in _lines(lines):
            links.take_up(some)


def _lines(file: BinaryIO) -> Iterator[dict[str, str]]:
    """A line that was cut short when a machine went down is left out."""
    for line in file:
        try:
            yield _decoder.decode(line)
        except msgspec.DecodeError:
            continue
