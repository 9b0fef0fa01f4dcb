"""What the commands that follow a topic have in common: options, signals, the status page."""

import argparse
import asyncio
import logging
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

from prometheus_client import CollectorRegistry

from schemas.config import Config
from schemas.config_file import ConfigError
from streams.cli.arguments import BadInput, CannotListen
from streams.cli.http_option import http_address
from streams.kafka.follower import Follower
from streams.status_server import Address, StatusServer

log = logging.getLogger("radvigil.follower")


def add_options(parser: argparse.ArgumentParser, table: str) -> None:
    """`--only`, `--http`, `--log-json`; `table` is the one of the configuration."""
    parser.add_argument("--only", metavar="NAME", help=f"only this one of the [[{table}]]")
    parser.add_argument(
        "--http",
        type=http_address,
        metavar="HOST:PORT",
        help="serve /metrics, /healthz and /readyz there; port 0 is any free one",
    )
    parser.add_argument("--log-json", action="store_true", help="log lines as JSON objects")


class Named(Protocol):
    """What the configuration has several of."""

    @property
    def name(self) -> str:
        """What `--only` calls it."""


One = TypeVar("One", bound=Named)


def chosen(tables: Sequence[One], arguments: argparse.Namespace, none: str) -> list[One]:
    """Those that `--only` leaves. Raises ConfigError, with `none` where there are none at all."""
    if not tables:
        raise ConfigError(arguments.config, [none])
    left = [one for one in tables if arguments.only in (None, one.name)]
    if not left:
        raise ConfigError("--only", [f"there are {', '.join(one.name for one in tables)}"])
    return left


def needs_a_kafka(config: Config, what: str) -> None:
    """Raise BadInput where the broker lives within another process."""
    if config.broker == "embedded":
        raise BadInput(
            f"broker is embedded: its {what} live and end with the worker. Set broker to the "
            "address that the worker logged, or to a Kafka"
        )


async def follow(
    followers: Sequence[Follower], http: Address | None, registry: CollectorRegistry
) -> None:
    """All of them until SIGTERM or SIGINT. Raises CannotListen."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        if http is not None:
            await _listen(stack, http, registry, followers)
        for one in followers:
            log.info("following as %s", one.group)
        await asyncio.gather(*(one.run(stopping) for one in followers))


async def _listen(
    stack: AsyncExitStack,
    http: Address,
    registry: CollectorRegistry,
    followers: Sequence[Follower],
) -> None:
    server = StatusServer(
        http,
        registry,
        obstacles=lambda: [
            f"{one.group}: not yet in its group" for one in followers if not one.ready
        ],
        partitions=lambda: sorted(number for one in followers for number in one.partitions),
    )
    try:
        await stack.enter_async_context(server)
    except OSError as error:
        raise CannotListen(f"{http}: {error.strerror or error}") from None
    log.info("listening http://%s", server.listening)


def now_us() -> int:
    """The wall clock."""
    return time.time_ns() // 1000
