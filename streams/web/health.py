"""Sites x models: one word each, the worst that is true. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple
from urllib.parse import quote

from schemas.config import Config, Model
from schemas.incident import Incident
from streams.web.freshness import Freshness
from streams.web.sparks import spark
from streams.web.view import View
from streams.web.view_incidents import Episode
from streams.web.view_monitor import Pending
from streams.web.view_outcomes import HOUR_US, Counts

Health = Literal[
    "missing",
    "failing",
    "late",
    "drifting",
    "silent",
    "notice",
    "blind",
    "recovering",
    "learning",
    "on time",
    "quiet",
    "not used",
]
_OF_KIND: dict[str, Health] = {
    "missing_output": "missing",
    "failed_output": "failing",
    "incomplete_output": "failing",
    "latency": "late",
    "silence": "silent",
    "partial_silence": "silent",
    "input_drift": "drifting",
    "output_drift": "drifting",
    "performance_drift": "drifting",
    "calibration_drift": "drifting",
    "subgroup_gap": "drifting",
}
_WORST: tuple[Health, ...] = (
    "missing",
    "failing",
    "silent",
    "late",
    "drifting",
    "notice",
    "recovering",
)
_DAY_N = 24
INPUTS = ""  # the column of what belongs to the studies themselves


class Cell(NamedTuple):
    """One site and model. `day` are its results in the last 24 hours, `bars` the same by hour.

    While less than three hours are known the bars are the newest intervals instead.
    """

    site: str
    model: str
    health: Health
    day: Counts
    bars: tuple[Counts, ...]
    incidents: tuple[str, ...]
    pending: Pending | None

    @property
    def slug(self) -> str:
        """The word as a name of a class and of a shape."""
        return self.health.replace(" ", "-")

    @property
    def link(self) -> str:
        """Where the word comes from: its incident, its incidents, or what is known of it."""
        if len(self.incidents) == 1:
            return f"/incidents/{quote(self.incidents[0])}"
        if self.incidents:
            return f"/history?site={quote(self.site)}&model={quote(self.model)}&live=yes"
        return f"/models/{quote(self.model)}" if self.model else f"/sites/{quote(self.site)}"

    @property
    def spark(self) -> tuple[str, str]:
        """The bars as paths: what came on time, and the rest."""
        return spark(self.bars)


class Matrix(NamedTuple):
    """Rows are sites, columns models; the first column is the studies themselves."""

    sites: list[str]
    models: list[str]
    rows: list[list[Cell]]

    def words(self) -> Counter[Health]:
        """How many cells say what."""
        return Counter(cell.health for row in self.rows for cell in row)


def matrix(
    config: Config,
    view: View,
    fresh: Freshness,
    now_us: int,
    *,
    site: str | None = None,
    model: str | None = None,
) -> Matrix:
    """All sites and models, or those of one site or model."""
    sites = sites_of(config, view) if site is None else [site]
    models = models_of(config, view) if model is None else [model]
    columns = [INPUTS, *models] if model is None else models
    live: dict[tuple[str, str], list[Episode]] = {}
    for episode in view.incidents.live():
        key = (episode.last.site, episode.last.model or INPUTS)
        live.setdefault(key, []).append(episode)
    phases, pending = view.series.phases(), view.monitor.pending()
    is_long = view.outcomes.newest_us - view.outcomes.oldest_us > 3 * HOUR_US
    settings = {one.name: one for one in config.models}

    def cell(row: str, column: str) -> Cell:
        key = (row, column)
        hours = tuple(view.outcomes.hours(key, now_us, _DAY_N))
        day = Counts(*map(sum, zip(*hours, strict=True)))
        bars = hours if is_long else tuple(view.outcomes.newest(key, now_us, _DAY_N))
        episodes = live.get(key, [])
        incidents = tuple(one.last.incident for one in episodes)
        health = _health(
            episodes,
            fresh.is_blind(row),
            is_used=column == INPUTS or _is_used(settings.get(column), row),
            phases=phases.get(key, Counter()),
            day=day,
        )
        return Cell(row, column, health, day, bars, incidents, pending.get(key))

    return Matrix(sites, models, [[cell(row, column) for column in columns] for row in sites])


def sites_of(config: Config, view: View) -> list[str]:
    """Configured ones and those that were seen; the monitor's own name is no site."""
    named = {site for model in config.models for site in _sites(model) or ()}
    seen = {pair[0] for pair in view.outcomes.pairs()} | {key[0] for key, _ in view.series.of()}
    return sorted({site.name for site in config.sites} | named | seen)


def models_of(config: Config, view: View) -> list[str]:
    """Configured ones in their order, then those that were only seen."""
    configured = [model.name for model in config.models]
    seen = {pair[1] for pair in view.outcomes.pairs()} | {key[1] for key, _ in view.series.of()}
    return [*configured, *sorted(seen - {*configured, INPUTS})]


def _health(
    episodes: Iterable[Episode],
    is_blind: bool,
    *,
    is_used: bool,
    phases: Counter[str],
    day: Counts,
) -> Health:
    told = (one.last for one in episodes if one.last.severity != "info")
    words = {_word(one) for one in told if one.state != "pending"}
    if words:
        return next(word for word in _WORST if word in words)
    if not is_used:
        return "not used"
    if is_blind:
        return "blind"
    if phases["learning"] and not (phases["watching"] or phases["relearning"]):
        return "learning"
    return "on time" if day.due or phases else "quiet"


def _word(incident: Incident) -> Health:
    if incident.state == "resolving":
        return "recovering"
    return _OF_KIND.get(incident.kind, "notice")


def _sites(model: Model) -> list[str] | None:
    """Where a model is used, if its rule says so."""
    named = model.applies.get("sites", model.applies.get("site"))
    return [str(site) for site in named] if isinstance(named, list) else None


def _is_used(model: Model | None, site: str) -> bool:
    named = None if model is None else _sites(model)
    return named is None or site in named
