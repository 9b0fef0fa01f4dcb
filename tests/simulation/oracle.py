"""What must come of the events of one hospital, told again from DESIGN.md alone.

Naive on purpose: the whole history of every study is kept and asked again at every step, so that
this reading and the pipeline are unlikely to be wrong in the same way. Nothing here comes from the
core. Where DESIGN.md leaves room, the docstrings say how it is read.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from schemas.command import Command
from schemas.config import Config, Deadlines, Model, Range
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from tests.simulation.delivery import Loss
from tests.simulation.oracle_incidents import Episodes, Settled, Transition

_RANK = {"received": 0, "stable": 1, "complete": 2}
_NO_END_US = 2**62


class Expected(NamedTuple):
    """One outcome message."""

    site: str
    study: str
    model: str
    outcome: str
    due_us: int
    at_us: int
    revision: int


class Account(NamedTuple):
    """All that must be said: outcomes, and the transitions of missing, failed and incomplete."""

    outcomes: list[Expected]
    transitions: list[Transition]


def account(config: Config, arrivals: Iterable[tuple[object, int]]) -> Account:
    """The account of these (event, arrived_us), in order of arrival, until nothing is pending.

    Losses stand among them, where they were found.
    """
    sites: dict[str, _Site] = {}
    unread: list[tuple[int, int]] = []
    for event, arrived_us in arrivals:
        if isinstance(event, Loss):
            for site in sites.values():
                site.prove(event.proved_us)
            if event.feed is Prediction:
                unread.append((max(event.since_us, event.proved_us), event.until_us))
        elif isinstance(event, Study | Prediction | Report | Command):
            site = sites.setdefault(event.site, _Site(config, event.site, unread))
            site.arrive(event, arrived_us)
    for site in sites.values():
        site.run_timers(_NO_END_US)
    return Account(
        [outcome for site in sites.values() for outcome in site.outcomes],
        [step for site in sites.values() for step in site.episodes.transitions],
    )


def microseconds(moment: datetime) -> int:
    """Since the epoch; written again here on purpose."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


class _Upsert(NamedTuple):
    at_us: int
    order: int
    study: Study


class _Answer(NamedTuple):
    at_us: int
    prediction: Prediction


@dataclass
class _Case:
    """One study and one model that is expected to answer it; settled at most twice."""

    model: str
    start_us: int
    due_us: int
    outcomes: list[str] = field(default_factory=list)
    unknown: bool = False  # it was due, and its result may be among what was lost
    waits: bool = True  # until proved time has reached its first outcome


@dataclass
class _History:
    """Everything that ever came of one study."""

    upserts: list[_Upsert] = field(default_factory=list)
    answers: list[_Answer] = field(default_factory=list)
    cases: dict[str, _Case] = field(default_factory=dict)
    too_old: bool = False
    touched_us: int = 0

    def until(self, last: _Upsert | None = None) -> list[_Upsert]:
        """The upserts until this one, oldest first; of equal stamps the first to arrive."""
        upserts = sorted(self.upserts, key=lambda upsert: upsert[:2])
        return upserts if last is None else upserts[: upserts.index(last) + 1]


class _Site:
    def __init__(self, config: Config, site: str, unread: list[tuple[int, int]]) -> None:
        self._config = config
        self._unread = unread  # when predictions came that were deleted before they were read
        self._models = {model.name: model for model in config.models}
        self._site = site
        self._remembered_us = round(config.bounds.settled_s * 1e6)
        self._waiting_us = round(config.bounds.waiting_s * 1e6)
        self._lateness_us = round(config.clock.lateness_s * 1e6)
        self._watermark_us = -_NO_END_US
        self._histories: dict[str, _History] = defaultdict(_History)
        self._open: list[tuple[str, _Case]] = []
        self._unheard: list[Settled] = []
        self._orders = 0
        self.outcomes: list[Expected] = []
        self.episodes = Episodes(config, site)

    def arrive(self, event: Study | Prediction | Report | Command, arrived_us: int) -> None:
        """Time first, then the event. A stamp too far ahead counts as the time of arrival."""
        skew_us = round(self._config.clock.max_skew_s * 1e6)
        self.prove(arrived_us - self._lateness_us - 1)
        at_us = microseconds(event.at)
        if at_us > arrived_us + skew_us:
            at_us = arrived_us
        if isinstance(event, Study):
            self._upsert(event, at_us, arrived_us)
        elif isinstance(event, Prediction) and event.role == "live":
            self._answer(event, at_us, arrived_us)
        elif isinstance(event, Prediction) or (
            isinstance(event, Report) and event.status in ("final", "corrected", "amended")
        ):
            self._known(event.study, arrived_us)

    def prove(self, watermark_us: int) -> None:
        """Everything that happened until then has been seen."""
        self._watermark_us = max(self._watermark_us, watermark_us)
        self.run_timers(self._watermark_us)

    def run_timers(self, watermark_us: int) -> None:
        """All that becomes true until the watermark, its own moment included, in order of time.

        Incidents hear of an outcome when proved time reaches it, so that they do not depend on
        the order of arrival. At the same moment a deadline comes before what else is settled, and
        the timers of incidents last: it has not held if there was another miss.
        """
        while True:
            due = min(self._pending(), key=lambda each: each[1].due_us, default=None)
            times_us = (
                due[1].due_us if due else _NO_END_US,
                self._unheard[0].at_us if self._unheard else _NO_END_US,
                self.episodes.next_timer_us(),
            )
            now_us = min(times_us)
            if now_us > watermark_us or now_us == _NO_END_US:
                return
            if due and due[1].due_us == now_us:
                self._come_due(*due)
            elif times_us[1] == now_us:
                self._tell(self._unheard.pop(0))
            else:
                self.episodes.run_timer(now_us)

    def _pending(self) -> list[tuple[str, _Case]]:
        self._open = [(study, case) for study, case in self._open if case.waits]
        return [(s, case) for s, case in self._open if not case.outcomes and not case.unknown]

    def _come_due(self, study: str, case: _Case) -> None:
        """Missing, unless its result may have come among what was lost.

        It could come from the study's first moment on, and count until the lateness was over, or
        until the study itself came, if that was later.
        """
        history = self._histories[study]
        begin_us = min(upsert.at_us for upsert in history.upserts)
        end_us = max(case.due_us + self._lateness_us, history.touched_us)
        if any(from_us <= end_us and begin_us <= until_us for from_us, until_us in self._unread):
            case.unknown, case.waits = True, False
        else:
            self._settle(study, case, "missing", case.due_us)

    def _tell(self, settled: Settled) -> None:
        """Tell the incidents of an outcome, and which studies still wait then."""
        if settled.revision == 1:
            self._histories[settled.study].cases[settled.model].waits = False
        waiting_since = [c.start_us for _, c in self._open if c.waits and c.model == settled.model]
        self.episodes.settled(settled, waiting_since)

    def _known(self, study: str, arrived_us: int) -> _History:
        """The study's history; empty if all of it is settled and was untouched for too long.

        Touched means that something of it arrived, was stamped, or was due. What came for a study
        that has not come itself waits for it, for a time of its own.
        """
        history = self._histories[study]
        waiting = any(not (c.outcomes or c.unknown) for c in history.cases.values())
        dues_us = [case.due_us for case in history.cases.values()]
        last_us = max([history.touched_us, *dues_us, *(u.at_us for u in history.upserts)])
        kept_us = self._remembered_us if history.upserts else self._waiting_us
        if not waiting and self._watermark_us >= last_us + kept_us:
            history = self._histories[study] = _History()
        history.touched_us = arrived_us
        return history

    def _upsert(self, study: Study, at_us: int, arrived_us: int) -> None:
        """Nothing is expected of a study that may have been settled and forgotten before."""
        history = self._known(study.study, arrived_us)
        if not history.upserts and at_us <= self._watermark_us - self._remembered_us:
            history.too_old = True
        if (at_us, study) in [(upsert.at_us, upsert.study) for upsert in history.upserts]:
            return
        self._orders += 1
        history.upserts.append(_Upsert(at_us, self._orders, study))
        for model in [] if history.too_old else self._ever_expected(history):
            self._begin_or_hasten(study.study, history, model)
        newest = history.until()[-1]
        still_expected = self._expects(history.until())
        for case in list(history.cases.values()):
            if case.outcomes:
                continue
            if newest.study.state == "cancelled":
                self._settle(study.study, case, "cancelled", newest.at_us)
            elif case.model not in still_expected:
                self._settle(study.study, case, "not_applicable", newest.at_us)

    def _ever_expected(self, history: _History) -> list[str]:
        """Every model that was expected at some moment of the study's history, in order of time."""
        moments = [history.until(upsert) for upsert in history.until()]
        return list(dict.fromkeys(model for said in moments for model in self._expects(said)))

    def _expects(self, upserts: list[_Upsert]) -> dict[str, Deadlines | float]:
        """Who is expected to answer by what these upserts say, and how fast.

        The newest upsert that has `expects` says it; otherwise the configured models that match.
        """
        for upsert in reversed(upserts):
            if upsert.study.expects is not None:
                return {each.model: each.deadline_s for each in upsert.study.expects}
        return {
            model.name: model.deadline_s
            for model in self._config.models
            if upserts and _matches(model, upserts)
        }

    def _begin_or_hasten(self, study: str, history: _History, model: str) -> None:
        """Start at the first upsert, by its stamp, that is far enough and expects the model.

        The deadline is the shortest of all that applied so far; it is never moved back.
        """
        configured = self._models.get(model)
        needed = _RANK[configured.starts_at if configured else "complete"]
        starts = [
            upsert.at_us
            for upsert in history.upserts
            if _RANK.get(upsert.study.state, -1) >= needed
            and model in self._expects(history.until(upsert))
        ]
        if not starts:
            return
        promises = [self._expects(history.until(u)).get(model) for u in history.upserts]
        priorities = {upsert.study.priority for upsert in history.upserts}
        lengths = [
            _deadline_us(promise, priority)
            for promise in promises
            if promise is not None
            for priority in priorities
        ]
        due_us = min(starts) + min(lengths)
        case = history.cases.get(model)
        if case is None:
            case = history.cases[model] = _Case(model, min(starts), due_us)
            self._open.append((study, case))
            self._settle_by_what_waits(study, history, case)
        elif not case.outcomes:
            case.start_us = min(case.start_us, *starts)
            case.due_us = min(case.due_us, due_us)

    def _settle_by_what_waits(self, study: str, history: _History, case: _Case) -> None:
        """Of the answers that came before the case the best: complete, incomplete, then others."""
        answers = [a for a in history.answers if a.prediction.model == case.model]
        order = {"completed": 0, "incomplete": 1}
        answers.sort(key=lambda a: (order.get(self._kind(a.prediction), 2), a.at_us))
        if answers:
            self._settle(study, case, self._kind(answers[0].prediction), answers[0].at_us)

    def _answer(self, prediction: Prediction, at_us: int, arrived_us: int) -> None:
        history = self._known(prediction.study, arrived_us)
        history.answers.append(_Answer(at_us, prediction))
        case = history.cases.get(prediction.model)
        if case is not None:
            self._settle(prediction.study, case, self._kind(prediction), at_us)

    def _kind(self, prediction: Prediction) -> str:
        """`completed` only with all of the model's findings."""
        if prediction.status != "completed":
            return prediction.status
        model = self._models.get(prediction.model)
        found = {output.finding for output in prediction.outputs or []}
        return "completed" if set(model.findings if model else ()) <= found else "incomplete"

    def _settle(self, study: str, case: _Case, kind: str, at_us: int) -> None:
        """Say an outcome, unless the case is settled and this is no better news."""
        if case.outcomes and (
            case.outcomes[-1] not in ("failed", "incomplete", "missing") or kind != "completed"
        ):
            return
        if kind == "completed":
            late = at_us > case.due_us or "missing" in case.outcomes
            kind = "late" if late else "on_time"
        case.outcomes.append(kind)
        revision = len(case.outcomes)
        self.outcomes.append(
            Expected(self._site, study, case.model, kind, case.due_us, at_us, revision)
        )
        settled = Settled(at_us, case.start_us, study, case.model, kind, revision)
        if kind == "missing" or at_us <= self._watermark_us:
            self._tell(settled)
        else:
            if case.unknown and revision == 1:  # what came of it after all is not proved yet
                case.waits = True
                self._open.append((study, case))
            self._unheard = sorted([*self._unheard, settled])


def _matches(model: Model, upserts: list[_Upsert]) -> bool:
    """Every rule of `applies` holds for the newest value of its field; never for an unknown one."""
    return all(_holds(rule, _newest(path, upserts)) for path, rule in model.applies.items())


def _newest(path: str, upserts: list[_Upsert]) -> object:
    for upsert in reversed(upserts):
        value = _field(path, upsert.study)
        if value is not None:
            return value
    return None


def _field(path: str, study: Study) -> object:
    """A field of the study by its path, or an attribute by its name."""
    if path == "sites":
        return study.site
    value: object = study
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value if value is not None else (study.attributes or {}).get(path)


def _holds(rule: list[str | float | bool] | Range, value: object) -> bool:
    if isinstance(rule, list):
        return value in rule
    if not isinstance(value, int | float):
        return False
    return (rule.min is None or value >= rule.min) and (rule.max is None or value <= rule.max)


def _deadline_us(deadline: Deadlines | float, priority: str) -> int:
    """A priority that has no length of its own takes that of the next less urgent one."""
    if isinstance(deadline, Deadlines):
        urgent = deadline.urgent or deadline.routine
        lengths = {"routine": deadline.routine, "urgent": urgent, "stat": deadline.stat or urgent}
        deadline = lengths[priority]
    return round(deadline * 1e6)
