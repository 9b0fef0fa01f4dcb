"""Outages of a model at a site: outcomes that went wrong, told as episodes."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from schemas.config import Config, Model, Outage
from schemas.incident import Evidence, IncidentKind
from schemas.outcome import OutcomeKind
from streams.budget import Budget
from streams.clock import seconds_to_us
from streams.finding import Finding, Signal
from streams.outcomes.excess import Excess, Verdict
from streams.outcomes.outage_episode import Episode, OldestWaiting
from streams.outcomes.study_record import Settlement

_SERVED = frozenset({"on_time", "late"})
EpisodeId = tuple[IncidentKind, str, str]


class Outages:
    """The episodes of one shard."""

    def __init__(self, config: Config, budget: Budget) -> None:
        self._watches = {model.name: _watches(model) for model in config.models}
        self._budget = budget
        self._episodes: dict[EpisodeId, Episode] = {}
        self._dirty: dict[EpisodeId, None] = {}

    def settled(self, settlement: Settlement, oldest_waiting_us: OldestWaiting) -> list[Finding]:
        """What an outcome says of the model's outages; `oldest_waiting_us` tells who waits."""
        findings: list[Finding] = []
        site, model, outcome = settlement.site, settlement.model, settlement.outcome
        served = outcome in _SERVED
        for watch in self._watches_of(model):
            key = (watch.kind, site, model)
            # A study counts by what became of it first; but whether it was late, when it is served.
            counts = served if watch.word == "late" else settlement.revision == 1
            bad = counts and outcome == watch.word
            if watch.is_of_share:
                if counts and (bad or served):
                    findings += self._share(key, watch, settlement, bad)
            elif bad or key in self._episodes:
                findings += self._every(key, watch, settlement, bad, oldest_waiting_us)
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

    def _watches_of(self, name: str) -> "tuple[Watch, ...]":
        watches = self._watches.get(name)
        if watches is None:  # a model that only the studies' own `expects` name
            return _watches(Model(name=name))
        return watches

    def _every(
        self,
        key: EpisodeId,
        watch: "Watch",
        settlement: Settlement,
        bad: bool,
        oldest_waiting_us: OldestWaiting,
    ) -> Iterator[Finding]:
        self._dirty[key] = None
        episode = self._episodes.setdefault(key, Episode(*key))
        if bad:
            episode.bad(settlement, watch.is_of_time)
            if episode.bad_n >= watch.settings.open_after:
                episode.told = True
                yield watch.finding("holds", episode)
        elif settlement.outcome in _SERVED:
            episode.served(settlement)
        episode.latest_us = max(episode.latest_us, settlement.at_us)
        if episode.is_over(oldest_waiting_us):
            episode.eased = True
            if episode.told:
                yield watch.finding("eased", episode)
            else:
                self.over(*key)

    def _share(
        self, key: EpisodeId, watch: "Watch", settlement: Settlement, bad: bool
    ) -> Iterable[Finding]:
        self._dirty[key] = None
        episode = self._episodes.get(key) or self._episodes.setdefault(key, Episode(*key))
        if episode.excess is None:
            episode.excess = Excess(tolerated_share=watch.settings.tolerated_share)
        grant = self._budget.grant
        verdict = episode.excess.take(bad, settlement.at_us, lambda: grant(key[1]))
        if bad or verdict is not None:  # mostly not
            return self._judged(key, watch, settlement, bad, verdict)
        return ()

    def _judged(
        self, key: EpisodeId, watch: "Watch", settlement: Settlement, bad: bool, verdict: Verdict
    ) -> Iterator[Finding]:
        episode = self._episodes[key]
        eased = episode.eased
        if bad:
            episode.bad(settlement, watch.is_of_time)
        if verdict == "shown" or (bad and episode.told and not eased):
            episode.told = True
            yield watch.finding("holds", episode)
            return
        episode.eased = eased  # one that is tolerated does not bring it back
        if verdict == "clean" and not episode.told:
            self.over(*key)
        elif verdict == "clean" and not episode.eased:
            episode.eased = True
            episode.latest_us = max(episode.latest_us, settlement.at_us)
            yield watch.finding("eased", episode)


class Watch(Struct, frozen=True):
    """One way in which one model can go wrong, and the settings for it."""

    word: OutcomeKind
    kind: IncidentKind
    model: Model
    settings: Outage
    is_of_share: bool

    @property
    def is_of_time(self) -> bool:
        """Whether what goes wrong is that a result is not there in time."""
        return self.word in ("missing", "late")

    def finding(self, signal: Signal, episode: Episode) -> Finding:
        """What is to be told of an episode."""
        excess = episode.excess
        return Finding(
            signal=signal,
            kind=self.kind,
            site=episode.site,
            model=episode.model,
            at_us=episode.last_us if signal == "holds" else episode.latest_us,
            since_us=episode.first_us,
            title=_title(episode, signal),
            severity="warning" if self.kind == "latency" else self.model.criticality,
            evidence=Evidence(
                detector="bet_sr" if excess else "deadline",
                statistic=excess.statistic if excess else None,
                threshold=excess.days if excess else None,
                before=self.settings.tolerated_share if excess else None,
                after=excess.share if excess else None,
                affected_count=episode.bad_n,
                examples=list(episode.examples),
            ),
            hold_us=seconds_to_us(self.settings.hold_s),
            update_us=seconds_to_us(self.settings.update_s),
            owner=self.model.owner,
            runbook=self.model.runbook,
        )


def _watches(model: Model) -> tuple[Watch, ...]:
    ways: tuple[tuple[OutcomeKind, IncidentKind, Outage], ...] = (
        ("missing", "missing_output", model.missing),
        ("failed", "failed_output", model.failed),
        ("incomplete", "incomplete_output", model.incomplete),
        ("late", "latency", model.late),
    )
    return tuple(Watch(*way[:2], model, way[2], way[2].policy == "rate") for way in ways)


def _title(episode: Episode, signal: Signal) -> str:
    results = "1 result has" if episode.late_n == 1 else f"{episode.late_n} results have"
    since = f", {results} come late" if episode.late_n else ""
    studies = "1 study" if episode.bad_n == 1 else f"{episode.bad_n} studies"
    failures = "a failure" if episode.bad_n == 1 else "failures"
    whose = f"{episode.model[:80]} at {episode.site}"
    holds, eased = {
        "missing_output": (f"gives no result: {studies} past the deadline{since}", "no result"),
        "failed_output": (f"fails: {studies}", failures),
        "incomplete_output": (f"gives incomplete results: {studies}", "incomplete results"),
        "latency": (f"answers too late: {studies}", "late results"),
    }[episode.kind]
    told = holds if signal == "holds" else f"answers again after {eased} for {studies}"
    return f"{whose} {told}"
