"""Outages of a model at a site: outcomes that went wrong, told as episodes.

Law 1: one good result does not end an outage while an older study still waits. An episode eases
when a study that started after the last bad one was served and no study that started before it
is still waiting, whatever the order in which those two became known.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from schemas.config import Config, Model, Outage
from schemas.fields import Severity
from schemas.incident import Evidence, IncidentKind
from streams.budget import Budget
from streams.clock import seconds_to_us
from streams.excess import Excess
from streams.finding import Finding, Signal
from streams.study_record import Settlement

_KINDS: dict[str, IncidentKind] = {
    "missing": "missing_output",
    "failed": "failed_output",
    "incomplete": "incomplete_output",
    "late": "latency",
}
_SERVED = frozenset({"on_time", "late"})
_EXAMPLES = 20
EpisodeId = tuple[IncidentKind, str, str]


class Episode(Struct, omit_defaults=True):
    """One run of bad outcomes; `told` once it has become an incident."""

    kind: IncidentKind
    site: str
    model: str
    bad_n: int = 0
    first_us: int = 0
    last_us: int = 0
    latest_us: int = 0
    served_start_us: int | None = None
    eased: bool = False
    told: bool = False
    examples: list[str] = field(default_factory=list)
    excess: Excess | None = None

    def bad(self, settlement: Settlement) -> None:
        """Another outcome went wrong."""
        if self.bad_n == 0:
            self.first_us = settlement.at_us
        self.first_us = min(self.first_us, settlement.at_us)
        self.last_us = max(self.last_us, settlement.at_us)
        self.latest_us = max(self.latest_us, settlement.at_us)
        self.bad_n += 1
        self.eased = False
        if self.served_start_us is not None and self.served_start_us <= self.last_us:
            self.served_start_us = None
        if len(self.examples) < _EXAMPLES:
            self.examples.append(settlement.study)

    def served(self, settlement: Settlement) -> None:
        """A study was served; it counts if it started after the last bad one."""
        self.latest_us = max(self.latest_us, settlement.at_us)
        if settlement.start_us > self.last_us:
            start_us = settlement.start_us
            self.served_start_us = min(self.served_start_us or start_us, start_us)

    def is_over(self, oldest_waiting_us: int | None) -> bool:
        """Whether a newer study was served and no older one waits."""
        return self.served_start_us is not None and (
            oldest_waiting_us is None or oldest_waiting_us >= self.served_start_us
        )


class Outages:
    """The episodes of one shard."""

    def __init__(self, config: Config, budget: Budget) -> None:
        self._models = {model.name: model for model in config.models}
        self._budget = budget
        self._per_days = config.budget.per_days
        self._episodes: dict[EpisodeId, Episode] = {}
        self._dirty: dict[EpisodeId, None] = {}

    def settled(self, settlement: Settlement, oldest_waiting_us: int | None) -> list[Finding]:
        """What an outcome says of the model's outages; `oldest_waiting_us` after it was settled."""
        model = self._models.get(settlement.model) or Model(name=settlement.model)
        findings = []
        for word, kind in _KINDS.items():
            settings: Outage = getattr(model, word)
            take = self._share if settings.policy == "rate" else self._every
            findings += take(word, kind, model, settings, settlement, oldest_waiting_us)
        return findings

    def over(self, kind: IncidentKind, site: str, model: str | None) -> None:
        """The incident has ended: what comes next is a new episode."""
        episode = self._episodes.get((kind, site, model or ""))
        if episode is None:
            return
        key = (kind, site, model or "")
        self._dirty[key] = None
        if episode.excess is None:
            del self._episodes[key]
        else:
            fresh = Episode(kind=kind, site=site, model=episode.model, excess=episode.excess)
            self._episodes[key] = fresh

    def changes(self) -> Iterator[tuple[EpisodeId, Episode | None]]:
        """Episodes changed since the last call; None for those that are over."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield key, self._episodes.get(key)

    def restore(self, episodes: Iterable[Episode]) -> None:
        """Take up the episodes of a checkpoint."""
        self._episodes.update(((e.kind, e.site, e.model), e) for e in episodes)

    def _every(
        self,
        word: str,
        kind: IncidentKind,
        model: Model,
        settings: Outage,
        settlement: Settlement,
        oldest_waiting_us: int | None,
    ) -> Iterator[Finding]:
        key = (kind, settlement.site, settlement.model)
        episode = self._episodes.get(key)
        bad = settlement.outcome == word and settlement.revision == 1
        if episode is None:
            if not bad:
                return
            episode = self._episodes[key] = Episode(*key)
        self._dirty[key] = None
        if bad:
            episode.bad(settlement)
            if episode.bad_n >= settings.open_after:
                episode.told = True
                yield _finding("holds", episode, model, settings)
        elif settlement.outcome in _SERVED:
            episode.served(settlement)
        if episode.is_over(oldest_waiting_us) and not episode.eased:
            episode.eased = True
            if episode.told:
                yield _finding("eased", episode, model, settings)
            else:
                self.over(*key)

    def _share(
        self,
        word: str,
        kind: IncidentKind,
        model: Model,
        settings: Outage,
        settlement: Settlement,
        _oldest_waiting_us: int | None,
    ) -> Iterator[Finding]:
        bad = settlement.outcome == word
        if settlement.revision != 1 or not (bad or settlement.outcome in _SERVED):
            return
        key = (kind, settlement.site, settlement.model)
        episode = self._episodes.get(key)
        if episode is None or episode.excess is None:
            excess = Excess(tolerated_share=settings.tolerated_share)
            episode = self._episodes[key] = Episode(*key, excess=excess)
        self._dirty[key] = None
        grant = self._budget.grant
        verdict = episode.excess.take(bad, settlement.at_us, lambda pace: grant(key[1], pace))
        if bad:
            episode.bad(settlement)
        if verdict == "shown" or (bad and episode.told and not episode.eased):
            episode.told = True
            yield _finding("holds", episode, model, settings)
        elif verdict == "clean":
            if episode.told and not episode.eased:
                episode.eased = True
                episode.latest_us = max(episode.latest_us, settlement.at_us)
                yield _finding("eased", episode, model, settings)
            elif not episode.told:
                self.over(*key)


def _finding(signal: Signal, episode: Episode, model: Model, settings: Outage) -> Finding:
    excess = episode.excess
    return Finding(
        signal=signal,
        kind=episode.kind,
        site=episode.site,
        model=episode.model,
        at_us=episode.last_us if signal == "holds" else episode.latest_us,
        since_us=episode.first_us,
        title=_title(episode),
        severity=_severity(episode.kind, model),
        evidence=Evidence(
            detector="bet_sr" if excess else "deadline",
            statistic=excess.statistic if excess else None,
            threshold=excess.threshold if excess else None,
            before=settings.tolerated_share if excess else None,
            after=excess.share if excess else None,
            affected_count=episode.bad_n,
            examples=list(episode.examples),
        ),
        hold_us=seconds_to_us(settings.hold_s),
        update_us=seconds_to_us(settings.update_s),
        owner=model.owner,
        runbook=model.runbook,
    )


def _severity(kind: IncidentKind, model: Model) -> Severity:
    return "warning" if kind == "latency" else model.criticality


def _title(episode: Episode) -> str:
    studies = "1 study" if episode.bad_n == 1 else f"{episode.bad_n} studies"
    what = {
        "missing_output": f"gives no result: {studies} past the deadline",
        "failed_output": f"fails: {studies}",
        "incomplete_output": f"gives incomplete results: {studies}",
        "latency": f"answers too late: {studies}",
    }[episode.kind]
    return f"{episode.model[:80]} at {episode.site} {what}"
