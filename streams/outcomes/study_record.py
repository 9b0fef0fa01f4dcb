"""What is known of one study, and the rules by which its expected results are settled.

Two rules a maintainer would break first. Every merge is a minimum, a maximum or "the newest stamp
wins", so that the order of arrival does not matter and a repeated event changes nothing. And an
expectation is settled once, superseded by better news at most once, and never by worse.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct, field

from schemas.outcome import OutcomeKind
from schemas.prediction import Prediction
from schemas.study import Study
from streams.fields import Value
from streams.outcomes.expectation import Expectations, Rule
from streams.outcomes.upserts import Reading, Upsert, read, remember

ResultKind = Literal["complete", "incomplete", "failed", "rejected", "not_applicable", "cancelled"]
_GOODNESS = {"complete": 2, "incomplete": 1}
_MAX_MODELS = 64  # per study, as on the wire
_SUPERSEDED = frozenset({"failed", "incomplete", "missing"})


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
    """One model's result that is due; `outcomes` with their times, none while it is waited for.

    `unknown`: the deadline has passed, and whether it came cannot be known (streams/lost.py).
    """

    start_us: int
    due_us: int
    outcomes: list[tuple[OutcomeKind, int]] = field(default_factory=list)
    unknown: bool = False

    @property
    def waits(self) -> bool:
        """Whether the result is still waited for."""
        return not self.outcomes and not self.unknown

    @property
    def outcome(self) -> OutcomeKind | None:
        """What became of it, by the latest news."""
        return self.outcomes[-1][0] if self.outcomes else None


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


class Upserted(NamedTuple):
    """What an upsert settled, and whether an older one was merged into the next to make room.

    Of models it asks for, so many are beyond what is remembered of a study: they are not expected.
    """

    settled: list[Settlement]
    merged: bool = False
    beyond_n: int = 0


class StudyFacts(Struct, frozen=True, gc=False):
    """What is known of a study: when it became available, and its fields that anything asks for.

    `fields` has those that rules, intended uses and slices name, by path.
    """

    at_us: int
    fields: Mapping[str, Value]


class StudyRecord(Struct, omit_defaults=True, gc=False):
    """One study: its upserts by their stamps, none while only results have come for it."""

    site: str
    study: str
    touched_us: int
    upserts: list[Upsert] = field(default_factory=list)
    repeat: bool = False  # another study of its patient has counted already
    too_old: bool = False  # when it came it may have been settled and forgotten: expect nothing
    expected: dict[str, Expected] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    observed: list[str] = field(default_factory=list)

    @property
    def available_us(self) -> int | None:
        """When it was complete, or else last heard of."""
        if len(self.upserts) == 1:
            return self.upserts[0].at_us
        complete = (upsert.at_us for upsert in self.upserts if upsert.state == "complete")
        return min(complete, default=self.upserts[-1].at_us if self.upserts else None)

    @property
    def facts(self) -> StudyFacts | None:
        """What is known of it; None while only results have come."""
        upserts = self.upserts
        if not upserts:
            return None
        if len(upserts) == 1:
            return StudyFacts(upserts[0].at_us, upserts[0].facts)
        at_us = self.available_us
        assert at_us is not None
        merged: dict[str, Value] = {}
        for upsert in upserts:
            merged |= upsert.facts
        return StudyFacts(at_us, merged)

    def upsert(self, study: Study, at_us: int, expectations: Expectations) -> Upserted:
        """Take one upsert: begin what it begins, bring deadlines forward, end what it ends."""
        pairs = None if study.expects is None else [(e.model, e.deadline_s) for e in study.expects]
        facts = expectations.facts(study)
        new = Upsert(at_us, study.state, study.priority, facts, pairs)
        news = remember(self.upserts, new)
        merged = news == "merged"
        if self.too_old or not news:
            return Upserted([], merged)
        reading = read(self.upserts, expectations)
        beyond_n = self._beyond_n(reading)
        return Upserted([*self._begin(reading), *self._end(reading)], merged, beyond_n)

    def settlements_after(self, us: int) -> Iterator[Settlement]:
        """The outcomes that are dated after `us`."""
        for model, expected in self.expected.items():
            for index, (outcome, at_us) in enumerate(expected.outcomes):
                if at_us > us:
                    yield self._settlement(model, expected, outcome, at_us, index + 1)

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

    def let_go(self, model: str) -> Settlement:
        """At its deadline, of a model that nobody asks for any more: it was taken out."""
        expected = self.expected[model]
        return self._close(model, expected, "not_applicable", expected.due_us)

    def names(self, model: str) -> bool:
        """Whether the study itself has said that this model will answer."""
        return any(model == name for one in self.upserts for name, _ in one.expects or ())

    def _beyond_n(self, reading: Reading) -> int:
        if len(self.expected) + len(reading.begun) <= _MAX_MODELS:  # nearly always
            return 0
        return len(self.expected.keys() | reading.begun.keys()) - _MAX_MODELS

    def _begin(self, reading: Reading) -> Iterator[Settlement]:
        for model, (start_us, due_us) in reading.begun.items():
            expected = self.expected.get(model)
            if expected is None and len(self.expected) >= _MAX_MODELS:
                continue
            if expected is None:
                expected = self.expected[model] = Expected(start_us=start_us, due_us=due_us)
                result = self.results.get(model)
                settlement = None if result is None else self._settle(model, expected, result)
                if settlement is not None:
                    yield settlement
            elif not expected.outcomes:
                expected.start_us = min(expected.start_us, start_us)
                expected.due_us = min(expected.due_us, due_us)

    def _end(self, reading: Reading) -> Iterator[Settlement]:
        for model, expected in self.expected.items():
            if expected.outcomes:
                continue
            if reading.cancelled:
                yield self._close(model, expected, "cancelled", reading.newest_us)
            elif model not in reading.wanted:
                yield self._close(model, expected, "not_applicable", reading.newest_us)

    def _settle(self, model: str, expected: Expected, result: Result) -> Settlement | None:
        if not expected.outcomes:
            return self._close(model, expected, _first_outcome(expected, result), result.at_us)
        is_news = len(expected.outcomes) == 1 and expected.outcome in _SUPERSEDED
        if not is_news or result.kind != "complete":
            return None
        in_time = expected.outcome != "missing" and result.at_us <= expected.due_us
        return self._close(model, expected, "on_time" if in_time else "late", result.at_us)

    def _close(
        self, model: str, expected: Expected, outcome: OutcomeKind, at_us: int
    ) -> Settlement:
        expected.outcomes.append((outcome, at_us))
        return self._settlement(model, expected, outcome, at_us, len(expected.outcomes))

    def _settlement(
        self, model: str, expected: Expected, outcome: OutcomeKind, at_us: int, revision: int
    ) -> Settlement:
        start_us, due_us = expected.start_us, expected.due_us
        return Settlement(self.site, self.study, model, outcome, start_us, due_us, at_us, revision)


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
