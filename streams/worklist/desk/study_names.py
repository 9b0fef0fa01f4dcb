"""Which study a key stands for: a file that ingest writes and only the worklist reads.

It turns pseudonyms back, so it is patient data: it is made readable for its owner alone, stays on
this machine, and nothing of it is ever logged. One JSON list a line: key, Study Instance UID,
accession number, issuer. Several writers may append; one that grows too large becomes `FILE.1`.
"""

import fcntl
import logging
import os
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from streams.ingest.links import Told
from streams.worklist._contract import NOBODY, Named

log = logging.getLogger("radvigil.worklist")

MOST_BYTES = 64 * 1024 * 1024
MOST_NAMES = 400_000
_REMEMBERED = 10_000
_Line = tuple[str, str, str, str]
_decode = msgspec.json.Decoder(_Line).decode


class NamesWriter:
    """What ingest tells its links to."""

    def __init__(self, file: Path, most_bytes: int = MOST_BYTES) -> None:
        self._file = file
        self._most_bytes = most_bytes
        self._is_failing = False
        self._written: OrderedDict[str, _Line] = OrderedDict()

    def __call__(self, key: str, uid: str, accession: str, issuer: str) -> None:
        """Append a name. A file that cannot be written is said once: events go on without it."""
        line = (key, uid, accession, issuer)
        if self._written.get(key) == line:
            return
        try:
            self._append(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            if not self._is_failing:
                log.error("the keys file cannot be written: %s", error.strerror)
            self._is_failing = True
            return
        self._is_failing = False
        self._written[key] = line
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)

    def _append(self, line: bytes) -> None:
        while True:
            place = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                fcntl.flock(place, fcntl.LOCK_EX)
                if not self._is_current(place):
                    continue  # another writer has put it aside while we waited
                if os.fstat(place).st_size > self._most_bytes:
                    self._file.replace(_aside(self._file))
                    continue
                os.write(place, line)
                return
            finally:
                os.close(place)

    def _is_current(self, place: int) -> bool:
        try:
            return os.fstat(place).st_ino == self._file.stat().st_ino
        except FileNotFoundError:
            return False


def names_writer(files: Iterable[str | None]) -> Told | None:
    """Writes to every file that is named; None where none is."""
    writers = [NamesWriter(Path(file)) for file in sorted({file for file in files if file})]

    def told(key: str, uid: str, accession: str, issuer: str) -> None:
        for writer in writers:
            writer(key, uid, accession, issuer)

    return told if writers else None


class StudyNames:
    """The newest names, at most `most`."""

    def __init__(self, file: Path | None, most: int = MOST_NAMES) -> None:
        self._file = file
        self._most = most
        self._names: OrderedDict[str, Named] = OrderedDict()
        self._inode = -1
        self._read = 0

    def find(self, key: str) -> Named:
        """The study of a key, NOBODY where it is not known; what is new in the file is read."""
        if key not in self._names and self._file is not None:
            self._read_on(self._file)
        return self._names.get(key, NOBODY)

    def _read_on(self, file: Path) -> None:
        try:
            inode = file.stat().st_ino
        except FileNotFoundError:
            return
        if inode != self._inode:
            aside = _aside(file)
            if aside.exists():
                self._take(aside, self._read if aside.stat().st_ino == self._inode else 0)
            self._inode, self._read = inode, 0
        self._read = self._take(file, self._read)

    def _take(self, file: Path, start: int) -> int:
        """Read the whole lines from `start`; where the next one begins."""
        with file.open("rb") as lines:
            lines.seek(start)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                start += len(line)
                self._learn(line)
        return start

    def _learn(self, line: bytes) -> None:
        try:
            key, *told = _decode(line)
        except msgspec.DecodeError:
            log.warning("a line of the keys file is none of ours")
            return
        known = self._names.pop(key, NOBODY)
        self._names[key] = Named(*(new or old for new, old in zip(told, known, strict=True)))
        if len(self._names) > self._most:
            self._names.popitem(last=False)


def _aside(file: Path) -> Path:
    return file.with_name(file.name + ".1")
