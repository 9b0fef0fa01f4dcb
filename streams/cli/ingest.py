"""`radvigil ingest`: what the hospital already has, as events."""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from aiokafka.errors import KafkaError

from schemas.config import Config
from schemas.config_file import ConfigError
from schemas.secrets import MissingSecret
from streams import ingest
from streams.cli.arguments import BadInput, add_config, config_of, hush
from streams.cli.ingest_links import shared_links
from streams.cli.ingest_server import add_reading, read_server
from streams.cli.ingest_tally import Tally
from streams.ingest import Ingest, Translated, Untranslated, folder, listen, read
from streams.ingest import _fhir_files as fhir_files
from streams.ingest.dicom import Translator as DicomTranslator
from streams.ingest.fhir import Translator as FhirTranslator
from streams.ingest.files import Unreadable, files
from streams.ingest.labeller import BadLexicon
from streams.ingest.pseudonym import BadKey
from streams.ingest.settings import ingest_of, labeller_of, pseudonyms_of
from streams.ingest.sink import Event, Lines, Sink, Topics
from streams.status_server import Address, address
from streams.worklist.desk.study_names import names_writer

_EXAMPLES = """examples:
  radvigil ingest dicom /data/exports --site north > studies.jsonl
  radvigil ingest sr results/*.dcm --config radvigil.toml --to-kafka
  radvigil ingest ups workitems.json --config radvigil.toml --to-kafka
  radvigil ingest dicom /data/exports --site north | radvigil replay --config radvigil.toml -
  radvigil ingest orthanc http://127.0.0.1:8042 --config radvigil.toml --to-kafka
  radvigil ingest orthanc http://127.0.0.1:8042 --site north --once > studies.jsonl
  radvigil ingest fhir /data/bulk-export --config radvigil.toml --to-kafka
  radvigil ingest dicom --listen 0.0.0.0:11112 --aet RADVIGIL --config radvigil.toml --to-kafka

Identifiers leave as keys only (HMAC-SHA-256 under the site's secret), names, dates of birth and
free text not at all. What cannot be translated is counted by reason on stderr; a code that nobody
has mapped is named, so that a row of [[ingest.codes]] can say what it means. Who sends to
`ingest fhir --listen` shows the bearer token that is in RADVIGIL_FHIR_TOKEN.

exit status:
  0  everything was read; what could not be translated was counted
  1  a source that was named is not there or refuses us, or the broker did not take the events
  2  the command line or the configuration is wrong
"""
_BATCH = 500
_SITE = re.compile(r"[a-z0-9-]{1,32}")  # as on the wire
_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # AE, PS3.5 6.2


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "ingest",
        description="Translate what the hospital already has to event lines, or onto the topics.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = sorted({*ingest.kinds(), *read.kinds()})
    parser.add_argument("kind", choices=kinds, help="the standard, or the kind of server")
    told = f"files or folders; the address of a server ({', '.join(read.kinds())})"
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=told)
    parser.add_argument(
        "--listen",
        type=_address,
        metavar="HOST:PORT",
        help=f"receive instead: {', '.join(listen.kinds())}; port 0 is any free one",
    )
    parser.add_argument(
        "--aet",
        type=_title,
        default="RADVIGIL",
        help="our application entity title (DICOM); who calls another one is refused",
    )
    parser.add_argument("--tls-cert", metavar="FILE", help="serve TLS with this certificate, PEM")
    parser.add_argument("--tls-key", metavar="FILE", help="the key of that certificate, PEM")
    add_reading(parser)
    add_config(parser, required=False)
    parser.add_argument("--site", help="whose data; else `ingest.site` of the configuration")
    parser.add_argument(
        "--to-kafka", action="store_true", help="send to the topics, not to standard output"
    )
    parser.add_argument("--no-labels", action="store_true", help="do not label the text of reports")
    parser.set_defaults(run=run)
    parser.trailing = "sources"


def run(arguments: argparse.Namespace) -> int:
    """Translate all sources."""
    config = config_of(arguments)
    if bool(arguments.sources) == bool(arguments.listen):
        raise ConfigError("ingest", ["name sources to read, or else --listen to receive"])
    _check(arguments, config)
    setting = _ingest(config, arguments)
    hush("aiokafka")
    with Tally() as tally:
        try:
            asyncio.run(_work(arguments, config, setting, tally))
        except Unreadable as error:
            raise BadInput(str(error)) from None
        except KafkaError as error:
            told = f"the broker {config.broker} did not take the events: {type(error).__name__}"
            raise BadInput(told) from None
    return 0


def _check(arguments: argparse.Namespace, config: Config) -> None:
    """What argparse alone cannot see."""
    if arguments.listen is not None and arguments.kind not in listen.kinds():
        told = f"only {', '.join(listen.kinds())} can be received"
        raise ConfigError("--listen", [told])
    if arguments.to_kafka and config.broker == "embedded":
        told = "broker is embedded, inside a worker: set it to the address that the worker logged"
        raise ConfigError("--to-kafka", [f"{told}, or to a Kafka"])


async def _work(
    arguments: argparse.Namespace, config: Config, setting: Ingest, tally: Tally
) -> None:
    async with (
        shared_links(config.ingest, setting.links),
        Topics(config) if arguments.to_kafka else Lines() as sink,
    ):
        if arguments.kind in read.kinds():
            await read_server(arguments, config, setting, tally, sink)
        elif arguments.listen is not None:
            await _receive(arguments, config, setting, tally, sink)
        else:
            translated = _translated(arguments.kind, setting, arguments.sources, config)
            await _send(tally.events(translated), sink)


async def _receive(
    arguments: argparse.Namespace, config: Config, setting: Ingest, tally: Tally, sink: Sink
) -> None:
    """Until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    async def safe(translated: Sequence[Translated]) -> None:
        await sink.send(tally.events(translated))

    host, port = arguments.listen.host, arguments.listen.port
    settings = listen.Settings(
        host,
        port,
        config.ingest.stable_s,
        arguments.aet,
        _tls(arguments.tls_cert, arguments.tls_key),
        config.ingest.answer_s,
    )
    async with AsyncExitStack() as stack:
        listener = listen.listener(arguments.kind)(settings, setting, safe)
        try:
            server = await stack.enter_async_context(listener)
        except OSError as error:
            raise ConfigError("--listen", [f"{arguments.listen}: {error.strerror}"]) from None
        print(f"radvigil: listening for {arguments.kind} on {host}:{server.port}", file=sys.stderr)
        await stopping.wait()


def _tls(cert: str | None, key: str | None) -> ssl.SSLContext | None:
    if cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key)
    except OSError as error:
        raise ConfigError("--tls-cert", [f"{cert}: {error.strerror or error}"]) from None
    return context


def _address(written: str) -> Address:
    try:
        return address(written)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _title(written: str) -> str:
    if not written.strip() or not _TITLE.fullmatch(written):
        raise argparse.ArgumentTypeError("not a title of DICOM: 1 to 16 ASCII characters, no \\")
    return written.strip()


async def _send(events: Iterator[Event], sink: Sink) -> None:
    while batch := list(islice(events, _BATCH)):
        await sink.send(batch)


def _ingest(config: Config, arguments: argparse.Namespace) -> Ingest:
    site = arguments.site or config.ingest.site
    if site is None:
        raise ConfigError("--site", ["say whose data these are, here or as `ingest.site`"])
    if not _SITE.fullmatch(site):
        raise ConfigError("--site", ["1 to 32 of a-z, 0-9 and -"])
    try:
        pseudonyms, made = pseudonyms_of(config.ingest)
        labels = None if arguments.no_labels else labeller_of(config.ingest)
    except (MissingSecret, BadKey, BadLexicon) as error:
        raise ConfigError("ingest", [str(error)]) from None
    if made is not None:
        print(
            f"radvigil: NOTE: a new pseudonym secret was made in {made}. Keep it: without it no "
            "key can be found again, and other machines need the same one",
            file=sys.stderr,
        )
    zones = {one.name: one.timezone for one in config.sites}
    zone = zones.get(site) or config.timezone
    found = ingest_of(
        config.ingest,
        pseudonyms,
        site=site,
        timezone=zone,
        from_files=arguments.listen is None and arguments.kind not in read.kinds(),
        labels=labels,
        models=tuple(model.name for model in config.models),
    )
    found.links.told = names_writer(one.keys_file for one in config.worklists)
    return found


def _translated(
    kind: str, setting: Ingest, sources: list[str], config: Config
) -> Iterator[Translated]:
    now = datetime.now(UTC)  # noqa: TID251, the edge has a clock
    translator = ingest.make(kind, setting)
    found = files(sources)
    if isinstance(translator, DicomTranslator):
        results = ingest.make("sr", setting)
        yield from folder.translated(translator, results, found, now, config.ingest.stable_s)
        return
    if isinstance(translator, FhirTranslator):
        yield from fhir_files.read(translator, sources, now)
        return
    for file in found:
        if file.content is None:
            yield file.untranslated or Untranslated("unreadable", "file")
        else:
            yield from translator.translate(file.content, now)
