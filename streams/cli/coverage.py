"""`radvigil coverage`: what is watched by what, what is not, and which reference is not ready."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from aiokafka.errors import KafkaError

from schemas.config import Config
from schemas.topics import STATE
from schemas.web import WebSettings
from streams import state
from streams.cli.arguments import BadInput, add_config, config_of, hush
from streams.clock import from_us
from streams.incident_board import printable
from streams.kafka.changelog import last_values
from streams.kafka.connection import no_answer
from streams.silence.feed import Feed
from streams.web.coverage import Coverage
from streams.web.freshness import Freshness
from streams.web.page_coverage import coverage_page
from streams.web.pages import Scene
from streams.web.reader import Reader
from streams.web.view import View
from streams.web.words import Clockface

ANSWER_S = 20.0
READ_S = 300.0
_LOOK_S = 0.2
_SHOWN = 20
_FEED = b'["feed/1",'
_EXAMPLES = """examples:
  radvigil coverage --config radvigil.toml            gaps first, then models, sites and feeds
  radvigil coverage --config radvigil.toml --json | jq .gaps

It reads the topics as any consumer can, and joins no group. Models, sites and series are those of
the last 14 days; feeds those that the shards remember. Times are UTC.
"""


class FeedLine(NamedTuple):
    """One feed; `watched` once its hours are known well enough for silence to be told."""

    site: str
    type: str
    model: str
    station: str
    watched: bool
    last: str


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "coverage",
        description="Show which models, sites and feeds are watched by what, and which are not.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read what there is and show it."""
    config = config_of(arguments)
    if config.broker == "embedded":
        raise BadInput(
            "broker is embedded: what it has lives and ends with the worker. Set broker to the "
            "address that the worker logged, or to a Kafka"
        )
    hush("aiokafka", "radvigil.web")
    try:
        found, feeds = asyncio.run(_read(config))
    except (KafkaError, OSError, TimeoutError) as error:
        raise BadInput(no_answer(config.broker, error)) from None
    if arguments.json:
        sys.stdout.write(as_json(found, feeds) + "\n")
    else:
        print("\n".join(map(printable, lines(found, feeds))))
    return 0


async def _read(config: Config) -> tuple[Coverage, list[FeedLine]]:
    settings = WebSettings()
    view = View(config, settings)
    reader = Reader(settings, view)
    reading = asyncio.create_task(reader.run(config))
    try:
        await _whole(reader, config)
        partitions = reader.reading.partitions or 0
        topic = STATE.name(config.prefix)
        values = [
            await last_values(config, topic, number, check_crcs=False)
            for number in range(partitions)
        ]
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    clock = Clockface(config, time.time_ns() // 1000)
    fresh = Freshness("live", "", frozenset(), partitions)
    page = coverage_page(Scene(config, settings, view, clock, fresh, None))
    return page["coverage"], sorted(line for value in values for line in feeds_of(value))


async def _whole(reader: Reader, config: Config) -> None:
    """Until all that was there is read."""
    began_s = time.monotonic()
    while reader.reading.heard_us is None or reader.reading.share < 1:
        waited_s = time.monotonic() - began_s
        if reader.reading.heard_us is None and waited_s > ANSWER_S:
            raise BadInput(
                f"nothing can be read of {config.prefix} at {config.broker}: the broker does not "
                "answer, or the configuration's prefix is another"
            )
        if waited_s > READ_S:
            raise BadInput(f"the topics could not be read to their ends in {READ_S:.0f} s")
        await asyncio.sleep(_LOOK_S)


def feeds_of(values: dict[bytes, bytes]) -> Iterator[FeedLine]:
    """The feeds that a shard remembers, out of its state."""
    own = [(key, value) for key, value in values.items() if key.startswith(_FEED)]
    for _, feed in state.read(own):
        assert isinstance(feed, Feed)
        site, kind, model, station = feed.id
        last = from_us(feed.last_us - feed.last_us % 1_000_000).isoformat()
        yield FeedLine(site, kind, model, station, feed.days > 0, last.replace("+00:00", "Z"))


def as_json(found: Coverage, feeds: list[FeedLine]) -> str:
    """One object, with objects for the rows."""
    told: dict[str, Any] = {
        name: [one._asdict() for one in getattr(found, name)]
        for name in ("models", "sites", "unready", "weak")
    }
    told |= {
        "gaps": found.gaps,
        "series_watched": found.series_watched,
        "series_all": found.series_all,
        "feeds": [one._asdict() for one in feeds],
    }
    return msgspec.json.encode(told).decode()


def lines(found: Coverage, feeds: list[FeedLine]) -> Iterator[str]:
    """As a person reads it, the gaps first."""
    yield f"{len(found.gaps)} gaps" if len(found.gaps) != 1 else "1 gap"
    yield from (f"  {gap}" for gap in found.gaps)
    yield f"models  {'results due at':24} series watched / learning"
    for model in found.models:
        sites = ", ".join(model.sites_day) or "-"
        yield f"  {model.model:20}  {sites:24} {model.watched} / {model.learning}"
    yield f"sites   {'results due in a day':24} series watched / learning"
    for site in found.sites:
        yield f"  {site.site:20}  {site.results_day:<24} {site.watched} / {site.learning}"
    watched = [one for one in feeds if one.watched]
    yield f"feeds   {len(watched)} of {len(feeds)} are watched for silence"
    yield from _some([_feed(one) for one in feeds if not one.watched])
    ready = f"{found.series_watched} of {found.series_all} series are watched"
    yield f"references not ready: {len(found.unready)}; {ready}"
    yield from _some(
        [
            f"{one.subject} of {one.model or 'the studies'} at {one.site}: {one.n} of {one.needed}"
            for one in found.unready
        ]
    )
    yield from (f"{one.subject} at {one.site}: {one.why}" for one in found.weak[:_SHOWN])


def _feed(one: FeedLine) -> str:
    of = one.model or one.station
    return f"{one.type}{f' of {of}' if of else ''} at {one.site}: too few hours yet"


def _some(rows: list[str]) -> Iterator[str]:
    yield from (f"  {row}" for row in rows[:_SHOWN])
    if len(rows) > _SHOWN:
        yield f"  and {len(rows) - _SHOWN} more"
