"""The words and numbers of a silence."""

from collections.abc import Iterable

from schemas.config import Model
from schemas.incident import Evidence
from schemas.silence import SilenceSettings
from streams.clock import from_us, seconds_to_us
from streams.clock import length as length_of
from streams.finding import Finding, Signal
from streams.silence.episode import Episode
from streams.silence.feed import HOUR_US, Excursion, FeedId
from streams.silence.judge import Verdict
from streams.silence.scope import subject

_LONGEST = 60  # of a name in a title


def gap_evidence(since_us: int, verdict: Verdict, expected: float, at_us: int) -> Evidence:
    """Of a silence since then, in which so many were expected."""
    hours = max((at_us - since_us) / HOUR_US, 1 / 3600)
    return Evidence(
        detector="gap",
        statistic=verdict.statistic,
        threshold=verdict.threshold,
        since=from_us(since_us),
        before=expected / hours,
        after=0.0,
        current_n=0,
        affected_count=round(expected),
    )


def partial_evidence(excursion: Excursion, verdict: Verdict) -> Evidence:
    """Of the hours since the statistic last stood at 0; `before` and `after` are per hour."""
    hours = max(excursion.hours, 1)
    return Evidence(
        detector="nb_cusum",
        statistic=verdict.statistic,
        threshold=verdict.threshold,
        since=from_us(excursion.since_hour * HOUR_US),
        before=excursion.expected / hours,
        after=excursion.n / hours,
        current_n=excursion.n,
        affected_count=max(0, round(excursion.expected - excursion.n)),
    )


class Telling:
    """Findings, with what the configuration says of models and severity."""

    def __init__(self, models: Iterable[Model], settings: SilenceSettings) -> None:
        self._models = {model.name: model for model in models}
        self._settings = settings

    def holds(self, episode: Episode, at_us: int, narrower_n: int) -> Finding:
        """It is silent; so many narrower silences were told before."""
        evidence = episode.evidence
        missed, length = evidence.affected_count or 0, length_of(at_us - episode.since_us)
        what, site = _what(episode.scope), episode.scope.site
        if episode.kind == "partial_silence":
            came = evidence.current_n or 0
            title = f"Too few {what} from {site}: {came} in {length}, {came + missed} expected"
        elif episode.scope.type == "all feeds":
            whose = _what(episode.by)
            title = f"Nothing comes from {site} for {length}: {missed} {whose} expected"
        else:
            title = f"No {what} from {site} for {length}: {missed} expected"
        if narrower_n:
            title += f"; {narrower_n} narrower silence{'s' * (narrower_n > 1)} told before"
        return self._finding("holds", episode, at_us, title)

    def eased(self, episode: Episode, at_us: int, until_us: int) -> Finding:
        """Arrivals show that it is over; it lasted until then."""
        what, site = _what(episode.scope), episode.scope.site
        length = length_of(until_us - episode.since_us)
        if episode.scope.type == "all feeds":  # one event of any ends it
            title = f"Something comes from {site} again, after {length}"
        else:
            again = "as many as usual again" if episode.kind == "partial_silence" else "again"
            title = f"{what[0].upper()}{what[1:]} from {site}: {again} after {length}"
        return self._finding("eased", episode, at_us, title)

    def _finding(self, signal: Signal, episode: Episode, at_us: int, title: str) -> Finding:
        scope, settings = episode.scope, self._settings
        model = self._models.get(scope.model)
        severity = model.criticality if model else settings.severity
        return Finding(
            signal=signal,
            kind=episode.kind,
            site=scope.site,
            model=scope.model or None,
            subject=subject(scope),
            at_us=at_us,
            title=title,
            severity="warning" if episode.kind == "partial_silence" else severity,
            evidence=episode.evidence,
            hold_us=seconds_to_us(settings.hold_s),
            update_us=seconds_to_us(settings.update_s),
            owner=model.owner if model else None,
            runbook=model.runbook if model else None,
        )


def _what(scope: FeedId) -> str:
    if scope.station:
        return f"studies of {scope.station[:_LONGEST]}"
    if scope.model:
        return f"predictions of {scope.model[:_LONGEST]}"
    return scope.type
