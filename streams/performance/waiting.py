"""The studies that wait to be read, and when each is due.

Due is a study's time plus the maturity, in proved time. Until then everything that arrives is
merged, in any order; what arrives later is counted and changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from schemas.performance import Performance
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from streams.clock import NEVER_US, seconds_to_us
from streams.performance.unread import REMOVING, Unread
from streams.stage import Happened

StudyId = tuple[str, str]


class Waiting:
    """Bounded for each site; `dropped` counts what that, or coming too late, has cost."""

    def __init__(self, settings: Performance, dropped: Counter[str]) -> None:
        self.maturity_us = seconds_to_us(settings.maturity_s)
        self._per_site = settings.studies_per_site
        self._studies: dict[StudyId, Unread] = {}
        self._per_site_n: Counter[str] = Counter()
        self._times: list[tuple[int, str, str]] = []
        self._dirty: dict[StudyId, None] = {}
        self._dropped = dropped

    def take(self, happened: Happened) -> None:
        """Remember what an event says of its study."""
        event = happened.event
        key = (event.site, event.study)
        known = self._studies.get(key)
        if known is None and not _concerns(event):
            return
        study = known or Unread(site=key[0], study=key[1], arrived_us=happened.arrived_us)
        was_due_us = self._due_us(study)
        is_news = self._date(study, happened, known is not None)
        if self._due_us(study) <= happened.watermark_us:
            self._dropped["readout_too_late"] += not isinstance(event, Study)
            return
        is_news |= _leave_out(study, happened)
        is_news |= study.sliced(happened.slices)
        if isinstance(event, Prediction) and _is_answer(event):
            is_news |= study.answer(event, happened.at_us)
        elif isinstance(event, Report):
            is_news |= study.report(event, happened.at_us)
        if not is_news or (known is None and not self._has_room(key[0])):
            return
        self._dirty[key] = None
        if known is None:
            self._add(study)
        if known is None or was_due_us != self._due_us(study):
            heappush(self._times, (self._due_us(study), *key))

    def earliest_us(self) -> int:
        """When the next one is due, perhaps too early."""
        return self._times[0][0] if self._times else NEVER_US

    def due(self, now_us: int) -> Iterator[tuple[Unread, int]]:
        """Those that are due by then and when they were, in order; each is forgotten."""
        while self._times and self._times[0][0] <= now_us:
            due_us, *key = heappop(self._times)
            study = self._studies.get((key[0], key[1]))
            if study is not None and self._due_us(study) == due_us:
                del self._studies[key[0], key[1]]
                self._per_site_n[key[0]] -= 1
                self._dirty[key[0], key[1]] = None
                yield study, due_us

    def changes(self) -> Iterator[tuple[StudyId, Unread | None]]:
        """Those that changed since the last call; None for the forgotten."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield key, self._studies.get(key)

    def restore(self, studies: Iterable[Unread]) -> None:
        """Take up those of a checkpoint."""
        for study in studies:
            self._add(study)
            self._times.append((self._due_us(study), study.site, study.study))
        heapify(self._times)

    def __len__(self) -> int:
        return len(self._studies)

    def _add(self, study: Unread) -> None:
        self._studies[study.site, study.study] = study
        self._per_site_n[study.site] += 1

    def _has_room(self, site: str) -> bool:
        if self._per_site_n[site] < self._per_site:
            return True
        self._dropped["readout_overflow"] += 1
        return False

    def _date(self, study: Unread, happened: Happened, is_known: bool) -> bool:
        """When the study was made, by what is known now; whether that was news.

        A date by which one that waits would have been read already comes too late.
        """
        at_us = study.at_us
        if happened.study is not None:
            at_us = happened.study.at_us
        elif isinstance(happened.event, Study):
            at_us = happened.at_us
        if at_us is None or at_us == study.at_us:
            return False
        if is_known and at_us + self.maturity_us <= happened.watermark_us:
            return False
        study.at_us = at_us
        return True

    def _due_us(self, study: Unread) -> int:
        """When it is read, or given up if it is not known when it was made."""
        at_us = study.arrived_us if study.at_us is None else study.at_us
        return at_us + self.maturity_us


def _concerns(event: Study | Prediction | Report) -> bool:
    """Whether there is anything in it to remember."""
    if isinstance(event, Prediction):
        return _is_answer(event)
    if isinstance(event, Study):
        return event.state == "cancelled"
    return bool(event.labels or event.feedback) or event.status in REMOVING


def _is_answer(prediction: Prediction) -> bool:
    return prediction.role == "live" and prediction.status == "completed"


def _leave_out(study: Unread, happened: Happened) -> bool:
    """Whether this is how it becomes known that the study is not to be counted."""
    event = happened.event
    cancelled = isinstance(event, Study) and event.state == "cancelled"
    if study.left_out or not (cancelled or (happened.fresh and not happened.counts)):
        return False
    study.left_out = True
    return True
