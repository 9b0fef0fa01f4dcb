"""What each page shows, as values for its template. Pure: `Scene` is all that it is made from."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from schemas.config import Config, Model
from schemas.incident import Incident
from schemas.web import WebSettings
from streams.observations.slicing import first_reference_n
from streams.web import words
from streams.web.estimates import performance
from streams.web.false_alarms import account
from streams.web.freshness import Freshness
from streams.web.health import Matrix, matrix, models_of
from streams.web.hidden import Hidden, Hiding
from streams.web.view import View
from streams.web.view_incidents import Episode
from streams.web.view_outcomes import Counts
from streams.web.volume import volumes
from streams.web.words import Clockface, count, is_part, where

Values = dict[str, Any]


class Scene(NamedTuple):
    """One rendering: what is known, at what time, for whom. `viewer` None: not logged in."""

    config: Config
    settings: WebSettings
    view: View
    clock: Clockface
    fresh: Freshness
    viewer: str | None

    def hiding(self) -> Hiding:
        """The overlays now."""
        return Hiding(
            self.config,
            self.view.incidents.live(),
            self.view.people.silences(self.clock.now_us),
            self.clock.now_us,
            self.fresh.partitions,
        )


class Row(NamedTuple):
    """An incident in a list."""

    incident: Incident
    state: str
    kind: str
    where: str
    affected: str
    holder: str
    next: str
    hidden: Hidden | None
    needs_someone: bool
    ended_at: datetime | None
    was_false: bool


def now_page(scene: Scene) -> Values:
    """What is wrong, where, and whose it is."""
    rows = list(_live_rows(scene))
    cells = matrix(scene.config, scene.view, scene.fresh, scene.clock.now_us)
    return {
        "sentence": sentence(scene, cells),
        "rows": [row for row in rows if not row.hidden],
        "hidden": [row for row in rows if row.hidden],
        "matrix": cells,
        "health": cells.words(),
        "volumes": volumes(scene.view.outcomes, cells.sites, scene.clock.now_us),
        "pending": _pending(scene),
        "account": account(scene.config, scene.view.incidents.all(), scene.clock.now),
        "silences": scene.view.people.silences(scene.clock.now_us),
    }


def model_page(scene: Scene, name: str) -> Values | None:
    """One model at all sites; None for one that nobody knows."""
    if name not in models_of(scene.config, scene.view):
        return None
    settings = next((one for one in scene.config.models if one.name == name), None)
    return {"model": settings, "rules": list(_rules(settings))} | _part(scene, model=name)


def site_page(scene: Scene, name: str) -> Values | None:
    """One site and all its models; None for one that nobody knows."""
    found = _part(scene, site=name)
    known = {site.name for site in scene.config.sites}
    seen = found["rows"] or found["past"] or found["series"]
    has_results = any(pair[0] == name for pair in scene.view.outcomes.pairs())
    return found if name in known or seen or has_results else None


def sentence(scene: Scene, cells: Matrix) -> str:
    """The state of everything in a sentence."""
    if not scene.fresh.is_live:
        return "What is true now is not known."
    hiding = scene.hiding()
    needing = [
        one.last
        for one in scene.view.incidents.live()
        if one.needs_someone and hiding.of(one.last) is None
    ]
    if needing:
        return f"{_who_needs(needing, len(cells.models))}: {_what(needing[0], scene)}."
    live = [one for one in scene.view.incidents.live() if one.last.severity != "info"]
    day = Counts(*map(sum, zip(*(c.day for row in cells.rows for c in row), strict=True)))
    share = f"{words.percent(day.share)} of {day.due:,} results came on time in the last day"
    blind = cells.words()["blind"]
    if blind:
        cells_n = count(blind, "cell of the matrix is", "cells of the matrix are")
        return f"Nobody is needed as far as can be seen: {cells_n} blind."
    if live:
        held = count(len(live), "incident is", "incidents are")
        return f"Nobody is needed: {held} in hand or silenced. {share if day.due else ''}".rstrip()
    models = count(len(cells.models), "model")
    if not day.due:
        return f"Nothing is wrong: {models}, and no result was due in the last day."
    return f"Nothing is wrong: {models} at {count(len(cells.sites), 'site')}; {share}."


def rows_of(scene: Scene, episodes: list[Episode]) -> Iterator[Row]:
    """Incidents as rows."""
    hiding = scene.hiding()
    for episode in episodes:
        last = episode.last
        yield Row(
            incident=last,
            state=words.STATES[last.state],
            kind=words.kind(last),
            where=where(last),
            affected=words.affected(last),
            holder=_holder(episode),
            next=_next(scene, episode),
            hidden=hiding.of(last) if episode.is_live else None,
            needs_someone=episode.needs_someone,
            ended_at=episode.ended_at,
            was_false=episode.was_false,
        )


def _live_rows(scene: Scene, **only: str) -> Iterator[Row]:
    live = scene.view.incidents.live()
    return rows_of(scene, [one for one in live if _fits(one, **only)])


def _part(scene: Scene, site: str | None = None, model: str | None = None) -> Values:
    """What the pages of a site and of a model have in common."""
    only = {key: value for key, value in (("site", site), ("model", model)) if value is not None}
    episodes = [one for one in scene.view.incidents.all() if _fits(one, **only)]
    cells = matrix(
        scene.config, scene.view, scene.fresh, scene.clock.now_us, site=site, model=model
    )
    series = scene.view.series.of(site, model)
    return {
        "name": site or model,
        "rows": list(_live_rows(scene, **only)),
        "past": list(rows_of(scene, [one for one in episodes if not one.is_live][:10])),
        "matrix": cells,
        "series": series,
        "whole": [one for one in series if not is_part(one[0][2])],
        "parted": [one for one in series if is_part(one[0][2])],
        "performance": performance(series),
        "volumes": volumes(scene.view.outcomes, [site], scene.clock.now_us) if site else [],
        "versions": [one.last for one in episodes if one.last.kind == "version_change"][:10],
        "needed": partial(first_reference_n, scene.config),
    }


def _fits(episode: Episode, site: str | None = None, model: str | None = None) -> bool:
    last = episode.last
    return site in (None, last.site) and model in (None, last.model)


def _who_needs(needing: list[Incident], models_n: int) -> str:
    models = {one.model for one in needing if one.model}
    if not models:
        return count(len(needing), "incident needs someone", "incidents need someone")
    n = len(models)
    return f"{n} of {count(max(models_n, n), 'model')} {'needs' if n == 1 else 'need'} someone"


def _what(worst: Incident, scene: Scene) -> str:
    since = scene.clock.at(worst.opened_at, worst.site)
    how = ", ".join(part for part in (since.ago, words.affected(worst)) if part)
    return f"{words.what(worst)} since {since.text} ({how})"


def _holder(episode: Episode) -> str:
    if episode.holder:
        return episode.holder
    return words.NOBODY


def _next(scene: Scene, episode: Episode) -> str:
    """What happens by itself, if nobody does anything."""
    last = episode.last
    if last.state == "resolving":
        return "over, if it holds"
    if last.state == "acknowledged" and last.acknowledged_until:
        return f"open again at {scene.clock.at(last.acknowledged_until, last.site).text}"
    if last.state == "pending":
        return "told, if it lasts"
    if last.state == "open":
        return "told again until somebody has it" if last.severity != "info" else "a notice"
    return ""


def _pending(scene: Scene) -> list[tuple[str, str, Any]]:
    found = scene.view.monitor.pending()
    return sorted(
        ((site, model, waits) for (site, model), waits in found.items()),
        key=lambda one: one[2].soonest_us,
    )[:20]


def _rules(model: Model | None) -> Iterator[tuple[str, str]]:
    """What a model's configuration says, in words."""
    if model is None:
        yield "configured", "no: it was only seen"
        return
    deadline = model.deadline_s
    if isinstance(deadline, float | int):
        yield "deadline", words.length(deadline)
    else:
        for priority in ("stat", "urgent", "routine"):
            seconds = getattr(deadline, priority)
            if seconds is not None:
                yield f"deadline, {priority}", words.length(seconds)
    yield "starts when the study is", model.starts_at
    yield "findings owed", ", ".join(model.findings) or "any answer counts"
    yield "its outages are", model.criticality
    yield "owner", model.owner or "nobody is named"
