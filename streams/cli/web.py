"""`radvigil web`: the live page by itself, beside the workers; as many copies as you like."""

import argparse
import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web

from schemas.config import Config
from streams import logs
from streams.cli.arguments import BadInput, CannotListen, add_config, config_of
from streams.cli.http_option import add_http
from streams.engine import Engine
from streams.status_server import Address
from streams.web.opening import page_of, tell_token

log = logging.getLogger("radvigil.web")
_EXAMPLES = """examples:
  radvigil web --config radvigil.toml --http 127.0.0.1:9200
  RADVIGIL_WEB_TOKEN=... radvigil web --config radvigil.toml --http 0.0.0.0:9200

It reads the topics as any consumer can, and joins no group. TLS is the reverse proxy's. Who acts
logs in with the token of [web] token_env or token_file; without one, one is made and printed here.
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "web",
        description="Serve the live page of a deployment.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    add_http(parser)
    parser.add_argument("--log-json", action="store_true", help="log lines as JSON objects")
    parser.set_defaults(run=run, http=Address("127.0.0.1", 9200))


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    logs.configure(as_json=arguments.log_json)
    config = config_of(arguments)
    if config.broker == "embedded":
        raise BadInput(
            "broker is embedded: it lives in the worker. `radvigil run --http` serves the page "
            "there; or set broker to the address that the worker logged"
        )
    asyncio.run(_serve(config, arguments.http))
    return 0


async def _serve(config: Config, http: Address) -> None:
    page, made = page_of(config)
    app = web.Application()
    page.add_to(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, http.host, http.port).start()
        except OSError as error:
            raise CannotListen(f"{http}: {error.strerror or error}") from None
        address = Address(*runner.addresses[0][:2])
        log.info("listening http://%s", address)
        tell_token(str(address), made)
        await page.run(config, Engine(), stopped)
