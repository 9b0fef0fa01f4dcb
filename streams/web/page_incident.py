"""One incident: what to do, how it looks, what explains it, what happened. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from schemas.command import Command
from schemas.incident import Incident, Slice
from schemas.reply import Reply
from streams.clock import to_us
from streams.delivery.trouble import REPAIR, is_about_receiver
from streams.imdrf import suggested
from streams.partitioner import partition_of
from streams.web import words
from streams.web.charts import Chart, evidence_chart, outage_chart, series_chart
from streams.web.pages import Scene, Values, rows_of
from streams.web.view_incidents import Episode, Step
from streams.web.view_people import Notice
from streams.web.words import number

_OUTAGES = frozenset({"missing_output", "failed_output", "incomplete_output", "latency"})
_AROUND = 0.75  # of an incident's length is shown before it
_LEAST_INTERVALS = 12
_MOST_INTERVALS = 120
_TELLS = {"open": "told", "update": "told again", "resolve": "told that it is over"}
_AGAIN = {
    "repeated": "still open, and nobody has it",
    "escalated": "escalated",
    "severity_raised": "graver than before",
    "unacknowledged": "nobody has it any more",
    "digest": "as one of many",
}


class Event(NamedTuple):
    """A line of the timeline; `note` is what a person wrote, for who is logged in."""

    at: datetime
    kind: str
    words: str
    who: str | None = None
    note: str | None = None


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
        "timeline": list(_timeline(scene, episode)),
        "earlier": list(rows_of(scene, earlier[:5])),
        "reply": _fate(scene, told),
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
    return shown, evidence_chart(points, marks, clock, last.site)


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
        yield "found by", evidence.detector.replace("_", " ")
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


def _timeline(scene: Scene, episode: Episode) -> list[Event]:
    """Newest first; of what happened at once, what it was before who was told."""
    people, incident = scene.view.people, episode.last.incident
    told = (_notice(notice) for notice in people.notices(incident))
    asked = (_asked(one, people.reply(one.command_id)) for one in people.commands(incident))
    steps = [_step(scene, *folded) for folded in _folded(episode.steps)]
    events = [*steps, *told, *(event for event in asked if event is not None)]
    return sorted(events, key=lambda one: one.at, reverse=True)


def _folded(steps: list[Step]) -> Iterator[tuple[Step, int]]:
    """Each step with how many it stands for: of a run of updates only the newest is told."""
    run = 0
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        run += 1
        if step.reason == "updated" and after is not None and after.reason == "updated":
            continue
        yield step, run
        run = 0


def _step(scene: Scene, step: Step, times: int) -> Event:
    said = words.REASONS[step.reason]
    if times > 1:
        said = f"{said}, {times} times until then"
    if step.reason == "severity_changed":
        said = f"{said} {step.severity}"
    note = step.note if scene.viewer is not None else None
    if step.note and note is None:
        said = f"{said} (log in to read what was written)"
    return Event(step.at, step.state, said, step.actor, note)


def _notice(notice: Notice) -> Event:
    said = f"{notice.receiver}: {_TELLS.get(notice.action, notice.action)}"
    if notice.why in _AGAIN:
        said = f"{said}, {_AGAIN[notice.why]}"
    return Event(notice.at, "notice", said if notice.disturb else f"{said}, quietly")


def _asked(command: Command, reply: Reply | None) -> Event | None:
    """Commands that are no transition: silences, and whatever was refused."""
    if reply is not None and reply.accepted and command.action not in ("silence", "unsilence"):
        return None
    what = {"silence": "silence", "unsilence": "end of a silence"}.get(
        command.action, command.action
    )
    if reply is None:
        return Event(command.at, "asked", f"{what}: asked for", command.actor)
    if reply.accepted:
        return Event(command.at, "asked", what, command.actor)
    said = f"{what}: refused ({reply.reason.replace('_', ' ')})"
    return Event(command.at, "refused", said, command.actor)


def _fate(scene: Scene, told: str | None) -> tuple[str, str] | None:
    """What became of a command: tone and words."""
    command = scene.view.people.command(told) if told else None
    if command is None or told is None:
        return ("waiting", "Sent. The worker has not said yet what became of it.") if told else None
    reply = scene.view.people.reply(told)
    what = command.action.replace("_", " ")
    if reply is None:
        return "waiting", f"Sent: {what}. The worker has not said yet what became of it."
    if reply.accepted:
        return "done", f"Done: {what}, by {command.actor}."
    return "refused", f"Refused: {what}, because {reply.reason.replace('_', ' ')}."
