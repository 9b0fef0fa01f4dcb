"""`radvigil incidents`: what is open, read from the incidents topic."""

import argparse
import asyncio
import sys
import time
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from rich.console import Console, Group
from rich.live import Live

from schemas.config import Config
from schemas.decoding import encode
from schemas.incident import Incident
from streams.cli.arguments import BadInput, add_config, config_of, hush, site_name
from streams.clock import from_us
from streams.incident_board import IncidentBoard, sentence, table, told
from streams.incidents.imdrf import suggested
from streams.kafka.incident_log import IncidentLog, NoIncidents

_POLL_S = 1.0
_EXAMPLES = """examples:
  radvigil incidents --config radvigil.toml                    what is open, worst first
  radvigil incidents --config radvigil.toml --follow           ... and then what happens
  radvigil incidents --config radvigil.toml --json --all | jq .title

It reads the topic as any consumer can, and joins no group. On a pipe, --follow prints a line for
each transition. Times are UTC. Ctrl-C ends it.
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "incidents",
        description="Show the incidents that are open, worst first.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="one JSON object a line, as on Kafka; with suggested IMDRF codes",
    )
    parser.add_argument("--follow", action="store_true", help="go on with what comes")
    parser.add_argument("--site", type=site_name, metavar="SITE", help="of this site only")
    parser.add_argument("--all", action="store_true", help="the resolved and closed ones too")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read to the end of the topic and show; then follow, if asked to."""
    config = config_of(arguments)
    if config.broker == "embedded":
        raise BadInput(
            "broker is embedded: its incidents live and end with the worker. Set broker to the "
            "address that the worker logged, or to a Kafka"
        )
    hush("aiokafka")
    try:
        asyncio.run(_show(config, arguments))
    except NoIncidents as error:
        raise BadInput(str(error)) from None
    except KeyboardInterrupt:
        if not arguments.follow:
            raise
    return 0


async def _show(config: Config, arguments: argparse.Namespace) -> None:
    board = IncidentBoard(arguments.site)
    async with IncidentLog(config) as log:
        async for incident in log.written():
            board.take(incident)
        if arguments.follow and not arguments.json and sys.stdout.isatty():
            await _live(log, board, over=arguments.all)
            return
        _print_now(board, arguments)
        while arguments.follow:
            for incident in await log.next(_POLL_S):
                if board.take(incident):
                    _print_transition(incident, arguments)
        if log.unreadable:
            print(
                f"{log.unreadable} messages of {log.topic} are no incidents of this version",
                file=sys.stderr,
            )


def _print_now(board: IncidentBoard, arguments: argparse.Namespace) -> None:
    incidents, now = board.incidents(over=arguments.all), _now()
    if arguments.json:
        for incident in incidents:
            _write(incident)
        sys.stdout.flush()
        return
    rows = [board.row(incident, now) for incident in incidents]
    if sys.stdout.isatty():
        Console().print(table(rows) if rows else "", end="")
    else:
        print("\n".join(row.line for row in rows), end="\n" if rows else "")
    print(sentence(*board.counts()), flush=True)


def _print_transition(incident: Incident, arguments: argparse.Namespace) -> None:
    if arguments.json:
        _write(incident)
        sys.stdout.flush()
    else:
        print(told(incident), flush=True)


def _write(incident: Incident) -> None:
    """As on Kafka, and with the codes that may be reported."""
    coded = replace(incident, suggested_codes=suggested(incident))
    sys.stdout.buffer.write(encode(coded) + b"\n")


async def _live(log: IncidentLog, board: IncidentBoard, *, over: bool) -> None:
    with Live(console=Console(), auto_refresh=False, screen=False) as live:
        while True:
            now = _now()
            rows = [board.row(incident, now) for incident in board.incidents(over=over)]
            said = f"{sentence(*board.counts())} Read at {now:%H:%M:%SZ}; Ctrl-C ends it."
            live.update(Group(table(rows), said) if rows else Group(said), refresh=True)
            for incident in await log.next(_POLL_S):
                board.take(incident)


def _now() -> datetime:
    return from_us(time.time_ns() // 1000)
