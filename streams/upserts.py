"""What the upserts of one study say together: which models are to answer, since when, until when.

They are read in the order of their stamps, so the order in which they arrive does not matter: a
late one may show that the study was for a model all along.
"""

from bisect import bisect_right
from typing import NamedTuple

from msgspec import Struct

from schemas.fields import Priority
from schemas.study import StudyState
from streams.expectation import STATE_RANK, Expectations, Rule
from streams.fields import Value

_KEPT = 32
Pairs = list[tuple[str, float]]


class Upsert(Struct, array_like=True, omit_defaults=True, gc=False):
    """What one upsert says of the facts that rules look at."""

    at_us: int
    state: StudyState
    priority: Priority
    facts: dict[str, Value]
    expects: Pairs | None = None

    def says_the_same(self, other: "Upsert") -> bool:
        """Whether only the stamps differ."""
        mine = (self.state, self.priority, self.facts, self.expects)
        return mine == (other.state, other.priority, other.facts, other.expects)


class Reading(NamedTuple):
    """Since when and until when each model is expected to answer, and which ones still are."""

    begun: dict[str, tuple[int, int]]
    wanted: frozenset[str]
    cancelled: bool
    newest_us: int


def remember(upserts: list[Upsert], new: Upsert) -> bool:
    """Insert by stamp, and say whether it is news.

    Of upserts in a row that say the same, the first and the last tell all there is to tell.
    """
    if new in upserts:
        return False
    upserts.insert(bisect_right(upserts, new.at_us, key=lambda upsert: upsert.at_us), new)
    for middle in range(len(upserts) - 2, 0, -1):
        before, this, after = upserts[middle - 1 : middle + 2]
        if before.says_the_same(this) and this.says_the_same(after):
            del upserts[middle]
    if len(upserts) > _KEPT:
        del upserts[1]
    return True


def read(upserts: list[Upsert], expectations: Expectations) -> Reading:
    """Read them from the oldest to the newest."""
    priorities = {upsert.priority for upsert in upserts}
    starts: dict[str, int] = {}
    allowed_us: dict[str, int] = {}
    facts: dict[str, Value] = {}
    expects: Pairs | None = None
    rules: list[Rule] = []
    for upsert in upserts:
        facts.update(upsert.facts)
        expects = expects if upsert.expects is None else upsert.expects
        rules = [r for r in expectations.rules_for(expects).values() if r.matches(facts)]
        for rule in rules:
            shortest_us = min(map(rule.deadline_us.__getitem__, priorities))
            allowed_us[rule.model] = min(allowed_us.get(rule.model, shortest_us), shortest_us)
            if STATE_RANK.get(upsert.state, -1) >= rule.start_rank:
                starts.setdefault(rule.model, upsert.at_us)
    return Reading(
        begun={model: (us, us + allowed_us[model]) for model, us in starts.items()},
        wanted=frozenset(rule.model for rule in rules),
        cancelled=upserts[-1].state == "cancelled",
        newest_us=upserts[-1].at_us,
    )
