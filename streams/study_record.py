"""What is known of one study, and the rules by which its expected results are settled.

Two rules a maintainer would break first. Every merge is a minimum, a maximum or "the newest stamp
wins", so that the order of arrival does not matter and a repeated event changes nothing. And an
expectation is settled once, superseded by better news at most once, and never by worse.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct, field

from schemas.outcome import OutcomeKind
from schemas.prediction import Prediction
from schemas.study import Study
from streams.expectation import STATE_RANK, Expectations, Rule
from streams.fields import Value

ResultKind = Literal["complete", "incomplete", "failed", "rejected", "not_applicable", "cancelled"]
_GOODNESS = {"complete": 2, "incomplete": 1}
_MAX_MODELS = 64  # per study, as on the wire
_SUPERSEDED = frozenset({"failed", "incomplete", "missing"})
Pairs = list[tuple[str, float]]


class Result(Struct, gc=False):
    """The best that a model has said of a study so far."""

    kind: ResultKind
    at_us: int

    def better_than(self, other: "Result | None") -> bool:
        """More complete, or as complete and earlier."""
        if other is None:
            return True
        mine, theirs = _GOODNESS.get(self.kind, 0), _GOODNESS.get(other.kind, 0)
        return (mine, -self.at_us) > (theirs, -other.at_us)


class Expected(Struct, omit_defaults=True, gc=False):
    """One model's result that is due; `outcome` is None while it is waited for."""

    start_us: int
    due_us: int
    outcome: OutcomeKind | None = None
    revision: int = 0


class Settlement(Struct, frozen=True, gc=False):
    """An outcome with what the outage stage needs to know of it."""

    site: str
    study: str
    model: str
    outcome: OutcomeKind
    start_us: int
    due_us: int
    at_us: int
    revision: int


class StudyRecord(Struct, omit_defaults=True, gc=False):
    """One study. `newest_us` is None while only results have come and the study has not."""

    site: str
    study: str
    touched_us: int
    newest_us: int | None = None
    cancelled: bool = False
    too_old: bool = False  # came so late that it may have been settled before: expects nothing
    available_us: int | None = None  # the least stamp of a complete upsert
    priorities: list[str] = field(default_factory=list)
    facts: dict[str, tuple[Value, int]] = field(default_factory=dict)
    expects: tuple[Pairs, int] | None = None
    expected: dict[str, Expected] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    observed: list[str] = field(default_factory=list)

    def waits(self) -> bool:
        """Whether any expected result is still out."""
        return any(e.outcome is None for e in self.expected.values())

    def upsert(self, study: Study, at_us: int, expectations: Expectations) -> list[Settlement]:
        """Take one upsert: begin what it begins, bring deadlines forward, end what it ends."""
        first = self.newest_us is None
        said = dict(expectations.facts(study))
        visible = {path: value for path, (value, since) in self.facts.items() if since <= at_us}
        visible.update(said)
        self._merge(study, at_us, said)
        rules = expectations.rules_for(self._expects_at(at_us))
        settled = [] if self.too_old else list(self._begin(study, at_us, rules, visible))
        if not first or self.cancelled:
            settled += self._end(expectations)
        return settled

    def answer(self, model: str, result: Result) -> Settlement | None:
        """Take a model's result; without an expectation yet, it waits for one."""
        known = self.results.get(model)
        room = known is not None or len(self.results) < _MAX_MODELS
        if room and result.better_than(known):
            self.results[model] = result
        expected = self.expected.get(model)
        return None if expected is None else self._settle(model, expected, result)

    def expire(self, model: str) -> Settlement:
        """Proved time has passed the deadline with nothing there."""
        expected = self.expected[model]
        return self._close(model, expected, "missing", expected.due_us)

    def _merge(self, study: Study, at_us: int, said: Mapping[str, Value]) -> None:
        if self.newest_us is None or at_us >= self.newest_us:
            self.newest_us = at_us
            self.cancelled = study.state == "cancelled"
        if study.state == "complete":
            known_us = self.available_us
            self.available_us = at_us if known_us is None else min(known_us, at_us)
        if study.priority not in self.priorities:
            self.priorities.append(study.priority)
        for path, value in said.items():
            known = self.facts.get(path)
            if known is None or at_us >= known[1]:
                self.facts[path] = (value, at_us)
        if study.expects is not None and (self.expects is None or at_us >= self.expects[1]):
            self.expects = ([(e.model, e.deadline_s) for e in study.expects], at_us)

    def _expects_at(self, at_us: int) -> Pairs | None:
        return self.expects[0] if self.expects is not None and self.expects[1] <= at_us else None

    def _begin(
        self,
        study: Study,
        at_us: int,
        rules: Mapping[str, Rule],
        facts: Mapping[str, Value],
    ) -> Iterator[Settlement]:
        rank = STATE_RANK.get(study.state, -1)
        for model, rule in rules.items():
            if rank >= rule.start_rank and rule.matches(facts):
                yield from self._start(model, rule, at_us)
            elif model in self.expected:
                self._bring_forward(self.expected[model], rule)

    def _start(self, model: str, rule: Rule, at_us: int) -> Iterator[Settlement]:
        expected = self.expected.get(model)
        if expected is not None:
            if expected.outcome is None:
                expected.start_us = min(expected.start_us, at_us)
            self._bring_forward(expected, rule)
            return
        expected = Expected(start_us=at_us, due_us=at_us + self._allowed_us(rule))
        self.expected[model] = expected
        result = self.results.get(model)
        settlement = None if result is None else self._settle(model, expected, result)
        if settlement is not None:
            yield settlement

    def _bring_forward(self, expected: Expected, rule: Rule) -> None:
        if expected.outcome is None:
            due_us = expected.start_us + self._allowed_us(rule)
            expected.due_us = min(expected.due_us, due_us)

    def _allowed_us(self, rule: Rule) -> int:
        return min(rule.deadline_us[priority] for priority in self.priorities)

    def _end(self, expectations: Expectations) -> Iterator[Settlement]:
        facts = {path: value for path, (value, _) in self.facts.items()}
        rules = expectations.rules_for(self.expects[0] if self.expects else None)
        newest_us = self.newest_us or 0
        for model, expected in self.expected.items():
            if expected.outcome is not None:
                continue
            rule = rules.get(model)
            if self.cancelled:
                yield self._close(model, expected, "cancelled", newest_us)
            elif rule is None or not rule.matches(facts):
                yield self._close(model, expected, "not_applicable", newest_us)

    def _settle(self, model: str, expected: Expected, result: Result) -> Settlement | None:
        if expected.outcome is None:
            return self._close(model, expected, _first_outcome(expected, result), result.at_us)
        if expected.revision == 1 and expected.outcome in _SUPERSEDED and result.kind == "complete":
            in_time = expected.outcome != "missing" and result.at_us <= expected.due_us
            return self._close(model, expected, "on_time" if in_time else "late", result.at_us)
        return None

    def _close(
        self, model: str, expected: Expected, outcome: OutcomeKind, at_us: int
    ) -> Settlement:
        expected.outcome = outcome
        expected.revision += 1
        return Settlement(
            site=self.site,
            study=self.study,
            model=model,
            outcome=outcome,
            start_us=expected.start_us,
            due_us=expected.due_us,
            at_us=at_us,
            revision=expected.revision,
        )


def result_of(prediction: Prediction, at_us: int, rule: Rule | None) -> Result:
    """What a prediction amounts to: complete only with all findings that the model owes."""
    if prediction.status != "completed":
        return Result(kind=prediction.status, at_us=at_us)
    given = {output.finding for output in prediction.outputs or ()}
    owed = rule.findings if rule else frozenset()
    return Result(kind="complete" if owed <= given else "incomplete", at_us=at_us)


def _first_outcome(expected: Expected, result: Result) -> OutcomeKind:
    if result.kind == "complete":
        return "on_time" if result.at_us <= expected.due_us else "late"
    return result.kind
