"""What the upserts of one study say together: which models are to answer, since when, until when.

They are read in the order of their stamps, so the order in which they arrive does not matter: a
late one may show that the study was for a model all along.
"""

from bisect import bisect_right
from typing import Literal

from msgspec import Struct

from schemas.fields import Priority
from schemas.study import StudyState
from streams.fields import Value
from streams.outcomes.expectation import STATE_RANK, Expectations, Rule

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


class Reading(Struct, frozen=True, gc=False):
    """Since when and until when each model is expected to answer, and which ones still are."""

    begun: dict[str, tuple[int, int]]
    wanted: set[str]
    cancelled: bool
    newest_us: int


def remember(upserts: list[Upsert], new: Upsert) -> Literal["new", "merged"] | None:
    """Insert by stamp; whether it is news, and whether another had to make room for it."""
    if not upserts:
        upserts.append(new)
        return "new"
    if new in upserts:
        return None
    upserts.insert(bisect_right(upserts, new.at_us, key=lambda upsert: upsert.at_us), new)
    if len(upserts) <= _KEPT:
        return "new"
    _make_room(upserts)
    return "merged"


def _make_room(upserts: list[Upsert]) -> None:
    """Give up one that only repeats what was said before and after it.

    Or else the second, whose facts the next one takes over: only its own moment is lost.
    """
    for before, this, after in zip(upserts, upserts[1:], upserts[2:], strict=False):
        if before.says_the_same(this) and this.says_the_same(after):
            upserts.remove(this)
            return
    gone = upserts.pop(1)
    heir = upserts[1]
    heir.facts = gone.facts | heir.facts
    heir.expects = gone.expects if heir.expects is None else heir.expects


def read(upserts: list[Upsert], expectations: Expectations) -> Reading:
    """Read them from the oldest to the newest."""
    if len(upserts) == 1:
        return _read_one(upserts[0], expectations)
    priorities = {upsert.priority for upsert in upserts}
    starts: dict[str, int] = {}
    allowed_us: dict[str, int] = {}
    facts: dict[str, Value] = {}
    expects: Pairs | None = None
    rules: list[Rule] = []
    for upsert in upserts:
        facts = facts | upsert.facts if facts else upsert.facts
        expects = expects if upsert.expects is None else upsert.expects
        rules = [r for r in expectations.rules_for(expects).values() if r.matches(facts)]
        rank = STATE_RANK.get(upsert.state, -1)
        for rule in rules:
            shortest_us = _shortest_us(rule, priorities)
            allowed_us[rule.model] = min(allowed_us.get(rule.model, shortest_us), shortest_us)
            if rank >= rule.start_rank:
                starts.setdefault(rule.model, upsert.at_us)
    return Reading(
        begun={model: (us, us + allowed_us[model]) for model, us in starts.items()},
        wanted={rule.model for rule in rules},
        cancelled=upserts[-1].state == "cancelled",
        newest_us=upserts[-1].at_us,
    )


def _read_one(upsert: Upsert, expectations: Expectations) -> Reading:
    """The same for a study that came once, as most do: nothing is to be merged."""
    facts, at_us, rank = upsert.facts, upsert.at_us, STATE_RANK.get(upsert.state, -1)
    begun, wanted = {}, set()
    for rule in expectations.rules_for(upsert.expects).values():
        if rule.matches(facts):
            wanted.add(rule.model)
            if rank >= rule.start_rank:
                begun[rule.model] = (at_us, at_us + rule.deadline_us[upsert.priority])
    return Reading(begun, wanted, upsert.state == "cancelled", at_us)


def _shortest_us(rule: Rule, priorities: set[Priority]) -> int:
    return min([rule.deadline_us[priority] for priority in priorities])
