"""Observations become findings: every series has its reference, its detectors and its share."""

from collections import Counter
from collections.abc import Iterable, Iterator

from detectors.reference import uniform
from schemas.command import Command
from schemas.config import Config
from schemas.incident import Evidence, Incident, IncidentKind
from schemas.series import SeriesPoint
from streams.blocks import Block
from streams.budget import Budget
from streams.clock import from_us, seconds_to_us
from streams.finding import Finding, Signal
from streams.observe import Observation
from streams.series import Change, Seen, Series, Settings
from streams.series_record import Kept, SeriesId, SeriesRecord

_DAY_S = 86_400


class Detect:
    """The series of one shard."""

    def __init__(self, config: Config, budget: Budget) -> None:
        self._settings = Settings(
            observations=config.reference.observations,
            max_us=seconds_to_us(config.reference.max_days * _DAY_S),
        )
        self._models = {model.name: model for model in config.models}
        self._per_site = config.bounds.series_per_site
        self._budget = budget
        self._kept: dict[SeriesId, Kept] = {}
        self._per_site_n: Counter[str] = Counter()
        self._queued: dict[SeriesId, Kept] = {}
        self._dirty: dict[SeriesId, None] = {}
        self.dropped: Counter[str] = Counter()

    def observe(self, seen: Observation) -> Iterable[Finding | SeriesPoint]:
        """Take one observation; what it means may be said at the next `flush` only."""
        key = (seen.site, seen.model, seen.subject)
        kept = self._kept.get(key) or self._new(key)
        if kept is None:
            return ()
        queue = kept.queue
        queue.values.append(seen.value)
        queue.uniforms.append(uniform(seen.site, seen.study, seen.subject))
        queue.ats_us.append(seen.at_us)
        if kept.series.may_freeze(queue):
            # At once: shares of the budget are given in the order in which references freeze.
            return self._observed(key, kept)
        self._queued[key] = kept
        return ()

    def flush(self) -> Iterator[Finding | SeriesPoint]:
        """What the observations since the last flush mean, series by series.

        Feeding a series many values in a row is what makes detection cheap. What is said of a
        series, and its dates, do not depend on when this is called.
        """
        queued, self._queued = self._queued, {}
        for key, kept in queued.items():
            yield from self._observed(key, kept)

    def _observed(self, key: SeriesId, kept: Kept) -> Iterator[Finding | SeriesPoint]:
        self._dirty[key] = None
        seen, kept.queue = kept.queue, Seen([], [], [])
        site = key[0]
        for what in kept.series.observe(seen, lambda pace: self._budget.grant(site, pace)):
            if isinstance(what, Block):
                yield _point(key, kept.series, what)
            elif (finding := self._finding(key, what)) is not None:
                yield finding

    def accept(self, command: Command, told: Iterable[Incident]) -> None:
        """Make what is now the normal, where a person says so.

        For the series whose incident was accepted, and for all that a `rebaseline` names.
        """
        accepted = {
            (incident.site, incident.model or "", incident.subject or "")
            for incident in told
            if incident.reason == "accepted"
        }
        by_name = command.action == "rebaseline" and command.incident is None
        for key, kept in self._kept.items():
            if key in accepted or (by_name and _is_named(key, command)):
                kept.series.accept()
                self._dirty[key] = None

    def changes(self) -> Iterator[tuple[SeriesId, SeriesRecord, list[tuple[str, bytes | None]]]]:
        """Series changed since the last call: the small record, and the bulk that is new."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            kept = self._kept[key]
            bulk = list(kept.bulk())
            yield key, kept.record(), bulk

    def restore(self, record: SeriesRecord, bulk: dict[str, bytes]) -> None:
        """Take up one series of a checkpoint."""
        kept = Kept.restore(record, bulk, self._settings)
        self._kept[kept.key] = kept
        self._per_site_n[record.site] += 1

    def series(self) -> Iterator[tuple[SeriesId, Series]]:
        """Every series, to be looked at only."""
        return ((key, kept.series) for key, kept in self._kept.items())

    def sizes(self) -> dict[str, int]:
        """How many series there are in each phase, for the metrics."""
        phases = Counter(kept.series.phase for kept in self._kept.values())
        return {f"series_{phase}": n for phase, n in phases.items()}

    def _new(self, key: SeriesId) -> Kept | None:
        if self._per_site_n[key[0]] >= self._per_site:
            self.dropped["series_overflow"] += 1
            return None
        self._per_site_n[key[0]] += 1
        kept = self._kept[key] = Kept(key, self._settings)
        return kept

    def _finding(self, key: SeriesId, change: Change) -> Finding | None:
        signal = _signal(change)
        if signal is None:
            return None
        site, model_name, subject = key
        model = self._models.get(model_name)
        return Finding(
            signal=signal,
            kind=_kind(key),
            site=site,
            model=model_name or None,
            subject=subject,
            at_us=change.at_us,
            title=_title(key, change),
            severity="warning",
            evidence=Evidence(
                detector=change.detector,
                statistic=change.statistic,
                threshold=change.threshold,
                reference_n=change.reference_n,
                current_n=change.current_n,
                before=change.before,
                after=change.after,
                since=from_us(change.since_us),
            ),
            owner=model.owner if model else None,
            runbook=model.runbook if model else None,
        )


def _kind(key: SeriesId) -> IncidentKind:
    return "output_drift" if key[1] else "input_drift"


def _is_named(key: SeriesId, command: Command) -> bool:
    site, model, subject = key
    names = {"kind": _kind(key), "site": site, "model": model or None, "subject": subject}
    wanted = (command.matchers or {}).items()
    return site == command.site and all(names.get(name) == value for name, value in wanted)


def _signal(change: Change) -> Signal | None:
    """A second alarm is told when it is known whether it is a return or another change."""
    if change.what == "alarm":
        return None if change.again else "holds"
    if change.what == "returned":
        return "returned"
    return "changed" if change.again else "holds"


def _title(key: SeriesId, change: Change) -> str:
    site, model, subject = key
    whose = f"{subject[:80]} of {model[:40]}" if model else subject[:120]
    if change.what == "returned":
        return f"{whose} at {site} is back at its reference"
    return f"{whose} at {site} moved from {change.before:.4g} to {change.after:.4g}"


def _point(key: SeriesId, series: Series, block: Block) -> SeriesPoint:
    site, model, subject = key
    return SeriesPoint(
        site=site,
        model=model or None,
        subject=subject,
        since=from_us(block.since_us),
        at=from_us(block.at_us),
        n=block.n,
        mean=block.total / block.n,
        low=block.low,
        high=block.high,
        phase=series.phase,
        reference_n=series.reference.n if series.reference else len(series.sample),
        score=block.score_total / block.scored_n if block.scored_n else None,
        statistics=series.statistics() or None,
    )
