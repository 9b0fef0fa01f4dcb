"""The page of what is watched: what was seen, handed to `streams.web.coverage`. Pure."""

from streams.web.coverage import SeenPair, SeenSeries, coverage
from streams.web.pages import Scene, Values
from streams.web.words import is_part

_DAY_N = 24


def coverage_page(scene: Scene) -> Values:
    """All of it, and what the page itself could not keep."""
    view, now_us = scene.view, scene.clock.now_us
    pairs = [
        SeenPair(
            site=pair[0],
            model=pair[1],
            day_n=sum(one.due for one in view.outcomes.hours(pair, now_us, _DAY_N)),
            ever=view.outcomes.ever(pair),
        )
        for pair in view.outcomes.pairs()
    ]
    series = [
        SeenSeries(
            site=site,
            model=model,
            subject=subject,
            phase=line.phase,
            reference_n=line.reference_n,
            per_day=line.per_day,
            newest_us=line.points[-1].at_us,
            notes=line.notes,
        )
        for (site, model, subject), line in view.series.of()
        if line.points
    ]
    found = coverage(scene.config, pairs, series, now_us)
    return {
        "coverage": found,
        "whole": [one for one in found.unready if not is_part(one.subject)],
        "parted": [one for one in found.unready if is_part(one.subject)],
        "dropped": sorted(view.dropped.items()),
        "unreadable": view.unreadable,
        "detail_days": scene.settings.detail_days,
    }
