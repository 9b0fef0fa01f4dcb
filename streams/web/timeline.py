"""What happened to an incident, and what became of what people asked for. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from schemas.command import Command
from schemas.reply import Reply
from streams.web import words
from streams.web.pages import Scene
from streams.web.view_incidents import Episode, Step
from streams.web.view_people import Notice

_TELLS = {
    "open": "was told",
    "update": "was told again",
    "resolve": "was told that it is over",
}
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


def timeline(scene: Scene, episode: Episode) -> list[Event]:
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
    said = f"{notice.receiver} {_TELLS[notice.action]}"
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


def fate(scene: Scene, told: str | None) -> tuple[str, str] | None:
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
