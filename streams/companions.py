"""What runs beside a worker: delivery, what comes back from receivers, the dead man's switch."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web

from schemas.config import Config
from schemas.routing import Alertmanager, Email, PagerDuty, Slack
from schemas.secrets import read_secret
from streams.delivery.backchannel import BackChannel
from streams.delivery.sender import Connection, Sender, to_stderr
from streams.delivery.service import Delivery, everybody
from streams.delivery.service_edge import Telemetry
from streams.watchdog import Pulse, Watch
from streams.worker import Companion


class Beside(NamedTuple):
    """What is started with the worker, and what it adds to the worker's HTTP server."""

    companions: list[Companion]
    add_to: Callable[[web.Application], object]


@asynccontextmanager
async def beside(
    config: Config,
    pulse: Pulse,
    telemetry: Telemetry | None = None,
    *,
    page: str = "",
    write_line: Callable[[bytes], None] = to_stderr,
) -> AsyncIterator[Beside]:
    """Everything that the configuration asks for. Raises MissingSecret.

    `page` is the address of the live page, for links; `write_line` takes the lines of receivers of
    kind `log`.
    """
    back = BackChannel(config, telemetry, users=_users(config))
    url = read_secret(config.watchdog, "url", "watchdog")
    receivers, connections = everybody(config), _connections(config)
    async with Sender(receivers, connections, write_line=write_line) as carrier:
        delivery = Delivery(config, carrier, telemetry, page=page)
        companions: list[Companion] = [delivery, back]
        if url is not None or config.watchdog.alertmanagers:
            managers = [one for one in config.receivers if isinstance(one, Alertmanager)]
            watch = Watch(config.watchdog, url, pulse, carrier, delivery.obstacles, managers)
            companions.append(watch)
        yield Beside(companions, lambda app: app.router.add_routes(back.routes()))


def _users(config: Config) -> dict[str, dict[str, str]]:
    return {one.name: one.users for one in config.receivers if isinstance(one, Slack | PagerDuty)}


def _connections(config: Config) -> dict[str, Connection]:
    return {
        one.name: Connection(
            one.proxy, one.ca_file, one.tls if isinstance(one, Email) else "starttls"
        )
        for one in config.receivers
    }
