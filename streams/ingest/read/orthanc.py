"""Orthanc, by its `/changes`: a numbered log of what came, which is asked for what is new.

Three of its changes matter. NewStudy: a study begins. StableStudy: nothing came for `StableAge`
seconds, which is no proof that it is whole; when something comes after all, Orthanc says it again,
and the study is told again with its new counts. NewInstance: where it is a result (a structured
report and the like), the result. Each event is dated by when Orthanc had it, not by when we asked.

Nothing is remembered but the number of the last change: each study is asked for when it is told.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace
from pydicom.dataset import Dataset

from schemas.study import Study, StudyState
from streams.ingest import sr
from streams.ingest._contract import Ingest, Translated, Untranslated
from streams.ingest.dicom import Instance, Translator
from streams.ingest.read._contract import Batch, Get, Gone, Position, Refused
from streams.ingest.read._orthanc_answers import (
    Change,
    Changes,
    Series,
    changes_of,
    header_of,
    moment,
    series_of,
)

log = logging.getLogger("radvigil.ingest")

PAGE_N = 100
AT_A_TIME_N = 8
_TRIED_SERIES_N = 8
_STATES: dict[str, StudyState] = {"NewStudy": "received", "StableStudy": "complete"}


class Reader:
    """See streams.ingest.read.Reader. Orthanc itself knows when a study is quiet (`StableAge`)."""

    def __init__(
        self, ingest: Ingest, get: Get, now: Callable[[], datetime], stable_s: float
    ) -> None:
        self._images = Translator(ingest)
        self._results = sr.Translator(ingest)
        self._models = ingest.models
        self._get = get
        self._now = now

    async def unread(self, position: Position | None) -> AsyncIterator[Batch]:
        """Page by page."""
        seq = int((position or {}).get("seq", 0))
        if (await self._changes("last")).last < seq:
            log.warning("Orthanc counts its changes anew: it is read from the beginning")
            seq = 0
        while True:
            page = await self._changes(f"since={seq}&limit={PAGE_N}")
            if not page.changes:
                return
            seq = page.last
            yield Batch(await self._translated(page.changes), {"seq": seq})
            if page.done:
                return

    async def end(self) -> Position:
        """After the last change."""
        return {"seq": (await self._changes("last")).last}

    async def _changes(self, which: str) -> Changes:
        try:
            return changes_of(await self._get(f"/changes?{which}"))
        except (Gone, msgspec.DecodeError):
            raise Refused("it does not answer as Orthanc does") from None

    async def _translated(self, changes: Sequence[Change]) -> list[Translated]:
        """In their order; some are asked for at a time."""
        told: list[Translated] = []
        for begin in range(0, len(changes), AT_A_TIME_N):
            some = map(self._change, changes[begin : begin + AT_A_TIME_N])
            for found in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(found, BaseException):
                    raise found
                told += found
        return told

    async def _change(self, change: Change) -> list[Translated]:
        try:
            if change.what == "NewInstance":
                return await self._result(change)
            return await self._study(change) if change.what in _STATES else []
        except Gone:  # deleted since, as on a router that keeps nothing; or it cannot read it
            return [Untranslated("unreadable", f"orthanc/{change.what}")]
        except msgspec.DecodeError:
            return [Untranslated("bad_value", f"orthanc/{change.what}")]

    async def _study(self, change: Change) -> list[Translated]:
        """The study of the first series that holds images, with all series counted."""
        series = series_of(await self._get(f"/studies/{change.resource}/series"))
        held = [one for one in series if one.instances and not _is_result(one)]
        at = self._at(change, held)
        refused: list[Translated] = []
        for one in held[:_TRIED_SERIES_N]:
            header = header_of(await self._get(f"/instances/{one.instances[0]}/tags"))
            found = self._images.of_header(header, at)
            if isinstance(found, Instance):
                return [_told(found.study, _STATES[change.what], held, at)]
            refused.append(found)
        return refused[:1]

    def _at(self, change: Change, series: Sequence[Series]) -> datetime:
        """When the study began, or its last image came: a stable one was whole since then."""
        at = moment(change.date) or self._now()
        updated = [found for one in series if (found := moment(one.updated)) is not None]
        return min(at, max(updated)) if updated and change.what == "StableStudy" else at

    async def _result(self, change: Change) -> list[Translated]:
        """What an instance says, where it is no image; images are told as studies."""
        path = f"/instances/{change.resource}"
        at = moment(change.date) or self._now()
        found = self._images.of_header(await self._class(path), at)
        if isinstance(found, Instance) or found.reason != "not_of_this_kind":
            return []
        content = await self._get(f"{path}/file", "application/dicom")
        return list(self._results.translate(content, at))

    async def _class(self, path: str) -> Dataset:
        """Enough of an instance to tell images from results; its class, where no more is needed."""
        if self._models.rows:
            return header_of(await self._get(f"{path}/tags"))
        content = await self._get(f"{path}/metadata/SopClassUid", "*/*")
        header = Dataset()
        header.SOPClassUID = content.decode("ascii", "replace").strip()
        return header


def _is_result(series: Series) -> bool:
    return series.tags.get("Modality") in ("SR", "SEG", "PR", "KO", "DOC", "RTSTRUCT", "REG")


def _told(study: Study, state: StudyState, series: Sequence[Series], at: datetime) -> Study:
    counts = {
        "series_n": float(len(series)),
        "instances_n": float(sum(len(one.instances) for one in series)),
    }
    return replace(study, state=state, at=at, attributes={**(study.attributes or {}), **counts})
