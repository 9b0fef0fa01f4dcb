"""`radvigil worklist`: tells reading rooms that an AI result will not come, or came after all."""

import argparse
import asyncio
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from schemas.config import Config
from schemas.config_file import ConfigError
from schemas.secrets import MissingSecret
from schemas.worklist import Worklist
from streams import logs
from streams.cli.arguments import BadInput, add_config, config_of
from streams.cli.http_option import CannotListen, http_address
from streams.status_server import Address, StatusServer
from streams.worklist.desk.carrier import Carrier
from streams.worklist.desk.clerk import Clerk, Surroundings
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
        help="tell reading rooms that a result will not come",
        description="Tell worklists what became of AI results: FHIR Tasks, HL7 v2 messages.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument("--only", metavar="NAME", help="only this one of the [[worklist]]")
    parser.add_argument(
        "--http",
        type=http_address,
        metavar="HOST:PORT",
        help="serve /metrics, /healthz and /readyz there; port 0 is any free one",
    )
    parser.add_argument("--log-json", action="store_true", help="log lines as JSON objects")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Follow the outcomes."""
    logs.configure(as_json=arguments.log_json)
    config = config_of(arguments)
    chosen = list(_chosen(config, arguments))
    if config.broker == "embedded":
        raise BadInput(
            "broker is embedded: its outcomes live and end with the worker. Set broker to the "
            "address that the worker logged, or to a Kafka"
        )
    try:
        asyncio.run(_follow(config, chosen, arguments.http))
    except MissingSecret as error:
        raise ConfigError(arguments.config, [str(error)]) from None
    except CannotListen as error:
        raise ConfigError("--http", [str(error)]) from None
    return 0


def _chosen(config: Config, arguments: argparse.Namespace) -> Iterator[Worklist]:
    names = [one.name for one in config.worklists]
    if not names:
        raise ConfigError(arguments.config, ["there is no [[worklist]]: nobody is to be told"])
    if arguments.only is not None and arguments.only not in names:
        raise ConfigError("--only", [f"there are {', '.join(names)}"])
    yield from (one for one in config.worklists if arguments.only in (None, one.name))


async def _follow(config: Config, chosen: list[Worklist], http: Address | None) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    async with AsyncExitStack() as stack:
        desks = []
        for one in chosen:
            carrier = await stack.enter_async_context(Carrier(one))
            telemetry = Telemetry(one.name, metrics)
            around = Surroundings(carrier.send, _now_us, asyncio.sleep)
            names = StudyNames(Path(one.keys_file) if one.keys_file else None)
            desks.append(Desk(config, one, Clerk(one, around, names, telemetry), telemetry))
        if http is not None:
            await _listen(stack, http, registry, desks)
        for desk in desks:
            log.info("following the outcomes as %s", desk.group)
        await asyncio.gather(*(desk.run(stopping) for desk in desks))


async def _listen(
    stack: AsyncExitStack, http: Address, registry: CollectorRegistry, desks: list[Desk]
) -> None:
    server = StatusServer(
        http,
        registry,
        obstacles=lambda: [f"{one.group}: not yet in its group" for one in desks if not one.ready],
        partitions=lambda: sorted(number for one in desks for number in one.partitions),
    )
    try:
        await stack.enter_async_context(server)
    except OSError as error:
        raise CannotListen(f"{http}: {error.strerror or error}") from None
    log.info("listening http://%s", server.listening)


def _now_us() -> int:
    return time.time_ns() // 1000
