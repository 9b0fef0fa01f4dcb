"""What a person asks for on an incident's page, as a command. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.command import Action, Command
from schemas.incident import Incident
from streams.delivery.trouble import NOT_SILENCED, is_about_receiver
from streams.incidents.commands import ROUTED
from streams.web.view_incidents import FALSE_ALARM

LONGEST_TEXT = 256
ENDS_H = {"1 h": 1, "4 h": 4, "12 h": 12, "24 h": 24, "7 days": 168}
WHYS = {
    "fixed": "It is fixed",
    FALSE_ALARM: "It was a false alarm",
    "accepted": "This is normal now",
}


class Asked(NamedTuple):
    """Who asks what, when; `form` as it was posted."""

    actor: str
    form: Mapping[str, str]
    command_id: str
    now: datetime


class NotUnderstood(Exception):
    """A form that asks for nothing that can be done; the message says what to do."""


def command(incident: Incident, asked: Asked) -> Command:
    """The command of a form about an incident. Raises NotUnderstood."""
    action = asked.form.get("action", "")
    if action in ROUTED and is_about_receiver(incident):
        raise NotUnderstood(NOT_SILENCED)
    if action == "acknowledge":
        return _command(incident, asked, "acknowledge", until=_until(asked))
    if action == "unacknowledge":
        return _command(incident, asked, "unacknowledge")
    if action == "silence":
        return _command(incident, asked, "silence", until=_until(asked))
    if action == "unsilence":
        return _command(incident, asked, "unsilence")
    if action == "note":
        return _command(incident, asked, "note", text=_note(asked))
    if action == "resolve":
        why = asked.form.get("why", "")
        if why not in WHYS:
            raise NotUnderstood("Say why it is over: fixed, a false alarm, or normal from now on.")
        return _command(incident, asked, "resolve", text=why)
    raise NotUnderstood("Nothing is known by that name.")


def _command(
    incident: Incident,
    asked: Asked,
    action: Action,
    *,
    until: datetime | None = None,
    text: str | None = None,
) -> Command:
    return Command(
        command_id=asked.command_id,
        site=incident.site,
        action=action,
        actor=asked.actor,
        at=asked.now,
        incident=incident.incident,
        until=until,
        origin="web",
        text=text,
    )


def _until(asked: Asked) -> datetime:
    hours = ENDS_H.get(asked.form.get("until", ""))
    if hours is None:
        raise NotUnderstood("Say how long: one of the lengths that are offered.")
    return asked.now + timedelta(hours=hours)


def _note(asked: Asked) -> str:
    text = " ".join(asked.form.get("text", "").split())
    if not 0 < len(text) <= LONGEST_TEXT:
        raise NotUnderstood(f"A note has 1 to {LONGEST_TEXT} characters.")
    return text
