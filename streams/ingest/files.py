"""Files and folders as sources: in the order of their names, each once, none beyond a bound."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from streams.ingest._contract import Untranslated

LARGEST_BYTES = 1024 * 1024 * 1024


class Unreadable(Exception):
    """A source that was named is not there; says which and why."""


class File(NamedTuple):
    """A file by its number, since its name may be a patient's; None where it cannot be read."""

    number: int
    content: bytes | None
    untranslated: Untranslated | None = None


def files(sources: Iterable[str], suffixes: tuple[str, ...] = ()) -> Iterator[File]:
    """The contents of files, and of all files below folders. Raises Unreadable."""
    for number, path in enumerate(_paths(sources, suffixes), start=1):
        try:
            if path.stat().st_size > LARGEST_BYTES:
                yield File(number, None, Untranslated("too_large", "file"))
            else:
                yield File(number, path.read_bytes())
        except OSError:
            yield File(number, None, Untranslated("unreadable", "file"))


def _paths(sources: Iterable[str], suffixes: tuple[str, ...]) -> Iterator[Path]:
    for source in sources:
        path = Path(source)
        if path.is_dir():
            yield from (
                below
                for below in sorted(path.rglob("*"))
                if below.is_file() and (not suffixes or below.suffix.lower() in suffixes)
            )
        elif path.is_file():
            yield path
        else:
            raise Unreadable(f"{source}: there is no such file or folder")
