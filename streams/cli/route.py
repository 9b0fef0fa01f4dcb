"""`radvigil route --explain`: what would be told of an incident, to whom, and why not to others."""

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from schemas.incident import Incident
from schemas.routing_checks import routing_warnings
from streams.cli.arguments import BadInput, add_config, config_of, moment
from streams.clock import to_us
from streams.recordings import STDIN, lines
from streams.routing.explain import Explanation, Sent, explain

_NOBODY = 3
_EXAMPLES = """examples:
  radvigil route --config radvigil.toml --explain incident.json
  radvigil incidents --config radvigil.toml --json | tee open.jsonl | head -1 |
    radvigil route --config radvigil.toml --explain - --incidents open.jsonl
  radvigil route --config radvigil.toml --explain incident.json --at 2026-01-04T02:30:00Z

It talks to nobody: silences and announced maintenance, which only the workers know, are left out.
Times are UTC. Exit status: 0; with --exit-code 3 if nobody would be told within a day; 1 if the
incident cannot be read; 2 bad usage or configuration.
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "route",
        description="Show what would be told of an incident, to whom and when, and why not to "
        "others.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument(
        "--explain", required=True, metavar="INCIDENT", help="an incident, JSON; - is stdin"
    )
    parser.add_argument("--at", type=moment, metavar="TIME", help="as if it happened at TIME")
    parser.add_argument(
        "--incidents", metavar="FILE", help="others, JSON lines; the newest state of each counts"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--exit-code", action="store_true", help="exit with 3 if nobody is told")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read, explain and print."""
    config = config_of(arguments)
    incident = _incident(_text(arguments.explain), arguments.explain)
    others = _newest(arguments.incidents) if arguments.incidents else {}
    at_us = to_us(arguments.at or incident.at)
    explained = explain(config, incident, others.values(), at_us)
    if arguments.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(explained), indent=2).decode())
        print()
    else:
        print("\n".join(_lines(explained)))
    for warning in routing_warnings(config):
        print(f"warning: {warning}", file=sys.stderr)
    return _NOBODY if arguments.exit_code and not explained.sent else 0


def _text(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
    except OSError as error:
        raise BadInput(f"{source}: {error.strerror}") from error


def _incident(text: bytes, where: str) -> Incident:
    try:
        return msgspec.json.decode(text, type=Incident)
    except msgspec.DecodeError as error:
        raise BadInput(f"{where}: not an incident: {error}") from None


def _newest(source: str) -> dict[str, Incident]:
    newest: dict[str, Incident] = {}
    for number, line in enumerate(lines(source), start=1):
        if not line:
            continue
        incident = _incident(line, f"{source}:{number}")
        before = newest.get(incident.incident)
        if before is None or before.seq < incident.seq:
            newest[incident.incident] = incident
    return newest


def _lines(explained: Explanation) -> Iterator[str]:
    yield f"incident {explained.incident} at {_time(explained.at)}"
    for route in explained.routes:
        mark = "->" if route.taken else "  "
        yield f"{mark} {route.route} to {', '.join(route.receivers)}: {route.why}"
    if explained.suppressed is not None:
        until = explained.suppressed.until
        for_now = f" until {_time(until)}" if until else " while that lasts"
        yield f"suppressed: {explained.suppressed.why} by {explained.suppressed.by}{for_now}"
    yield "if nothing else happens:" if explained.sent else "nobody is told within a day"
    for sent in explained.sent:
        yield f"  {_sent(sent)}"
    for receiver, why in explained.not_told.items():
        yield f"  {receiver}: not told: {why}"


def _sent(sent: Sent) -> str:
    how = "disturbing" if sent.disturb else "quietly"
    where = ", in the digest of a storm" if sent.digest else ""
    return f"{_time(sent.at)} {sent.receiver}: {sent.action}, {sent.why}, {how}{where}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%SZ}"
