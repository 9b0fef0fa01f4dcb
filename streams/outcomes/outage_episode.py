"""One run of bad outcomes of a model at a site, and when it is over.

Law 1: one good result does not end an outage while an older study still waits. An episode eases
when a study that started after the last bad one was served and no study that started before it
is still waiting, whatever the order in which those two became known.

Nor does a result that took longer than a missed study had: as late, it would have been missed too.
So a routine study that is answered after a quarter of an hour ends no outage of stat ones, which
have five minutes. Where a model answers like that all along, one that is quick may be chance: then
it takes so many in a row that, were nothing better, they came once in twenty, and two at least.
What nothing was as quick as, such as a study with a deadline of a second, is over when twenty in a
row were in time by their own deadlines.
"""

from collections.abc import Callable
from math import ceil, log

from msgspec import Struct, field

from schemas.incident import IncidentKind
from streams.clock import NEVER_US
from streams.outcomes.excess import Excess
from streams.outcomes.study_record import Settlement

_EXAMPLES = 20
_BY_CHANCE = 0.05  # at most, a run of quick answers that ends an outage of a model that is slow
_IN_A_ROW = 20
OldestWaiting = Callable[[str, str], int]  # (site, model) -> its start, NEVER_US if none waits


class Episode(Struct, omit_defaults=True):
    """One run of bad outcomes; `told` once it has become an incident.

    `allowed_us`: the shortest time that one of them had, 0 where time is not what they lacked. Of
    the studies since, `quick_n` were answered within it and `slow_n` were not; the last `run_n`
    were, and `timely_n` in time by their own deadlines. `late_n` results have come after all.
    """

    kind: IncidentKind
    site: str
    model: str
    bad_n: int = 0
    first_us: int = 0
    last_us: int = -NEVER_US
    latest_us: int = -NEVER_US
    served_start_us: int | None = None
    eased: bool = False
    told: bool = False
    examples: list[str] = field(default_factory=list)
    excess: Excess | None = None
    allowed_us: int = 0
    quick_n: int = 0
    slow_n: int = 0
    run_n: int = 0
    timely_n: int = 0
    timely_start_us: int | None = None
    late_n: int = 0

    def bad(self, settlement: Settlement, lacked_time: bool) -> None:
        """Another outcome went wrong."""
        if lacked_time:
            had_us = settlement.due_us - settlement.start_us
            self.allowed_us = min(self.allowed_us or had_us, had_us)
        if self.bad_n == 0:
            self.first_us = settlement.at_us
        self.first_us = min(self.first_us, settlement.at_us)
        self.last_us = max(self.last_us, settlement.at_us)
        self.bad_n += 1
        self.eased = False
        self.served_start_us = None  # only news from after it can show that it was the last
        self.timely_start_us = None
        self.run_n = self.timely_n = 0
        if len(self.examples) < _EXAMPLES:
            self.examples.append(settlement.study)

    def served(self, settlement: Settlement) -> None:
        """A study was served; it counts if it started after the last bad one."""
        start_us = settlement.start_us
        came_late = settlement.outcome == "late" and settlement.revision > 1
        self.late_n += came_late and settlement.due_us >= self.first_us
        if start_us <= self.last_us or self.eased:
            return
        if settlement.outcome == "on_time":
            self.timely_n += 1
            self.timely_start_us = min(self.timely_start_us or start_us, start_us)
        else:
            self.timely_n, self.timely_start_us = 0, None
        if not self.allowed_us or settlement.at_us - start_us <= self.allowed_us:
            self.quick_n += 1
            self.run_n += 1
            self.served_start_us = min(self.served_start_us or start_us, start_us)
        else:
            self.slow_n += 1
            self.run_n, self.served_start_us = 0, None

    def is_over(self, oldest_waiting_us: OldestWaiting) -> bool:
        """Whether newer studies were served as they have to be, and none older than these waits."""
        if self.eased:
            return False
        starts_us = self._shown_by()
        return bool(starts_us) and oldest_waiting_us(self.site, self.model) >= min(starts_us)

    def _shown_by(self) -> list[int]:
        """The first starts of the runs that are long enough."""
        quick_n = max(self.run_n, 1)  # what an older version wrote has none
        runs = (
            (self.served_start_us, quick_n >= self._needed_n()),
            (self.timely_start_us, self.timely_n >= _IN_A_ROW),
        )
        return [start_us for start_us, is_enough in runs if start_us is not None and is_enough]

    def _needed_n(self) -> int:
        """How many quick answers in a row are no chance: one, unless others were slow."""
        if not self.slow_n:
            return 1
        quick_n = self.quick_n - self.run_n
        share = quick_n / (quick_n + self.slow_n + self.bad_n)
        return max(2, ceil(log(_BY_CHANCE) / log(share))) if share else 2
