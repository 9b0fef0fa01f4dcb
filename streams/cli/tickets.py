"""`radvigil tickets`: a ticket for each incident, in Jira and ServiceNow."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

from prometheus_client import CollectorRegistry

from schemas.config import Config
from schemas.incident import Incident
from schemas.tickets import Tickets
from streams import logs
from streams.cli.arguments import BadInput, add_config, config_of
from streams.cli.following import add_options, chosen, follow, needs_a_kafka, now_us
from streams.delivery.surroundings import Surroundings
from streams.incident_board import printable
from streams.kafka.incident_log import IncidentLog, NoIncidents
from streams.notifiers import Request
from streams.status_server import Address
from streams.ticket_desk.carrier import Carrier
from streams.ticket_desk.clerk import Clerk
from streams.ticket_desk.desk import Desk
from streams.ticket_desk.rehearsal import rehearse
from streams.ticket_desk.telemetry import TicketMetrics

log = logging.getLogger("radvigil.tickets")
_EXAMPLES = """examples:
  radvigil tickets --config radvigil.toml --dry-run            what it would write, and ends
  radvigil tickets --config radvigil.toml --http 0.0.0.0:9110  follow the incidents
  radvigil tickets --config radvigil.toml --only jira          one of several [[tickets]]

Each [[tickets]] is a consumer group of its own, <prefix>.tickets.NAME; more copies share the
partitions. Nothing is kept here: a ticket is found by its incident's id. Stop and start it as you
like. docs/CONSUMERS.md has the rules.

exit status:
  0    stopped by SIGTERM or SIGINT, or the rehearsal is over
  1    --dry-run: the incidents cannot be read
  2    the command line or the configuration is wrong, or it has no [[tickets]]
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "tickets",
        description="Create, comment, reopen and close a ticket for each incident.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument("--dry-run", action="store_true", help="look, print, and write nothing")
    add_options(parser, "tickets")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Follow the incidents, or rehearse."""
    logs.configure(as_json=arguments.log_json)
    config = config_of(arguments)
    named = chosen(config.tickets, arguments, "there is no [[tickets]]: nobody wants any")
    needs_a_kafka(config, "incidents")
    try:
        if arguments.dry_run:
            asyncio.run(_rehearse(config, named))
        else:
            asyncio.run(_follow(config, named, arguments.http))
    except NoIncidents as error:
        raise BadInput(str(error)) from None
    return 0


async def _follow(config: Config, named: list[Tickets], http: Address | None) -> None:
    registry = CollectorRegistry()
    telemetry = TicketMetrics(registry)
    async with AsyncExitStack() as stack:
        followers = []
        for one in named:
            carrier = await stack.enter_async_context(Carrier(one))
            around = Surroundings(carrier.send, now_us, asyncio.sleep)
            clerk = Clerk(one, around, config.web.address, telemetry)
            followers.append(Desk(config, one, clerk, telemetry).follower)
        await follow(followers, http, registry)


async def _rehearse(config: Config, named: list[Tickets]) -> None:
    newest: dict[str, Incident] = {}
    async with IncidentLog(config) as incidents:
        async for incident in incidents.written():
            newest[incident.incident] = incident
    for one in named:
        async with Carrier(one) as carrier:
            n = 0
            for incident in newest.values():
                writes, trouble = await rehearse(one, incident, carrier.send, config.web.address)
                n += bool(writes)
                for line in _lines(one, incident, writes, trouble):
                    print(line, flush=True)
        print(f"{one.name}: {n} of {len(newest)} incidents have something to be written")


def _lines(
    settings: Tickets, incident: Incident, writes: list[Request], trouble: str
) -> Iterator[str]:
    said = f"{settings.name}: {incident.incident} ({incident.kind}, {incident.state})"
    if trouble:
        print(f"{said}: cannot be told: {trouble}", file=sys.stderr)
    for write in writes:
        yield f"{said}: {write.step}: {write.method} {write.url}"
        yield f"  {printable(write.body.decode())}"
