"""`radvigil ingest`: what the hospital already has, as events."""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from schemas.config import Config
from schemas.config_file import ConfigError
from schemas.secrets import MissingSecret
from schemas.study import Study
from streams import ingest
from streams.cli.arguments import BadInput, add_config, config_of
from streams.ingest import Ingest, Translated, Untranslated
from streams.ingest.assembly import Assembly
from streams.ingest.dicom import Instance
from streams.ingest.dicom import Translator as DicomTranslator
from streams.ingest.files import File, Unreadable, files
from streams.ingest.pseudonym import BadKey
from streams.ingest.settings import ingest_of, keep_links, pseudonyms_of
from streams.ingest.sink import Event, Lines, Sink, Topics

_EXAMPLES = """examples:
  radvigil ingest dicom /data/exports --site north > studies.jsonl
  radvigil ingest sr results/*.dcm --config radvigil.toml --to-kafka
  radvigil ingest dicom /data/exports --site north | radvigil replay --config radvigil.toml -

Identifiers leave as keys only (HMAC-SHA-256 under the site's secret), names, dates of birth and
free text not at all. What cannot be translated is counted by reason on stderr; a code that nobody
has mapped is named, so that a row of [[ingest.codes]] can say what it means.

exit status:
  0  everything was read; what could not be translated was counted
  1  a source that was named is not there, or the broker did not take the events
  2  the command line or the configuration is wrong
"""
_BATCH = 500


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "ingest",
        help="translate DICOM, structured reports, HL7 v2 or FHIR to events",
        description="Translate what the hospital already has to event lines, or onto the topics.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=ingest.kinds(), help="the standard")
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="files or folders")
    add_config(parser, required=False)
    parser.add_argument("--site", help="whose data; else `ingest.site` of the configuration")
    parser.add_argument(
        "--to-kafka", action="store_true", help="send to the topics, not to standard output"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Translate all sources."""
    config = config_of(arguments)
    setting = _ingest(config, arguments.site)
    tally = Tally()
    events = tally.events(_translated(arguments.kind, setting, arguments.sources, config))
    try:
        asyncio.run(_send(events, Topics(config) if arguments.to_kafka else Lines()))
    except Unreadable as error:
        raise BadInput(str(error)) from None
    keep_links(config.ingest, setting.links)
    tally.report()
    return 0


class Tally:
    """What became of the sources."""

    def __init__(self) -> None:
        self._events: Counter[str] = Counter()
        self._untranslated: Counter[Untranslated] = Counter()

    def events(self, translated: Iterable[Translated]) -> Iterator[Event]:
        """Let events through and count the rest."""
        for one in translated:
            if isinstance(one, Untranslated):
                self._untranslated[one] += 1
            else:
                self._events[type(one).__name__.lower()] += 1
                yield one

    def report(self) -> None:
        """Say it on stderr, the most frequent first."""
        told = ", ".join(f"{n} {kind}" for kind, n in sorted(self._events.items())) or "no event"
        print(f"radvigil: {told}", file=sys.stderr)
        for one, n in self._untranslated.most_common(20):
            code = f" {one.code}" if one.code else ""
            print(
                f"radvigil: not translated: {n} x {one.reason}{code} ({one.where})", file=sys.stderr
            )


async def _send(events: Iterator[Event], sink: Sink) -> None:
    batch: list[Event] = []
    async with sink:
        for event in events:
            batch.append(event)
            if len(batch) == _BATCH:
                await sink.send(batch)
                batch = []
        await sink.send(batch)


def _ingest(config: Config, site: str | None) -> Ingest:
    site = site or config.ingest.site
    if site is None:
        raise ConfigError("--site", ["say whose data these are, here or as `ingest.site`"])
    try:
        pseudonyms, made = pseudonyms_of(config.ingest)
    except (MissingSecret, BadKey) as error:
        raise ConfigError("ingest", [str(error)]) from None
    if made is not None:
        print(
            f"radvigil: NOTE: a new pseudonym secret was made in {made}. Keep it: without it no "
            "key can be found again, and other machines need the same one",
            file=sys.stderr,
        )
    zones = {one.name: one.timezone for one in config.sites}
    zone = zones.get(site) or config.timezone
    return ingest_of(config.ingest, pseudonyms, site=site, timezone=zone, from_files=True)


def _translated(
    kind: str, setting: Ingest, sources: list[str], config: Config
) -> Iterator[Translated]:
    now = datetime.now(UTC)  # noqa: TID251, the edge has a clock
    translator = ingest.make(kind, setting)
    read = files(sources)
    if isinstance(translator, DicomTranslator):
        yield from _studies(translator, read, now, config.ingest.stable_s)
        return
    for file in read:
        if file.content is None:
            yield file.untranslated or Untranslated("unreadable", "file")
        else:
            yield from translator.translate(file.content, now)


def _studies(
    translator: DicomTranslator, read: Iterable[File], now: datetime, stable_s: float
) -> Iterator[Translated]:
    """One complete study for all its files."""
    assembly = Assembly(stable_s)
    for file in read:
        found = translator.instance(file.content, now) if file.content else file.untranslated
        if isinstance(found, Instance):
            yield from _complete_only(assembly.add(found, found.study.at))
        else:
            yield found or Untranslated("unreadable", "file")
    yield from _complete_only(assembly.finish())


def _complete_only(studies: Iterable[Study]) -> Iterator[Study]:
    return (study for study in studies if study.state == "complete")
