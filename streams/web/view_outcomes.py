"""What became of the expected results, counted by site, model and interval. Pure, bounded.

Two resolutions: the newest `FINE_N` intervals of about a deadline's length, to draw an outage, and
whole hours, to know what is usual. A late result after a missing one is counted once, as late.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

from schemas.config import Config, Deadlines
from schemas.outcome import Outcome, OutcomeKind
from streams.clock import NEVER_US, to_us

HOUR_US = 3_600_000_000
FINE_N = 312  # 26 hours of five minutes
_STEPS_S = (5, 10, 30, 60, 300)
_PAIRS = 5_000
_REMEMBERED = 50_000
_COLUMNS: dict[OutcomeKind, int] = {
    "on_time": 0,
    "late": 1,
    "missing": 2,
    "failed": 3,
    "incomplete": 3,
    "rejected": 3,
    "not_applicable": 4,
    "cancelled": 4,
}
_DUE = frozenset(range(4))
Pair = tuple[str, str]


class Counts(NamedTuple):
    """Results of an interval. `unneeded`: cancelled, or not applicable after all."""

    on_time: int = 0
    late: int = 0
    missing: int = 0
    failed: int = 0
    unneeded: int = 0

    @property
    def due(self) -> int:
        """How many should have come."""
        return self.on_time + self.late + self.missing + self.failed

    @property
    def share(self) -> float | None:
        """The share that came on time; None where none was due."""
        return self.on_time / self.due if self.due else None


_NONE = Counts()


class Outcomes:
    """Counts by pair of site and model, `days` far back."""

    def __init__(self, fine_s: int = 300, days: float = 14.0) -> None:
        self.fine_us = fine_s * 1_000_000
        self._hours_n = max(25, round(days * 24))
        self._fine: dict[Pair, dict[int, list[int]]] = {}
        self._hours: dict[Pair, dict[int, list[int]]] = {}
        self._due: dict[str, Counter[int]] = {}  # by site and hour
        # What may still turn out better: hash of the study's key to where it was counted.
        self._bad: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self.newest_us = 0
        self.oldest_us = NEVER_US
        self.dropped: Counter[str] = Counter()

    def take(self, outcome: Outcome) -> None:
        """Count one."""
        pair, at_us = (outcome.site, outcome.model), to_us(outcome.at)
        column = _COLUMNS[outcome.outcome]
        if pair not in self._hours:
            if len(self._hours) >= _PAIRS:
                self.dropped["pairs"] += 1
                return
            self._hours[pair], self._fine[pair] = {}, {}
        self.newest_us = max(self.newest_us, at_us)
        self.oldest_us = min(self.oldest_us, at_us)
        study = hash((outcome.study, pair))
        if outcome.revision > 1 and (known := self._bad.pop(study, None)) is not None:
            self._add(pair, *known, by=-1)
        self._add(pair, at_us, column, by=1)
        if column in (2, 3):
            self._bad[study] = at_us, column
            if len(self._bad) > _REMEMBERED:
                self._bad.popitem(last=False)

    def pairs(self) -> list[Pair]:
        """Every site and model with an outcome."""
        return sorted(self._hours)

    def ever(self, pair: Pair) -> bool:
        """Whether any result was due that is remembered."""
        return any(any(counts[:4]) for counts in self._hours.get(pair, {}).values())

    def hours(self, pair: Pair, until_us: int, n: int) -> list[Counts]:
        """The last `n` hours, the current one at the end."""
        return self._run(self._hours.get(pair, {}), until_us // HOUR_US, n)

    def newest(self, pair: Pair, until_us: int, n: int) -> list[Counts]:
        """The last `n` of the short intervals."""
        return self._run(self._fine.get(pair, {}), until_us // self.fine_us, n)

    def intervals(self, pair: Pair, from_us: int, until_us: int) -> tuple[int, list[Counts]]:
        """Their length in us, and the counts from a moment to another."""
        fine = self._is_fine(from_us)
        step_us, table = (self.fine_us, self._fine) if fine else (HOUR_US, self._hours)
        first, last = from_us // step_us, until_us // step_us
        return step_us, self._run(table.get(pair, {}), last, last - first + 1)

    def sites(self) -> Set[str]:
        """Every site where a result was due."""
        return self._due.keys()

    def due_by_hour(self, site: str) -> Mapping[int, int]:
        """How many results were due at a site in each hour (hours since the epoch)."""
        return self._due.get(site, {})

    def _is_fine(self, from_us: int) -> bool:
        return from_us >= self.newest_us - (FINE_N - 1) * self.fine_us

    def _add(self, pair: Pair, at_us: int, column: int, by: int) -> None:
        for table, step_us, n in (
            (self._fine, self.fine_us, FINE_N),
            (self._hours, HOUR_US, self._hours_n),
        ):
            slots, oldest = table[pair], self.newest_us // step_us - n
            slot = at_us // step_us
            if slot <= oldest:
                continue
            if step_us == HOUR_US and column in _DUE:
                self._count_due(pair[0], slot, oldest, by)
            slots.setdefault(slot, [0] * len(Counts._fields))[column] += by
            if len(slots) > n + n // 8:
                for old in [known for known in slots if known <= oldest]:
                    del slots[old]

    def _count_due(self, site: str, hour: int, oldest: int, by: int) -> None:
        due = self._due.setdefault(site, Counter())
        due[hour] += by
        if len(due) > self._hours_n + self._hours_n // 8:
            for old in [known for known in due if known <= oldest]:
                del due[old]

    @staticmethod
    def _run(slots: dict[int, list[int]], last: int, n: int) -> list[Counts]:
        slot_range = range(last - n + 1, last + 1)
        return [Counts(*slots[slot]) if slot in slots else _NONE for slot in slot_range]


def fine_s(config: Config) -> int:
    """The interval that shows an outage of the shortest deadline.

    >>> from schemas.config import Model
    >>> fine_s(Config(models=[Model(name="ptx", deadline_s=8)])), fine_s(Config())
    (10, 300)
    """
    shortest = min(map(_shortest, _deadlines(config)), default=3600.0)
    return next((step for step in _STEPS_S if step >= shortest), _STEPS_S[-1])


def _deadlines(config: Config) -> Iterator[float | Deadlines]:
    return (model.deadline_s for model in config.models)


def _shortest(deadline: float | Deadlines) -> float:
    if isinstance(deadline, Deadlines):
        given = (deadline.routine, deadline.urgent, deadline.stat)
        return min(seconds for seconds in given if seconds is not None)
    return deadline
