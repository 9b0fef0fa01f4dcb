"""The timers of what is expected: what is due next, and which study has waited longest.

Two heaps over the records of streams/outcomes/studies.py. An entry that its record no longer bears
out is passed over when it comes to the top, so bringing a deadline forward is only one entry more.
"""

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

from streams.clock import NEVER_US
from streams.outcomes.studies import StudyId
from streams.outcomes.study_record import Expected, StudyRecord

Snapshot = dict[str, tuple[int, int]]


class Deadlines:
    """Of one shard; `pending_n` expected results have neither come nor missed their deadline."""

    def __init__(self, studies: Mapping[StudyId, StudyRecord]) -> None:
        self._studies = studies
        self._dues: list[tuple[int, str, str, str]] = []
        self._waiting: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self.pending_n = 0

    def schedule(self, record: StudyRecord, before: Snapshot) -> None:
        """Set timers for what has begun to wait, or waits otherwise than `before`."""
        for model, expected in record.expected.items():
            self.pending_n += expected.waits - (model in before)
            if expected.waits and before.get(model) != (expected.start_us, expected.due_us):
                heappush(self._dues, (expected.due_us, record.site, record.study, model))
                waiting = self._waiting.setdefault((record.site, model), [])
                heappush(waiting, (expected.start_us, record.study))
                self.oldest_waiting_us(record.site, model)  # nobody else may ever clear it

    def earliest_us(self) -> int:
        """Nothing is due before: cheap, and perhaps too early."""
        return self._dues[0][0] if self._dues else NEVER_US

    def next_us(self) -> int | None:
        """When the next expected result is due, or None."""
        while self._dues and not self._is_live(self._dues[0]):
            heappop(self._dues)
        return self._dues[0][0] if self._dues else None

    def due(self, now_us: int) -> Iterator[tuple[StudyRecord, str]]:
        """Studies and models whose deadline is at `now_us` or before, in order."""
        while (due_us := self.next_us()) is not None and due_us <= now_us:
            _, site, study, model = heappop(self._dues)
            self.pending_n -= 1
            yield self._studies[site, study], model

    def oldest_waiting_us(self, site: str, model: str) -> int | None:
        """When the oldest study that still waits for this model started to wait."""
        waiting = self._waiting.get((site, model), [])
        while waiting and not self._still_waits(site, model, waiting[0]):
            heappop(waiting)
        if not waiting:
            self._waiting.pop((site, model), None)
            return None
        return waiting[0][0]

    def _is_live(self, due: tuple[int, str, str, str]) -> bool:
        due_us, site, study, model = due
        expected = self._waited_for(site, study, model)
        return expected is not None and expected.due_us == due_us

    def _still_waits(self, site: str, model: str, entry: tuple[int, str]) -> bool:
        expected = self._waited_for(site, entry[1], model)
        return expected is not None and expected.start_us == entry[0]

    def _waited_for(self, site: str, study: str, model: str) -> Expected | None:
        record = self._studies.get((site, study))
        expected = record.expected.get(model) if record else None
        return expected if expected is not None and expected.waits else None


def snapshot(record: StudyRecord) -> Snapshot:
    """Start and deadline of what is waited for."""
    return {
        model: (expected.start_us, expected.due_us)
        for model, expected in record.expected.items()
        if expected.waits
    }
