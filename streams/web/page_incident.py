"""One incident: what to do, how it looks, what explains it, what happened. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.incident import Incident, Slice
from streams.clock import to_us
from streams.delivery.trouble import REPAIR, is_about_receiver
from streams.incidents.imdrf import suggested
from streams.partitioner import partition_of
from streams.web import words
from streams.web.charts import Chart, evidence_chart, outage_chart, series_chart
from streams.web.pages import Scene, Values, rows_of
from streams.web.timeline import fate, timeline
from streams.web.view_incidents import Episode
from streams.web.words import number

_OUTAGES = frozenset({"missing_output", "failed_output", "incomplete_output", "latency"})
_AROUND = 0.75  # of an incident's length is shown before it
_LEAST_INTERVALS = 12
_MOST_INTERVALS = 120


class Part(NamedTuple):
    """A slice with its share and shift; `width` of a bar in per cent, `side` by its sign."""

    name: str
    share: str
    shift: str
    width: float
    side: str


def incident_page(scene: Scene, incident: str, told: str | None = None) -> Values | None:
    """What is known of it; `told` is the id of a command whose fate is wanted."""
    episode = scene.view.incidents.get(incident)
    if episode is None:
        return None
    last = episode.last
    (row,) = rows_of(scene, [episode])
    chart, evidence = _charts(scene, episode)
    earlier = [one for one in scene.view.incidents.of(last.fingerprint) if one is not episode]
    return {
        "row": row,
        "incident": last,
        "episode": episode,
        "chart": chart,
        "evidence_chart": evidence,
        "facts": list(_facts(last, scene)),
        "slices": list(_slices(scene, last)),
        "examples": _examples(scene, last),
        "timeline": timeline(scene, episode),
        "earlier": list(rows_of(scene, earlier[:5])),
        "reply": fate(scene, told),
        "repair": REPAIR if is_about_receiver(last) else "",
    }


def is_outage(incident: Incident) -> bool:
    """Whether results of a model are what it is about."""
    return incident.kind in _OUTAGES and incident.model is not None


def _charts(scene: Scene, episode: Episode) -> tuple[Chart | None, Chart | None]:
    last, clock = episode.last, scene.clock
    marks = list(_marks(episode))
    if is_outage(last):
        assert last.model is not None
        pair = (last.site, last.model)
        from_us, until_us = _window(scene, episode)
        step_us, counts = scene.view.outcomes.intervals(pair, from_us, until_us)
        proved_us = _proved_us(scene, last.site)
        return outage_chart(counts, step_us, from_us, marks, clock, last.site, proved_us), None
    line = scene.view.series.get(last.site, last.model or "", last.subject or "")
    if line is None:
        return None, None
    evidence = last.evidence
    since_us = to_us(evidence.since or last.opened_at)
    points = line.points
    shown = series_chart(points, evidence.before, evidence.after, since_us, marks, clock, last.site)
    if not last.kind.endswith("_drift"):  # the evidence of others is not of the series
        return shown, None
    return shown, evidence_chart(points, marks, clock, last.site, to_us(last.opened_at))


def _proved_us(scene: Scene, site: str) -> int | None:
    """Until when the site's shard has judged; None while that is not known."""
    if scene.fresh.partitions is None:
        return None
    return scene.view.monitor.proved_us.get(partition_of(site, scene.fresh.partitions))


def _window(scene: Scene, episode: Episode) -> tuple[int, int]:
    """From some time before it until its end or now, in as many intervals as can be seen."""
    fine_us = scene.view.outcomes.fine_us
    began_us = to_us(episode.last.opened_at)
    ended = episode.ended_at
    until_us = scene.clock.now_us if ended is None else to_us(ended)
    before_us = max(round((until_us - began_us) * _AROUND), _LEAST_INTERVALS * fine_us)
    until_us = min(until_us + (0 if ended is None else before_us // 2), scene.clock.now_us)
    longest_us = max(_MOST_INTERVALS * fine_us, until_us - began_us + before_us)
    return max(began_us - before_us, until_us - longest_us), until_us


def _marks(episode: Episode) -> Iterator[tuple[int, str, str]]:
    last = episode.last
    since = last.evidence.since
    if since is not None and since != last.opened_at:
        yield to_us(since), "began", "began (estimated)"
    yield to_us(last.opened_at), "opened", "became true"
    for step in episode.steps:
        if step.reason == "acknowledged":
            yield to_us(step.at), "held", "acknowledged"
    if (ended := episode.ended_at) is not None:
        yield to_us(ended), "over", "over"


def _facts(last: Incident, scene: Scene) -> Iterator[tuple[str, str]]:
    """The evidence in words; what is not known is not a row, but its n is."""
    evidence = last.evidence
    if affected := words.affected(last):
        yield "affected", affected
    if evidence.before is not None:
        n = f"n = {evidence.reference_n:,}" if evidence.reference_n is not None else "n unknown"
        yield "before", f"{number(evidence.before)} (mean, {n})"
    if evidence.after is not None:
        n = f"n = {evidence.current_n:,}" if evidence.current_n is not None else "n unknown"
        yield "after", f"{number(evidence.after)} (mean, {n})"
    if evidence.statistic is not None and evidence.threshold is not None:
        yield "evidence", f"{number(evidence.statistic)}, threshold {number(evidence.threshold)}"
    if evidence.detector is not None:
        yield "found by", words.FOUND_BY.get(evidence.detector, evidence.detector)
    if last.subject is not None:
        yield "subject", last.subject
    if last.model_version is not None:
        yield "version", last.model_version
    if last.reopen_count:
        yield "came back", words.count(last.reopen_count, "time")
    for code in suggested(last) or ():
        yield "suggested code", code


def _slices(scene: Scene, last: Incident) -> Iterator[Part]:
    """Only slices by a field that the configuration names: their values are no patient's."""
    found = [one for one in last.evidence.slices or () if _is_configured(scene, one)]
    most = max((abs(one.shift) for one in found), default=0.0) or 1.0
    for one in found:
        yield Part(
            name=one.slice,
            share=words.percent(one.share),
            shift=f"{one.shift:+.2g} sd",
            width=round(50 * abs(one.shift) / most, 1),
            side="up" if one.shift >= 0 else "down",
        )


def _is_configured(scene: Scene, one: Slice) -> bool:
    return one.slice.partition("=")[0] in scene.config.watch.slices


def _examples(scene: Scene, last: Incident) -> list[str] | None:
    """Study keys for who is logged in; None for everybody else."""
    return None if scene.viewer is None else list(last.evidence.examples or ())
