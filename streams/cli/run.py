"""`radvigil run`: a worker, until it is stopped."""

import argparse
import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web

from schemas.config import Config
from schemas.config_file import load
from streams import logs, serve
from streams.cli.arguments import CannotListen, add_config
from streams.cli.http_option import add_http
from streams.companions import beside
from streams.delivery.service_metrics import DeliveryMetrics
from streams.engine import from_environment
from streams.fan_out import FanOut
from streams.metrics import Metrics
from streams.standing import Standing
from streams.status_server import Address, StatusServer
from streams.watchdog import Pulse
from streams.web.opening import page_of, tell_token

log = logging.getLogger("radvigil.run")

_EXAMPLES = """examples:
  radvigil run --config radvigil.toml --http 0.0.0.0:9100
  radvigil run --config radvigil.toml --http 127.0.0.1:0 --log-json

Every worker is the same: start as many as there are partitions, at most. Logs go to stderr; the
line with `listening http://HOST:PORT` tells the address. What is missing of the topics is created
where the broker allows it.

exit status:
  0  stopped by SIGTERM or SIGINT, after a last checkpoint
  2  the command line or the configuration is wrong
  4  the topics or the state do not fit the configuration; nothing was changed
  5  the engine failed on the embedded broker, whose data is gone with it
  6  stopping took too long and was cut off; nothing is lost
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "run",
        description="Run a worker: events from Kafka become outcomes and incidents.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    add_http(parser)
    parser.add_argument("--log-json", action="store_true", help="log lines as JSON objects")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work until told to stop."""
    logs.configure(as_json=arguments.log_json)
    config = load(arguments.config)
    asyncio.run(_work(config, arguments.http))
    return serve.EXIT_STOPPED


async def _work(config: Config, http: Address | None) -> None:
    metrics, standing, pulse = Metrics(config), Standing(config.clock.stale_after_s), Pulse()
    async with AsyncExitStack() as stack:
        told = DeliveryMetrics(metrics.registry)
        near = await stack.enter_async_context(beside(config, pulse, told, page=config.web.address))
        companions = near.companions
        if http is not None:
            page, made = page_of(config)
            companions = [*companions, page]
            more = (near.add_to, page.add_to)
            tell_token(str(await listen(stack, http, metrics, standing, more)), made)
        telemetry = FanOut(metrics, standing, pulse)
        await serve.work(config, from_environment(), telemetry, companions)


async def listen(
    stack: AsyncExitStack,
    http: Address,
    metrics: Metrics,
    standing: Standing,
    more: Iterable[Callable[[web.Application], object]] = (),
) -> Address:
    """Serve HTTP until the stack closes; the address that it got. Raises CannotListen."""
    server = StatusServer(
        http,
        metrics.registry,
        obstacles=standing.obstacles,
        partitions=lambda: standing.partitions,
        more=more,
    )
    try:
        await stack.enter_async_context(server)
    except OSError as error:
        raise CannotListen(f"{http}: {error.strerror or error}") from None
    log.info("listening http://%s", server.listening)
    return server.listening
