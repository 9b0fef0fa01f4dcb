"""A DICOMweb server (PS3.18), by asking again and again which studies of these days it has.

QIDO-RS tells studies and how many instances they have. A study is told as `received` when it is
seen first, as `complete` when its count has not changed for `ingest.stable_s`, and again when it
has grown after all. It is dated by when we saw it, so ask often. The header is that of the first
instance of the first series of images (metadata, WADO-RS). Results are not fetched.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydicom.dataset import Dataset

from schemas.study import StudyState
from streams.ingest._contract import Ingest, Translated, Untranslated
from streams.ingest._dicom_header import number, text
from streams.ingest.dicom import Instance, Translator
from streams.ingest.read._contract import Batch, Get, Gone, Position, Refused
from streams.ingest.read._dicom_json import headers_of

PAGE_N = 100
MOST_STUDIES = 20_000
_DAY = timedelta(days=1)
_ACCEPT = "application/dicom+json"
_RESULTS = frozenset({"SR", "SEG", "PR", "KO", "DOC", "RTSTRUCT", "REG"})
_COUNTS = "includefield=00201208&includefield=00080061"
_TRIED_SERIES_N = 8


class _Seen(Struct, array_like=True):
    """A study: its instances, since when they are so many (s), whether it was told as complete."""

    instances_n: int
    since_s: float
    told: bool = False


class Reader:
    """See streams.ingest.read.Reader."""

    def __init__(
        self, ingest: Ingest, get: Get, now: Callable[[], datetime], stable_s: float
    ) -> None:
        self._ingest = ingest
        self._images = Translator(ingest)
        self._get = get
        self._now = now
        self._stable_s = stable_s

    async def unread(self, position: Position | None) -> AsyncIterator[Batch]:
        """One look at all studies from yesterday to tomorrow, a page a batch."""
        seen = msgspec.convert((position or {}).get("studies", {}), dict[str, _Seen])
        there: set[str] = set()
        async for page in self._studies():
            told: list[Translated] = []
            for study in page:
                uid = text(study, "StudyInstanceUID")
                if uid is None:
                    told.append(Untranslated("missing_field", "(0020,000D)"))
                    continue
                there.add(key := self._ingest.pseudonyms.key("study", uid))
                told += await self._look(study, uid, key, seen)
            yield Batch(told, _position(seen))
        yield Batch([], _position({key: one for key, one in seen.items() if key in there}))

    async def end(self) -> Position:
        """Everything that is there counts as told."""
        seen = {}
        async for page in self._studies():
            for study in page:
                key = self._ingest.pseudonyms.key("study", text(study, "StudyInstanceUID") or "")
                seen[key] = _Seen(_instances_n(study), self._now().timestamp(), True)
        return _position(seen)

    async def _studies(self) -> AsyncIterator[list[Dataset]]:
        today = self._now()
        days = f"{today - _DAY:%Y%m%d}-{today + _DAY:%Y%m%d}"
        for offset in range(0, MOST_STUDIES, PAGE_N):
            search = f"/studies?StudyDate={days}&{_COUNTS}&limit={PAGE_N}&offset={offset}"
            try:
                page = headers_of(await self._get(search, _ACCEPT))
            except (Gone, msgspec.DecodeError):
                raise Refused("it does not answer as a DICOMweb server does") from None
            if page:
                yield page
            if len(page) < PAGE_N:
                return

    async def _look(
        self, study: Dataset, uid: str, key: str, seen: dict[str, _Seen]
    ) -> list[Translated]:
        """What is to be told of a study that was seen, or not, at the last look."""
        now_s, count = self._now().timestamp(), _instances_n(study)
        before = seen.get(key)
        if before is None or before.instances_n != count:
            seen[key] = _Seen(count, now_s)
            return await self._told(uid, "received", now_s) if before is None else []
        if before.told or now_s - before.since_s < self._stable_s:
            return []
        seen[key] = _Seen(count, before.since_s, True)
        return await self._told(uid, "complete", before.since_s)

    async def _told(self, uid: str, state: StudyState, at_s: float) -> list[Translated]:
        try:
            return await self._study(uid, state, datetime.fromtimestamp(at_s, UTC))
        except Gone:
            return [Untranslated("unreadable", "dicomweb/study")]
        except msgspec.DecodeError:
            return [Untranslated("bad_value", "dicomweb/study")]

    async def _study(self, uid: str, state: StudyState, at: datetime) -> list[Translated]:
        path = f"/studies/{quote(uid, safe='')}/series"
        series = headers_of(await self._get(f"{path}?includefield=00201209", _ACCEPT))
        held = [one for one in series if text(one, "Modality") not in _RESULTS]
        refused: list[Translated] = []
        for one in held[:_TRIED_SERIES_N]:
            header = await self._header(f"{path}/{quote(text(one, 'SeriesInstanceUID') or '')}")
            found = self._images.of_header(header, at)
            if isinstance(found, Instance):
                counts = {
                    "series_n": float(len(held)),
                    "instances_n": sum(
                        number(s, "NumberOfSeriesRelatedInstances") or 0.0 for s in held
                    ),
                }
                attributes = {**(found.study.attributes or {}), **counts}
                return [replace(found.study, state=state, attributes=attributes)]
            refused.append(found)
        return refused[:1]

    async def _header(self, path: str) -> Dataset:
        """Of the first instance of a series."""
        instances = headers_of(await self._get(f"{path}/instances?limit=1", _ACCEPT))
        uid = text(instances[0], "SOPInstanceUID") if instances else None
        if uid is None:
            raise Gone("no instance")
        found = headers_of(await self._get(f"{path}/instances/{quote(uid)}/metadata", _ACCEPT))
        return found[0] if found else instances[0]


def _instances_n(study: Dataset) -> int:
    return int(number(study, "NumberOfStudyRelatedInstances") or 0)


def _position(seen: dict[str, _Seen]) -> Position:
    return {"studies": msgspec.to_builtins(seen)}
