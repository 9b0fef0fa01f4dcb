"""The part of `radvigil ingest` that reads from a server: once, or following what is new."""

from __future__ import annotations

import argparse
import asyncio
import signal
import ssl
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from schemas.config import Config
from schemas.config_file import ConfigError
from schemas.secrets import MissingSecret, read_secret
from streams.cli.arguments import BadInput
from streams.cli.ingest_tally import Tally
from streams.ingest import Ingest, Translated
from streams.ingest.read import Away, Reader, Refused, reader
from streams.ingest.read._follow import follow, once
from streams.ingest.read._http import Http, Server
from streams.ingest.read._position import Place, WrongPosition, default_file
from streams.ingest.sink import Sink

_PATH = "ingest.server"


def add_reading(parser: argparse.ArgumentParser) -> None:
    """The options of reading from a server."""
    parser.add_argument(
        "--once", action="store_true", help="server: read what is new and end, do not follow"
    )
    parser.add_argument(
        "--every", type=_pause, default=5.0, metavar="SECONDS", help="server: ask so often (5)"
    )
    parser.add_argument(
        "--position",
        type=Path,
        metavar="FILE",
        help="server: go on where this file says, and keep it; else with --to-kafka a file beside "
        "the pseudonym secret, without it always from the beginning",
    )
    parser.add_argument(
        "--from-now",
        action="store_true",
        help="server: where no position is kept yet, leave out what is there already",
    )


async def read_server(
    arguments: argparse.Namespace, config: Config, setting: Ingest, tally: Tally, sink: Sink
) -> None:
    """Read until there is nothing new (--once), or until SIGTERM or SIGINT."""
    server = _server(arguments.sources, config)
    place = _place(arguments, server.url, setting.site)

    async def safe(translated: Sequence[Translated]) -> None:
        await sink.send(tally.events(translated))

    async with Http(server) as get:
        source = reader(arguments.kind)(setting, get, _now, config.ingest.stable_s)
        try:
            if arguments.from_now and place.read() is None:
                place.keep(await source.end())
            if arguments.once:
                await once(source, place, safe)
            else:
                await _until_stopped(source, place, safe, arguments)
        except Away as error:
            raise BadInput(f"{_told(server.url)} does not answer ({error})") from None
        except Refused as error:
            raise BadInput(f"{_told(server.url)}: {error}") from None
        except WrongPosition as error:
            raise BadInput(str(error)) from None


async def _until_stopped(
    source: Reader, place: Place, safe: object, arguments: argparse.Namespace
) -> None:
    following = asyncio.ensure_future(follow(source, place, safe, arguments.every))  # type: ignore[arg-type]
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, following.cancel)
    print(f"radvigil: reading {_told(arguments.sources[0])}", file=sys.stderr)
    with suppress(asyncio.CancelledError):
        await following


def _pause(written: str) -> float:
    try:
        seconds = float(written)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("not seconds from 0.1 to 86400")
    return seconds


def _place(arguments: argparse.Namespace, url: str, site: str) -> Place:
    file: Path | None = arguments.position
    if file is None and arguments.to_kafka:
        file = default_file(arguments.kind, url, site)
    return Place(arguments.kind, url, file)


def _server(sources: Sequence[str], config: Config) -> Server:
    url = sources[0] if len(sources) == 1 else ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("SOURCE", ["name one address, as http://127.0.0.1:8042"])
    if parts.username is not None or parts.password is not None:
        told = "leave name and password out of the address, they would be in the shell's history"
        raise ConfigError("SOURCE", [f"{told}: see [{_PATH}]"])
    section = config.ingest.server
    try:
        username = read_secret(section, "username", _PATH)
        password = read_secret(section, "password", _PATH)
    except MissingSecret as error:
        raise ConfigError(_PATH, [str(error)]) from None
    return Server(url, username, password, _trust(section.ca_file))


def _trust(ca_file: str | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        told = f"{ca_file}: {error.strerror or 'not certificates in PEM'}"
        raise ConfigError(f"{_PATH}.ca_file", [told]) from None


def _told(url: str) -> str:
    """The server without the path, which nobody knows what it holds."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251, the edge has a clock
