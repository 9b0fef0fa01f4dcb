"""A folder of DICOM files: images and results side by side, told in the order of their times.

A study is told once, with all its images, and before what algorithms said of it: readers of event
lines take the order of the lines for the order in which things happened.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from streams.ingest._contract import Translated, Translator, Untranslated
from streams.ingest.assembly import Assembly
from streams.ingest.dicom import Instance
from streams.ingest.dicom import Translator as Images
from streams.ingest.files import File

Event = Study | Prediction | Report
MOST_HELD = 100_000


def translated(
    images: Images, results: Translator, files: Iterable[File], now: datetime, stable_s: float
) -> Iterator[Translated]:
    """The events at the end, by time; more than `MOST_HELD` of them come in several such runs."""
    assembly = Assembly(stable_s)
    held: list[Event] = []
    for file in files:
        for one in _of_file(file, images, results, assembly, now):
            if isinstance(one, Untranslated):
                yield one
            else:
                held.append(one)
        if len(held) >= MOST_HELD:
            yield from _by_time(held)
            held.clear()
    yield from _by_time([*held, *_complete(assembly.finish())])


def _of_file(
    file: File, images: Images, results: Translator, assembly: Assembly, now: datetime
) -> Iterator[Translated]:
    if not file.content:
        yield file.untranslated or Untranslated("unreadable", "file")
        return
    image = images.instance(file.content, now)
    if isinstance(image, Instance):
        yield from _complete(assembly.add(image, image.study.at))
    elif image.reason == "not_of_this_kind":
        yield from results.translate(file.content, now)
    else:
        yield image


def _complete(studies: Iterable[Study]) -> Iterator[Study]:
    return (study for study in studies if study.state == "complete")


def _by_time(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.at, not isinstance(event, Study)))
