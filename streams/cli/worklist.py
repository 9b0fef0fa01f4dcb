"""`radvigil worklist`: tells reading rooms that an AI result will not come, or came after all."""

import argparse
import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from schemas.config import Config
from schemas.worklist import Worklist
from streams import logs
from streams.cli.arguments import add_config, config_of
from streams.cli.following import add_options, chosen, follow, needs_a_kafka, now_us
from streams.delivery.surroundings import Surroundings
from streams.status_server import Address
from streams.worklist.desk.carrier import Carrier
from streams.worklist.desk.clerk import Clerk
from streams.worklist.desk.consumer import Desk
from streams.worklist.desk.study_names import StudyNames
from streams.worklist.desk.telemetry import Metrics, Telemetry

log = logging.getLogger("radvigil.worklist")
_EXAMPLES = """examples:
  radvigil worklist --config radvigil.toml
  radvigil worklist --config radvigil.toml --http 0.0.0.0:9111 --log-json
  radvigil worklist --config radvigil.toml --only ris          one of several [[worklist]]

Each [[worklist]] is a consumer group of its own, <prefix>.worklist.NAME; more copies share the
partitions. It tells at least once; told again, a Task or a message changes nothing. Stop and start
it as you like. docs/WORKLIST.md has the rules, and what the keys file is.

exit status:
  0    stopped by SIGTERM or SIGINT
  2    the command line or the configuration is wrong, or it has no [[worklist]]
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "worklist",
        description="Tell worklists what became of AI results: FHIR Tasks, HL7 v2 messages.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    add_options(parser, "worklist")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Follow the outcomes."""
    logs.configure(as_json=arguments.log_json)
    config = config_of(arguments)
    named = chosen(config.worklists, arguments, "there is no [[worklist]]: nobody is to be told")
    needs_a_kafka(config, "outcomes")
    asyncio.run(_follow(config, named, arguments.http))
    return 0


async def _follow(config: Config, named: list[Worklist], http: Address | None) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    async with AsyncExitStack() as stack:
        followers = []
        for one in named:
            carrier = await stack.enter_async_context(Carrier(one))
            telemetry = Telemetry(one.name, metrics)
            around = Surroundings(carrier.send, now_us, asyncio.sleep)
            names = StudyNames(Path(one.keys_file) if one.keys_file else None)
            followers.append(
                Desk(config, one, Clerk(one, around, names, telemetry), telemetry).follower
            )
        await follow(followers, http, registry)
