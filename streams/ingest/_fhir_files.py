"""Files and folders of FHIR: a resource or Bundle each, or a bulk export, one resource a line.

A bulk export has a file for each type. Devices and studies are read before what refers to them, and
no more than one line is held at a time, however large the file.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from streams.ingest._contract import Translated, Untranslated
from streams.ingest._fhir_json import LARGEST_BYTES
from streams.ingest._fhir_prediction import Gathering
from streams.ingest.fhir import Translator, gathered
from streams.ingest.files import Unreadable

ONE_A_LINE = (".ndjson", ".jsonl")
_SUFFIXES = (*ONE_A_LINE, ".json", ".xml")
_FIRST = ("Device", "ImagingStudy", "ImagingSelection")


def read(
    translator: Translator,
    sources: Iterable[str],
    received_at: datetime,
    longest_bytes: int = LARGEST_BYTES,
) -> Iterator[Translated]:
    """The events of files, and of all files below folders. Raises Unreadable."""
    gathering = Gathering()
    for path in sorted((path for one in sources for path in _paths(one)), key=_turn):
        try:
            for content in _pieces(path, longest_bytes):
                if content is None:
                    yield Untranslated("too_large", "resource")
                else:
                    yield from gathered(translator.message(content, received_at), gathering)
        except OSError:
            yield Untranslated("unreadable", "file")
    yield from gathering.finish()


def _paths(source: str) -> Iterator[Path]:
    path = Path(source)
    if path.is_dir():
        below = sorted(path.rglob("*"))
        yield from (one for one in below if one.suffix.lower() in _SUFFIXES and one.is_file())
    elif path.is_file():
        yield path
    else:
        raise Unreadable(f"{source}: there is no such file or folder")


def _turn(path: Path) -> int:
    """By type, as the names of a bulk export tell it; else as they come (the sort is stable)."""
    named = (turn for turn, kind in enumerate(_FIRST) if path.name.startswith(kind))
    return next(named, len(_FIRST))


def _pieces(path: Path, longest_bytes: int) -> Iterator[bytes | None]:
    """The resources of a file; None for one that is too long."""
    if path.suffix.lower() in ONE_A_LINE:
        yield from _lines(path, longest_bytes)
    else:
        with path.open("rb") as file:
            content = file.read(longest_bytes + 1)
        yield content if len(content) <= longest_bytes else None


def _lines(path: Path, longest_bytes: int) -> Iterator[bytes | None]:
    with path.open("rb") as file:
        while line := file.readline(longest_bytes + 1):
            if len(line) > longest_bytes:
                yield None
                while line and not line.endswith(b"\n"):  # the rest of it
                    line = file.readline(longest_bytes)
            elif bare := line.strip():
                yield bare
