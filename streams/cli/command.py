"""`radvigil ack`, `resolve`, `silence` and their like: a command is sent, and its reply awaited.

Exit status: 0 accepted, 3 rejected, 1 no reply in time or no broker, 2 bad usage. A command that
was sent without a reply is not lost: it is carried out when a worker gets to it.
"""

import argparse
import asyncio
import getpass
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from schemas.command import Action, Command
from schemas.config import Config
from schemas.decoding import Refused, decode_event, encode
from schemas.incident import Incident
from schemas.reply import Reply
from streams.cli.arguments import BadInput, add_config, config_of, hush, site_name
from streams.cli.command_words import bounded, matcher, told, until
from streams.clock import from_us
from streams.delivery.trouble import NOT_SILENCED, is_about_receiver
from streams.finding import MONITOR_SITE
from streams.incident_board import printable
from streams.incidents.commands import ROUTED
from streams.kafka.command_sender import CommandSender, NotSent
from streams.kafka.incident_log import IncidentLog, NoIncidents

ACCEPTED, UNANSWERED, USAGE, REJECTED = 0, 1, 2, 3
_SHORTEST_PREFIX = 8
_WHOLE_ID = 36


class Verb(NamedTuple):
    """What one word of the command line does."""

    action: Action
    examples: tuple[str, ...]


VERBS = {
    "ack": Verb(
        "acknowledge",
        ("ack 5f7c1d9e --until 4h", "ack --site north --match model=ptx --text 'on my way'"),
    ),
    "unack": Verb("unacknowledge", ("unack 5f7c1d9e",)),
    "resolve": Verb(
        "resolve",
        ("resolve 5f7c1d9e --text 'false alarm'", "resolve 5f7c1d9e --accept"),
    ),
    "silence": Verb(
        "silence",
        ("silence 5f7c1d9e --until 2h", "silence --site north --match model=ptx --until 2h"),
    ),
    "unsilence": Verb(
        "unsilence",
        ("unsilence 5f7c1d9e", "unsilence --site north --id 0b9c1d9e-0c1a-4b7e-9d57-3b1e0f2a4c6d"),
    ),
    "maintain": Verb("maintain", ("maintain --site north --until 90m",)),
    "note": Verb("note", ("note 5f7c1d9e --text 'vendor called'",)),
    "rebaseline": Verb("rebaseline", ("rebaseline --site north --match subject=acquisition.kvp",)),
}
_EPILOG = """examples:
{examples}

An incident is named by its id, or the first 8 characters of it (`radvigil incidents`), or else by
--site and what it matches. The command is kept in the log with your name.

exit status:
  0  accepted
  1  no reply in time, or no broker
  2  the command line or the configuration is wrong
  3  rejected; the answer says why
"""


def add(commands: Any, name: str, summary: str) -> None:
    """Add the command of that name; `summary` is what it does, in a few words."""
    examples = (f"  radvigil {one} --config radvigil.toml" for one in VERBS[name].examples)
    parser = commands.add_parser(
        name,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=_EPILOG.format(examples="\n".join(examples)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    if name != "maintain":
        parser.add_argument("incident", nargs="?", metavar="INCIDENT", help="id, or its beginning")
    parser.add_argument(
        "--match",
        action="append",
        type=matcher,
        metavar="NAME=VALUE",
        help="incidents with this kind, model, subject, severity or owner; may be repeated",
    )
    parser.add_argument(
        "--site", type=site_name, metavar="SITE", help="the site, needed without INCIDENT"
    )
    if name in ("ack", "silence", "maintain"):
        parser.add_argument(
            "--until",
            type=until,
            required=name != "ack",
            metavar="TIME|LENGTH",
            help="the end: 30m, 2h, 1d12h or an RFC 3339 time",
        )
    if name == "unsilence":
        parser.add_argument("--id", dest="text", type=bounded, metavar="ID", help="of the silence")
    else:
        parser.add_argument(
            "--text", type=bounded, required=name == "note", metavar="TEXT", help="kept with it"
        )
    if name == "resolve":
        parser.add_argument(
            "--accept", action="store_true", help="what is now is the normal from here on"
        )
    parser.add_argument("--as", dest="actor", type=bounded, metavar="NAME", help="who you are")
    parser.add_argument(
        "--seq", type=int, metavar="N", help="reject it if the incident has changed since this seq"
    )
    parser.add_argument(
        "--wait", type=float, default=10.0, metavar="SECONDS", help="for the reply (default 10)"
    )
    parser.add_argument("--command-id", type=bounded, metavar="ID", help="acts once, however often")
    parser.add_argument("--json", action="store_true", help="the reply as on Kafka")
    parser.set_defaults(run=run, verb=name, usage=parser.error, text=None, until=None)


def run(arguments: argparse.Namespace) -> int:
    """Find what is aimed at, send, wait and tell."""
    _check(arguments)
    config = config_of(arguments)
    if config.broker == "embedded":
        raise BadInput(
            "broker is embedded: its commands live and end with the worker. Set broker to the "
            "address that the worker logged, or to a Kafka"
        )
    hush("aiokafka")
    try:
        return asyncio.run(_run(config, arguments))
    except (NoIncidents, NotSent) as error:
        raise BadInput(str(error)) from None


def _check(arguments: argparse.Namespace) -> None:
    """What argparse alone cannot see; `usage` ends with status 2."""
    incident, usage = getattr(arguments, "incident", None), arguments.usage
    whole_site = arguments.verb == "maintain" or (arguments.verb == "unsilence" and arguments.text)
    if incident and arguments.match:
        usage("an INCIDENT or --match, not both")
    if incident and len(incident) < _SHORTEST_PREFIX:
        usage(f"INCIDENT: at least {_SHORTEST_PREFIX} characters of the id")
    if not incident and not arguments.match and not whole_site:
        usage("name an INCIDENT, or --site and --match")
    if not incident and not arguments.site:
        usage("--site is needed without an INCIDENT")
    if arguments.seq is not None and (arguments.seq < 1 or not incident):
        usage("--seq is 1 or more, and of an INCIDENT")
    if not 0 <= arguments.wait <= 3600:
        usage("--wait: 0 to 3600 seconds")
    if getattr(arguments, "accept", False) and arguments.text:
        usage("--accept or --text, not both")


async def _run(config: Config, arguments: argparse.Namespace) -> int:
    incident, site = getattr(arguments, "incident", None), arguments.site
    of_delivery = False
    if incident and not (site not in (None, MONITOR_SITE) and len(incident) == _WHOLE_ID):
        found = await _find(config, incident.lower(), site)
        if len(found) > 1:
            arguments.usage(f"INCIDENT: {incident} is the beginning of {len(found)} ids")
        if not found:
            return _rejected(arguments, f"no incident's id begins with {printable(incident)}")
        of_delivery = is_about_receiver(found[0])
        if of_delivery and VERBS[arguments.verb].action in ROUTED:
            return _rejected(arguments, NOT_SILENCED)
        incident, site = found[0].incident, found[0].site
    command = _command(arguments, incident, site, from_us(time.time_ns() // 1000))
    async with CommandSender(config, command.site, of_delivery=of_delivery) as sender:
        await sender.send(command)
        reply = await sender.reply(command.command_id, arguments.wait)
    return _tell(reply, command, arguments)


async def _find(config: Config, prefix: str, site: str | None) -> list[Incident]:
    found: dict[str, Incident] = {}
    async with IncidentLog(config) as log:
        async for incident in log.written():
            if incident.incident.startswith(prefix) and site in (None, incident.site):
                found[incident.incident] = incident
    return list(found.values())


def _command(
    arguments: argparse.Namespace, incident: str | None, site: str, now: datetime
) -> Command:
    try:
        end = now + arguments.until if isinstance(arguments.until, timedelta) else arguments.until
    except OverflowError:
        arguments.usage("--until: later than any calendar")
    if end is not None and end <= now:
        arguments.usage("--until: that has passed")
    command = Command(
        command_id=arguments.command_id or str(uuid.uuid4()),
        site=site,
        action=VERBS[arguments.verb].action,
        actor=arguments.actor or user(),
        at=now,
        incident=incident,
        matchers=None if incident else dict(arguments.match or [("site", site)]),
        expected_seq=arguments.seq,
        until=None if end is None else end.astimezone(UTC),
        origin="cli",
        text="accepted" if getattr(arguments, "accept", False) else arguments.text,
    )
    taken = decode_event(encode(command))  # as a worker will, who would only count it
    if isinstance(taken, Refused):
        arguments.usage(f"{taken.path.removeprefix('$.')}: expected {taken.expected}")
    return command


def user() -> str:
    """Who gives a command, by the environment. Raises BadInput."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise BadInput("the environment names no user: say who you are with --as NAME") from None


def _rejected(arguments: argparse.Namespace, why: str) -> int:
    """Without having been sent."""
    if arguments.json:
        rejected = {"accepted": False, "reason": "unknown_incident"}
        print(msgspec.json.encode(rejected).decode())
    else:
        print(f"rejected: {why}")
    return REJECTED


def _tell(reply: Reply | None, command: Command, arguments: argparse.Namespace) -> int:
    if reply is None:
        within = f"no reply within {arguments.wait:g} s" if arguments.wait else "not waited for"
        print(
            f"sent, {within}: it is carried out when a worker gets to it. To ask again: "
            f"--command-id {command.command_id}",
            file=sys.stderr,
        )
        return UNANSWERED if arguments.wait else ACCEPTED
    words = msgspec.json.encode(reply).decode() if arguments.json else told(reply, command)
    print(printable(words))
    return ACCEPTED if reply.accepted else REJECTED
