"""What is configured, what is seen, what is watched, and what is not. Pure.

`radvigil coverage` and the page tell the same.
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from schemas.config import MONITORS, Config, Monitor
from streams.clock import seconds_to_us
from streams.observations.slicing import first_reference_n

DAY_S = 86_400.0


class SeenPair(NamedTuple):
    """A model at a site: how many results were due in the last day, and whether ever."""

    site: str
    model: str
    day_n: int
    ever: bool


class SeenSeries(NamedTuple):
    """A series, model "" for what belongs to the studies; `per_day` None while not known."""

    site: str
    model: str
    subject: str
    phase: str
    reference_n: int
    per_day: float | None
    newest_us: int
    notes: tuple[str, ...] = ()


class ModelLine(NamedTuple):
    """One model. `sites` where results were due, in the last day and at all."""

    model: str
    is_configured: bool
    sites_day: tuple[str, ...]
    sites_all: tuple[str, ...]
    watched: int
    learning: int
    gap: str


class SiteLine(NamedTuple):
    """One site, whose series are of its studies and of all its models."""

    site: str
    is_configured: bool
    results_day: int
    watched: int
    learning: int
    gap: str


class Unready(NamedTuple):
    """A series whose reference is still being learned; `ready_us` None: cannot be said."""

    site: str
    model: str
    subject: str
    n: int
    needed: int
    ready_us: int | None


class Weak(NamedTuple):
    """A series that is watched, but with less than the promise; `why` in words."""

    site: str
    model: str
    subject: str
    why: str


class Coverage(NamedTuple):
    """All of it; `gaps` are sentences, the most important first."""

    models: list[ModelLine]
    sites: list[SiteLine]
    unready: list[Unready]
    weak: list[Weak]
    gaps: list[str]
    series_watched: int
    series_all: int


_WHY: dict[str, str] = {
    "unstable_reference": "it was still moving when its reference was frozen",
    "not_promised": "its values depend on each other too much for a promise: notices only",
    "weekdays_only": "weekends are still learnt, and not judged",
    "weekends_only": "weekdays are still learnt, and not judged",
    "part_of_a_day": "it knows a part of a day alone: other hours may look like a change",
}
_MONITORED: dict[Monitor, str] = {
    "silence": "whether feeds fall silent",
    "performance": "how results compare with the reports",
    "version_change": "for new versions of a model, whose outputs stay held against the old one's",
    "version_disagreement": "how far shadow versions differ from the live one",
    "off_label": "for use outside a model's intended use",
    "data_quality": "for stuck scores, impossible values and missing fields",
    "subgroup_gap": "for groups that a model serves worse",
}
_STALE_DAYS = 2
Standing = Literal["learning", "watched"]


def coverage(
    config: Config, pairs: Iterable[SeenPair], series: Iterable[SeenSeries], now_us: int
) -> Coverage:
    """What is watched by what, and what is not."""
    pairs, series = list(pairs), list(series)
    models = list(_models(config, pairs, series))
    sites = list(_sites(config, pairs, series))
    unready = sorted(_unready(config, series), key=lambda one: (one.ready_us or 2**62, one))
    weak = sorted(
        Weak(one.site, one.model, one.subject, why)
        for one in series
        for why in _weaknesses(one, now_us)
    )
    return Coverage(
        models=models,
        sites=sites,
        unready=unready,
        weak=weak,
        gaps=list(_gaps(config, models, sites)),
        series_watched=sum(one.phase != "learning" for one in series),
        series_all=len(series),
    )


def _models(config: Config, pairs: list[SeenPair], series: list[SeenSeries]) -> Iterator[ModelLine]:
    configured = [model.name for model in config.models]
    seen = {one.model for one in pairs} | {one.model for one in series if one.model}
    for name in (*configured, *sorted(seen - set(configured))):
        own = [one for one in pairs if one.model == name]
        lines = [one for one in series if one.model == name]
        day = tuple(sorted(one.site for one in own if one.day_n))
        yield ModelLine(
            model=name,
            is_configured=name in configured,
            sites_day=day,
            sites_all=tuple(sorted(one.site for one in own if one.ever)),
            watched=sum(one.phase != "learning" for one in lines),
            learning=sum(one.phase == "learning" for one in lines),
            gap=_model_gap(name in configured, bool(own), bool(day), bool(lines)),
        )


def _model_gap(is_configured: bool, was_due: bool, due_today: bool, has_series: bool) -> str:
    if not is_configured:
        return "it answers, but is not configured: nobody waits for its results"
    if not was_due:
        return "configured, but no study has called for it"
    if not due_today:
        return "no study has called for it in the last day"
    return "" if has_series else "its outputs are not watched for drift"


def _sites(config: Config, pairs: list[SeenPair], series: list[SeenSeries]) -> Iterator[SiteLine]:
    configured = {site.name for site in config.sites}
    seen = {one.site for one in pairs} | {one.site for one in series}
    for name in sorted(configured | seen):
        lines = [one for one in series if one.site == name]
        due = sum(one.day_n for one in pairs if one.site == name)
        gap = ""
        if name not in seen:
            gap = "configured, but nothing has come from it"
        elif not due:
            gap = "no result was due in the last day"
        elif configured and name not in configured:
            gap = "nobody has configured it; it is watched all the same"
        yield SiteLine(
            site=name,
            is_configured=name in configured,
            results_day=due,
            watched=sum(one.phase != "learning" for one in lines),
            learning=sum(one.phase == "learning" for one in lines),
            gap=gap,
        )


def _unready(config: Config, series: list[SeenSeries]) -> Iterator[Unready]:
    for one in series:
        if one.phase == "learning":
            needed, ready_us = first_reference_n(config, one.model, one.subject), None
            if one.per_day:
                days = max(0.0, needed - one.reference_n) / one.per_day
                ready_us = one.newest_us + seconds_to_us(days * DAY_S)
            yield Unready(one.site, one.model, one.subject, one.reference_n, needed, ready_us)


def _weaknesses(one: SeenSeries, now_us: int) -> Iterator[str]:
    yield from (_WHY[note] for note in one.notes if note in _WHY)
    silent_days = (now_us - one.newest_us) / (DAY_S * 1e6)
    if silent_days > _STALE_DAYS:
        yield f"nothing was observed for {silent_days:.0f} days"


def _gaps(config: Config, models: list[ModelLine], sites: list[SiteLine]) -> Iterator[str]:
    yield from (f"{one.model}: {one.gap}." for one in models if one.gap)
    yield from (f"{one.site}: {one.gap}." for one in sites if one.gap)
    for pattern in config.watch.exclude:
        yield f"Series named {pattern} are not watched: watch.exclude says so."
    if not any(fnmatchcase("x", pattern) for pattern in config.watch.include):
        patterns = ", ".join(config.watch.include)
        yield f"Only series named {patterns} are watched: watch.include says so."
    for monitor in MONITORS:
        if monitor not in config.watch.monitors:
            yield f"Nobody watches {_MONITORED[monitor]}: watch.monitors leaves {monitor} out."
