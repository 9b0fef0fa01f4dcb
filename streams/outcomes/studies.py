"""The studies that a shard remembers: for a bounded time, strangers also in bounded number.

A study is remembered as long as a repeated message of it could be taken for a new one. A result
that has come before its study waits for it in the same record: a stranger.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import takewhile

from schemas.config import Bounds
from streams.clock import NEVER_US, seconds_to_us
from streams.outcomes.study_record import StudyRecord

StudyId = tuple[str, str]


class Studies:
    """The records by site and study, and when each may be forgotten."""

    def __init__(self, bounds: Bounds, dropped: Counter[str]) -> None:
        self.settled_us = seconds_to_us(bounds.settled_s)
        self._waiting_us = seconds_to_us(bounds.waiting_s)
        self._least_us = min(self.settled_us, self._waiting_us)
        self._waiting_per_site = bounds.waiting_per_site
        self._dropped = dropped
        self.records: dict[StudyId, StudyRecord] = {}
        self._strangers: dict[str, dict[str, None]] = {}  # known only by results, by last touch
        self._forgets: list[tuple[int, str, str]] = []
        self._dirty: dict[StudyId, None] = {}

    def recall(self, key: StudyId, now_us: int) -> StudyRecord | None:
        """What is known of a study until its time is over, swept out by then or not."""
        record = self.records.get(key)
        if record is None or record.touched_us + self._least_us > now_us:
            return record
        if self._forget_us(record) > now_us:
            return record
        self._forget(record)
        return None

    def new(self, key: StudyId, arrived_us: int) -> StudyRecord:
        """The record of a study that has come."""
        return self._new(key, arrived_us, self.settled_us)

    def stranger(self, key: StudyId, arrived_us: int) -> StudyRecord:
        """The record of a study that is known only by a result; the oldest makes room."""
        strangers = self._strangers.setdefault(key[0], {})
        if len(strangers) >= self._waiting_per_site:
            self._dropped["waiting_overflow"] += 1
            self._drop(self._longest_untouched(key[0]))
        strangers[key[1]] = None
        return self._new(key, arrived_us, self._waiting_us)

    def introduce(self, record: StudyRecord) -> None:
        """The study of a stranger has come."""
        del self._strangers[record.site][record.study]

    def touch(self, record: StudyRecord, touched_us: int) -> None:
        """It has changed, and is remembered from now on."""
        record.touched_us = touched_us
        self._dirty[record.site, record.study] = None
        if not record.upserts:
            strangers = self._strangers[record.site]
            strangers[record.study] = strangers.pop(record.study)  # in order of their last touch

    def earliest_us(self) -> int:
        """Nothing is forgotten before."""
        return self._forgets[0][0] if self._forgets else NEVER_US

    def forget(self, now_us: int) -> None:
        """Drop what has been settled, or has waited for its study, long enough."""
        while self._forgets and self._forgets[0][0] <= now_us:
            _, site, study = heappop(self._forgets)
            record = self.records.get((site, study))
            if record is None:
                continue
            until_us = self._forget_us(record)
            if until_us > now_us:
                heappush(self._forgets, (until_us, site, study))
            else:
                self._forget(record)

    def changes(self) -> Iterator[tuple[StudyId, StudyRecord | None]]:
        """Records changed since the last call; None for those dropped."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield key, self.records.get(key)

    def restore(self, records: Iterable[StudyRecord]) -> None:
        """Take up the records of a checkpoint."""
        for record in sorted(records, key=lambda record: record.touched_us):
            self.records[record.site, record.study] = record
            if not record.upserts:
                self._strangers.setdefault(record.site, {})[record.study] = None
            heappush(self._forgets, (self._forget_us(record), record.site, record.study))

    @property
    def strangers_n(self) -> int:
        """How many wait for their study."""
        return sum(map(len, self._strangers.values()))

    def _new(self, key: StudyId, arrived_us: int, kept_us: int) -> StudyRecord:
        record = StudyRecord(site=key[0], study=key[1], touched_us=arrived_us)
        self.records[key] = record
        # Swept out a little late, since it will be touched again: most are looked at only once.
        heappush(self._forgets, (arrived_us + kept_us + kept_us // 64, *key))
        return record

    def _longest_untouched(self, site: str) -> StudyRecord:
        """The same after a restart as without: of those touched at one moment the first by name."""
        strangers = (self.records[site, study] for study in self._strangers[site])
        first = next(strangers)
        ties = takewhile(lambda record: record.touched_us == first.touched_us, strangers)
        return min((first, *ties), key=lambda record: record.study)

    def _forget(self, record: StudyRecord) -> None:
        if not record.upserts:
            self._dropped["waited_in_vain"] += 1
        self._drop(record)

    def _drop(self, record: StudyRecord) -> None:
        key = (record.site, record.study)
        if not record.upserts:
            del self._strangers[record.site][record.study]
        del self.records[key]
        self._dirty[key] = None

    def _forget_us(self, record: StudyRecord) -> int:
        if not record.upserts:
            return record.touched_us + self._waiting_us
        last_us = max(record.touched_us, record.upserts[-1].at_us)
        return max((last_us, *(e.due_us for e in record.expected.values()))) + self.settled_us
