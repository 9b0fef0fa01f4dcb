"""Where a reader goes on after a restart: a small file, written whole or not at all."""

import os
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from streams.ingest.read._contract import Position
from streams.ingest.settings import default_key_file


class WrongPosition(Exception):
    """The file is not a position of this reader; says what it is."""


class _Kept(Struct, tag="radvigil.position.v1", tag_field="type"):
    kind: str
    source: str
    position: Position


class Place:
    """The position of one reader at one server; of no file, it is remembered while it runs."""

    def __init__(self, kind: str, url: str, file: Path | None) -> None:
        self._kind = kind
        self._source = _digest(url)
        self._file = file
        self._position: Position | None = None

    def read(self) -> Position | None:
        """None at the beginning. Raises WrongPosition."""
        if self._file is None or not self._file.exists():
            return self._position
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except msgspec.DecodeError:
            raise WrongPosition(f"{self._file} is not a position that was written here") from None
        if (kept.kind, kept.source) != (self._kind, self._source):
            raise WrongPosition(f"{self._file} is the position at another server")
        return kept.position

    def keep(self, position: Position) -> None:
        """Remember it; on the disk when this returns."""
        self._position = position
        if self._file is None:
            return
        content = msgspec.json.encode(_Kept(self._kind, self._source, position))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_name(self._file.name + ".new")
        with fresh.open("wb") as file:
            file.write(content + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)


def default_file(kind: str, url: str, site: str) -> Path:
    """Where a position is kept when no file is named: beside the secret that is made there."""
    return default_key_file().with_name(f"{kind}-{site}-{_digest(url)[:12]}.position")


def _digest(url: str) -> str:
    parts = urlsplit(url)
    return sha256(f"{parts.hostname}:{parts.port}{parts.path.rstrip('/')}".encode()).hexdigest()
