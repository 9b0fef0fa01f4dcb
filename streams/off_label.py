"""Studies that a model answered although they are outside its intended use.

A study is outside when one of its fields is known to violate a condition. A field that was not sent
says nothing: such studies are counted apart, and are no part of the share. An answer that comes
before its study waits for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from msgspec import Struct, field

from schemas.config import Model
from schemas.incident import Evidence, Incident
from schemas.oversight import OffLabel as Settings
from schemas.prediction import Prediction
from schemas.study import Study
from streams.clock import seconds_to_us
from streams.finding import Finding, Signal
from streams.outcomes.early_answers import Answer, Early, EarlyAnswers
from streams.outcomes.expectation import Facts, rule_of
from streams.share_bet import ShareBet, wilson
from streams.stage import Change, Happened, Said, Takes, Timeless

_UPDATE_US = seconds_to_us(3600)

UseId = tuple[str, str]  # site, model


class Use(Struct, omit_defaults=True):
    """One model's use at one site; `violated` and `unknown_n` count as `share` does."""

    site: str
    model: str
    share: ShareBet
    violated: dict[str, int] = field(default_factory=dict)
    unknown_n: int = 0
    subject: str | None = None  # of the incident that is told

    @property
    def violated_most(self) -> str:
        """The field that is violated most; of equals the first by name."""
        return min(self.violated, key=lambda path: (-self.violated[path], path))

    def begin(self) -> None:
        """Count anew."""
        self.violated, self.unknown_n, self.subject = {}, 0, None


class OffLabel(Timeless):
    """The use, at the sites of one shard, of the models that have an `intended_use`."""

    takes: ClassVar[Takes] = (Study, Prediction)
    kinds: ClassVar[dict[str, type[Struct]]] = {"use/1": Use, "early_answers/1": Early}

    def __init__(
        self, models: Iterable[Model], settings: Settings, grant: Callable[[str], float]
    ) -> None:
        self._models = {model.name: model for model in models if model.intended_use}
        self._conditions = {
            name: rule_of(Model(name=name, applies=model.intended_use)).applies
            for name, model in self._models.items()
        }
        self._setting = settings.tolerated_share
        self._grant = grant
        self._uses: dict[UseId, Use] = {}
        self._dirty: dict[UseId, None] = {}
        self.dropped: Counter[str] = Counter()
        self._early = EarlyAnswers(self.dropped)

    def take(self, happened: Happened) -> Iterable[Said]:
        """Take one event: a live answer with what is known of its study, or the study itself."""
        event = happened.event
        if isinstance(event, Study):
            return self._studied(happened, event) if self._early else ()
        if not happened.fresh or not isinstance(event, Prediction) or event.role != "live":
            return ()
        if event.model not in self._models:
            return ()
        answer = Answer(
            event.study, event.model, event.model_version, happened.at_us, happened.counts
        )
        if happened.study is None:
            self._early.wait(event.site, answer, happened.arrived_us)
            return ()
        return self._judge(event.site, answer, happened.study.fields)

    def over(self, incident: Incident) -> None:
        """The incident has ended: what comes next is a new episode."""
        use = self._uses.get((incident.site, incident.model or ""))
        if incident.kind == "off_label" and use is not None and use.subject == incident.subject:
            use.share.over()
            use.begin()
            self._dirty[use.site, use.model] = None

    def accept(self, site: str, model: str | None, subject: str | None) -> None:
        """A person says that this share of such studies is normal."""
        for key, use in self._uses.items():
            is_meant = use.site == site and model in (None, use.model)
            if is_meant and subject in (None, use.subject):
                use.share.accept()
                self._dirty[key] = None

    def begin_anew(self, site: str, model: str) -> Iterable[Said]:
        """Its limits are the same for every version."""
        return ()

    def changes(self) -> Iterator[Change]:
        """What changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield "use/1", key, self._uses[key]
        for early_key, early in self._early.changes():
            yield "early_answers/1", early_key, early

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint."""
        early: list[Early] = []
        for record in records:
            if isinstance(record, Early):
                early.append(record)
            else:
                assert isinstance(record, Use)
                self._uses[record.site, record.model] = record
        self._early.restore(early)

    def sizes(self) -> dict[str, int]:
        """How many uses are watched, and how many studies answers wait for."""
        return {"uses": len(self._uses), "answers_before_study": len(self._early)}

    def _studied(self, happened: Happened, study: Study) -> list[Said]:
        if happened.study is None:
            return []
        said: list[Said] = []
        for answer in self._early.of(study.site, study.study, happened.arrived_us):
            if answer.model in self._models:  # the configuration may have changed since
                said += self._judge(study.site, answer, happened.study.fields)
        return said

    def _judge(self, site: str, answer: Answer, facts: Facts) -> Iterable[Said]:
        key = (site, answer.model)
        use = self._uses.get(key)
        if use is None:
            use = self._uses[key] = Use(site, answer.model, ShareBet())
        self._dirty[key] = None
        violated, is_unknown = self._violated(answer.model, facts)
        if violated:
            use.share.affects(answer.study, answer.at_us)
        if not answer.counts and use.share.tolerated(self._setting) > 0:
            return ()  # a share is of patients; where none is tolerated, every study is told
        for path in violated:
            use.violated[path] = use.violated.get(path, 0) + 1
        if is_unknown and not violated:
            use.unknown_n += 1
            return ()
        signal = use.share.take(
            bool(violated), answer.at_us, self._setting, lambda: self._grant(site)
        )
        if signal is not None:
            return (self._finding(use, signal, answer),)
        if use.share.seen_n == 0:  # a clean run, and nothing was told
            use.begin()
        return ()

    def _violated(self, model: str, facts: Facts) -> tuple[list[str], bool]:
        """The fields that violate the intended use, and whether another is not known."""
        violated, is_unknown = [], False
        for path, holds in self._conditions[model]:
            value = facts.get(path)
            if value is None:
                is_unknown = True
            elif not holds(value):
                violated.append(path)
        return violated, is_unknown

    def _finding(self, use: Use, signal: Signal, answer: Answer) -> Finding:
        share, model = use.share, self._models[use.model]
        use.subject = use.subject or use.violated_most
        return Finding(
            signal=signal,
            kind="off_label",
            site=use.site,
            model=use.model,
            model_version=answer.version,
            subject=use.subject,
            at_us=answer.at_us,
            title=_title(use, signal, share.tolerated(self._setting)),
            severity="warning",
            evidence=Evidence(
                detector="bet_sr",
                statistic=share.statistic,
                threshold=share.days,
                current_n=share.seen_n,
                before=share.tolerated(self._setting),
                after=share.share,
                since=share.since,
                affected_count=share.affected_n,
                examples=list(share.examples),
            ),
            update_us=_UPDATE_US,
            owner=model.owner,
            runbook=model.runbook,
        )


def _title(use: Use, signal: Signal, tolerated: float) -> str:
    whose = f"{use.model[:50]} at {use.site}"
    if signal == "eased":
        return f"{whose} is used within its intended use again"
    share = use.share
    limits = wilson(share.yes_n, share.seen_n)
    unknown = f"; {use.unknown_n} unknown" if use.unknown_n else ""
    return (
        f"{whose}: {share.share:.1%} of {share.seen_n} studies off label ({limits}), "
        f"{tolerated:.1%} tolerated{unknown}"
    )
