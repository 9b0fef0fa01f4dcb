"""The words of commands: times as a person writes them, and replies as a person reads them."""

import argparse
import re
from datetime import datetime, timedelta

from schemas.command import Command
from schemas.reply import Reply
from streams.cli.arguments import moment

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_LENGTH = re.compile(r"(?:\d+[dhms])+")
_LONGEST = 256  # of a text on the wire
MATCHED = ("kind", "model", "subject", "severity", "owner", "site")
_WHY = {
    "unknown_incident": "no such incident there, or a later one has taken its place",
    "stale_seq": "it has changed since",
    "no_transition": "that cannot be done to it where it stands",
    "nothing_matched": "no live incident of the site matches, nor for a rebaseline a series",
    "unknown_field": "a silence cannot match one of these fields",
    "unknown_silence": "no silence in force is the one meant",
    "no_until": "it needs an end, --until",
    "too_late": "its end has passed",
    "too_long": "its end is more than 30 days away",
    "too_many": "the site has as many silences as there may be",
}


def until(text: str) -> timedelta | datetime:
    """A length such as `2h` or `1d12h`, or an RFC 3339 time, for argparse.

    >>> until("1h30m")
    datetime.timedelta(seconds=5400)
    """
    if _LENGTH.fullmatch(text):
        parts = re.findall(r"(\d+)([dhms])", text)
        try:
            return sum((timedelta(**{_UNITS[u]: int(n)}) for n, u in parts), timedelta())
        except OverflowError:
            raise argparse.ArgumentTypeError("longer than time can be counted") from None
    try:
        return moment(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            "neither a length like 30m, 2h or 1d12h nor a time like 2026-01-05T12:00:00Z"
        ) from None


def matcher(text: str) -> tuple[str, str]:
    """`name=value`, for argparse.

    >>> matcher("subject=scanner.station=CT2")
    ('subject', 'scanner.station=CT2')
    """
    name, equals, value = text.partition("=")
    if not name or not equals or len(text) > _LONGEST:
        raise argparse.ArgumentTypeError("not of the form name=value, as in model=ptx")
    if name not in MATCHED:
        raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(MATCHED)}")
    return name, value


def bounded(text: str) -> str:
    """A text that fits the wire, for argparse."""
    if not 0 < len(text) <= _LONGEST:
        raise argparse.ArgumentTypeError(f"not of 1 to {_LONGEST} characters")
    return text


def told(reply: Reply, command: Command) -> str:
    """A reply in a sentence."""
    about = f" (seq {reply.seq})" if reply.seq else ""
    if reply.reason == "repeated":
        before = "accepted" if reply.accepted else "rejected"
        return f"{before}: {reply.action}, {command.command_id} was taken before"
    if not reply.accepted:
        return f"rejected: {reply.action}, {reply.reason}: {_WHY[reply.reason]}{about}"
    if reply.action in ("silence", "maintain") and command.until is not None:
        return (
            f"accepted: {reply.action} until {command.until:%Y-%m-%d %H:%M:%SZ}, now matches "
            f"{reply.affected_n}; to end it: "
            f"radvigil unsilence --site {reply.site} --id {reply.command_id}"
        )
    if reply.action == "unsilence":
        return "accepted: unsilence"
    what = f"incident {reply.incident}{about}" if reply.incident else f"{reply.affected_n} affected"
    return f"accepted: {reply.action}, {what}"
