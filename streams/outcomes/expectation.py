"""Which models a study expects, and how long each may take: by configuration, or its `expects`."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from schemas.config import Deadlines, Match, Model, Range
from schemas.study import Study
from streams.clock import seconds_to_us
from streams.fields import Value, getter

_CODED = frozenset({"modality", "body_part", "view"})
_SPELLINGS = 1_000
STATE_RANK = {"received": 0, "stable": 1, "complete": 2}
Facts = Mapping[str, Value | None]


class Rule(Struct, frozen=True):
    """One model's part of the contract, ready to be applied."""

    model: str
    start_rank: int
    deadline_us: dict[str, int]
    findings: frozenset[str]
    applies: tuple[tuple[str, Callable[[Value | None], bool]], ...]

    def matches(self, facts: Facts) -> bool:
        """Whether a study with these facts is one for this model."""
        for path, holds in self.applies:  # noqa: SIM110, twice as fast as all()
            if not holds(facts.get(path)):
                return False
        return True


def rule_of(model: Model) -> Rule:
    """The rule that a model's configuration means."""
    return Rule(
        model=model.name,
        start_rank=STATE_RANK[model.starts_at],
        deadline_us=_deadlines_us(model.deadline_s),
        findings=frozenset(model.findings),
        applies=_conditions(model.applies),
    )


def promised(model: str, deadline_s: float, known: Rule | None) -> Rule:
    """The rule of a study's own `expects`: its deadline, at any priority, for any such study."""
    deadline_us = seconds_to_us(deadline_s)
    return Rule(
        model=model,
        start_rank=known.start_rank if known else STATE_RANK["complete"],
        deadline_us=dict.fromkeys(("stat", "urgent", "routine"), deadline_us),
        findings=known.findings if known else frozenset(),
        applies=(),
    )


def _deadlines_us(deadline_s: float | Deadlines) -> dict[str, int]:
    if not isinstance(deadline_s, Deadlines):
        return dict.fromkeys(("stat", "urgent", "routine"), seconds_to_us(deadline_s))
    urgent = deadline_s.urgent if deadline_s.urgent is not None else deadline_s.routine
    stat = deadline_s.stat if deadline_s.stat is not None else urgent
    return {
        "stat": seconds_to_us(stat),
        "urgent": seconds_to_us(urgent),
        "routine": seconds_to_us(deadline_s.routine),
    }


def _conditions(match: Match) -> tuple[tuple[str, Callable[[Value | None], bool]], ...]:
    return tuple(
        ("site" if path == "sites" else path, _condition(path, wanted))
        for path, wanted in match.items()
    )


def _condition(
    path: str, wanted: list[str | float | bool] | Range
) -> Callable[[Value | None], bool]:
    if not isinstance(wanted, Range):
        return _Coded(wanted).__getitem__ if path in _CODED else frozenset(wanted).__contains__
    low = float("-inf") if wanted.min is None else wanted.min
    high = float("inf") if wanted.max is None else wanted.max
    return lambda value: isinstance(value, int | float) and low <= value <= high


class _Coded(dict[Value | None, bool]):
    """Whether a coded string is one of those wanted, by the spellings that came: few, and often."""

    def __init__(self, wanted: Iterable[Value]) -> None:
        self._wanted = frozenset(map(_code, wanted))

    def __missing__(self, value: Value | None) -> bool:
        if len(self) >= _SPELLINGS:
            self.clear()
        holds = self[value] = _code(value) in self._wanted
        return holds


def _code(value: Value | None) -> Value | None:
    """Coded strings are upper case, and spaces around them say nothing (DICOM PS3.5 6.2, CS).

    Whoever writes `dx` means DX: a model would wait for no study, and nobody would miss a result.
    """
    return value.strip().upper() if isinstance(value, str) else value


class Expectations:
    """The configured rules, and the facts of a study that they and others look at."""

    def __init__(self, models: list[Model], asked: Iterable[str] = ()) -> None:
        """`asked`: the paths of facts that no rule looks at, but something else does."""
        self.rules = {model.name: rule_of(model) for model in models}
        paths = {path for rule in self.rules.values() for path, _ in rule.applies} | {*asked}
        self._getters = [(path, getter(path)) for path in sorted(paths)]

    def facts(self, study: Study) -> dict[str, Value]:
        """What this upsert says of the facts that are looked at; what it leaves out stays known."""
        return {path: value for path, read in self._getters if (value := read(study)) is not None}

    def rules_for(self, expects: list[tuple[str, float]] | None) -> Mapping[str, Rule]:
        """The configured rules, or exactly the ones that the study brings along."""
        if expects is None:
            return self.rules
        return {
            model: promised(model, deadline_s, self.rules.get(model))
            for model, deadline_s in expects
        }
