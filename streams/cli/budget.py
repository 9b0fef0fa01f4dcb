"""`radvigil budget`: the account of the one false-alarm promise, from the state and incidents."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
from aiokafka.errors import CorruptRecordException, KafkaError

from schemas.config import Config
from streams.account import ShardPart, SiteAccount, Statement, shard_part, statement
from streams.cli.arguments import BadInput, add_config, config_of
from streams.cli.shard_state import partitions_n
from streams.clock import from_us
from streams.incident_board import printable
from streams.kafka.changelog import last_values
from streams.kafka.connection import no_answer
from streams.kafka.incident_log import IncidentLog, NoIncidents
from streams.series.account import SLOWEST_N, Delay, SeriesAccount, slowest
from streams.shard import META_KEY
from streams.shard_topics import shard_topics
from streams.state import UnreadableState

_SHIFTS = {0.5: "half a standard deviation", 1.0: "a whole one"}
_MEASURED_N = 500
_NOTES = {
    "unstable_reference": "its reference was still moving when it was frozen: rebaseline it",
    "not_promised": "watched, not promised: its values depend on each other too much",
    "weekdays_only": "weekends are still learnt, and not judged",
    "weekends_only": "weekdays are still learnt, and not judged",
    "part_of_a_day": "it knows a part of a day alone: other hours may look like a change",
}
_EXAMPLES = """examples:
  radvigil budget --config radvigil.toml               per site, and the slowest series
  radvigil budget --config radvigil.toml --series      every series
  radvigil budget --config radvigil.toml --json | jq .warnings

It reads the last checkpoint of every partition and the incidents, and joins no group.
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "budget",
        description="Show who has which part of the one false-alarm promise, how long a change "
        "takes to be found with it, and what was spent.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--series", action="store_true", help="every series, not the slowest only")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read what there is, and account for it."""
    config = config_of(arguments)
    if config.broker == "embedded":
        raise BadInput(
            "broker is embedded: its state ends with the worker, which alone can read it. Set "
            "broker to a Kafka"
        )
    try:
        account = asyncio.run(_read(config))
    except CorruptRecordException:
        raise BadInput(
            f"the state on {config.broker} has wrong checksums. On a worker's embedded broker "
            "that is always so, and there is no account; on a Kafka, its log is damaged"
        ) from None
    except (KafkaError, OSError) as error:
        raise BadInput(no_answer(config.broker, error)) from None
    except (NoIncidents, UnreadableState) as error:
        raise BadInput(str(error)) from None
    if not arguments.series:
        account = msgspec.structs.replace(account, series=slowest(account.series))
    if arguments.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(account), indent=2).decode())
        print()
    else:
        print("\n".join(_lines(account, every=arguments.series)))
    return 0


async def _read(config: Config) -> Statement:
    topic = shard_topics(config).state
    shards_n = await asyncio.to_thread(partitions_n, config, topic)
    async with IncidentLog(config) as log:
        incidents = [incident async for incident in log.written()]
    parts = [await _part(config, topic, partition) for partition in range(shards_n)]
    return statement(config, parts, incidents, from_us(time.time_ns() // 1000))


async def _part(config: Config, topic: str, partition: int) -> ShardPart:
    state = await last_values(config, topic, partition)
    state.pop(META_KEY, None)
    return shard_part(config, state.items())


def _lines(account: Statement, *, every: bool) -> Iterator[str]:
    yield f"{account.promise}; {account.sites_seen} seen"
    period = f"of {account.false_incidents:g} in {account.per_days:g} days"
    yield f"given away: {account.given:.3g} {period}, to series {account.of_series:.3g}"
    if account.proved_until is not None:
        yield f"as of {account.proved_until:%Y-%m-%d %H:%M:%SZ}"
    for site in account.sites:
        yield _site_line(site)
    if account.series:
        yield "" if every else f"\nthe slowest series, {SLOWEST_N} at most:"
    for one in account.series:
        yield _series_line(one, account.per_days)
    yield from ("", _spent_line(account))
    for warning in account.warnings:
        yield f"warning: {warning}"


def _site_line(site: SiteAccount) -> str:
    return (
        f"  {site.site}: shares given {site.shares_given}, {site.given:.3g} of its "
        f"{site.equal_part:.3g}; {site.watching} series watched, {site.learning} learning"
        f"{_learning(site)}, {site.away} away from their reference, {site.not_promised} not "
        "promised"
    )


def _learning(site: SiteAccount) -> str:
    if site.learning_n is None:
        return ""
    ready = _ready(site.ready_in_days)
    return f" (the last has {site.learning_n:,} of {site.needed_n:,} observations, {ready})"


def _ready(days: float | None) -> str:
    if days is None:
        return "when it will be ready cannot be said"
    return f"ready in about {_length(days * 24)} at today's pace"


def _series_line(one: SeriesAccount, per_days: float) -> str:
    name = f"{one.subject} of {one.model}" if one.model else one.subject
    pace = "no pace yet" if one.per_day is None else f"{_count(one.per_day)} a day"
    return f"  {printable(name)} at {one.site}: {pace}; {'; '.join(_standing(one, per_days))}"


def _standing(one: SeriesAccount, per_days: float) -> Iterator[str]:
    if one.needed_n is not None:
        yield f"learning, {one.reference_n:,} of {one.needed_n:,} observations"
        yield _ready(one.ready_in_days)
    if one.standing == "away":
        yield "away from its reference"
    if one.part:
        yield f"a false alarm in {_length((one.days or 0) * 24)}"
        yield f"{one.part:.2g} false incidents in {per_days:g} days"
    if one.delays:
        yield _found(one)
    yield from (_NOTES[note] for note in one.notes)


def _found(one: SeriesAccount) -> str:
    about = "about" if one.reference_n >= _MEASURED_N else "at least about"
    words = (f"{_SHIFTS[delay.shift_sd]} after {about} {_after(delay)}" for delay in one.delays)
    return " and ".join(words).replace(" after", " is found after", 1)


def _after(delay: Delay) -> str:
    return f"{delay.observations:,.0f} studies, {_length(delay.hours)} at today's pace"


def _count(per_day: float) -> str:
    """A pace with as many digits as mean something.

    >>> _count(1440.2), _count(0.333)
    ('1,440', '0.33')
    """
    return f"{per_day:,.0f}" if per_day >= 10 else f"{per_day:.2g}"


def _spent_line(account: Statement) -> str:
    spent = account.spent
    kinds = ", ".join(f"{n} {kind}" for kind, n in spent.by_kind.items())
    return (
        f"spent in the last {account.per_days:g} days: {spent.opened} incidents opened"
        f"{f' ({kinds})' if kinds else ''}; {spent.went_back} went back by themselves, "
        f"{spent.by_person} were resolved by a person, {spent.live} are open"
    )


def _length(hours: float) -> str:
    """A length of time as a person says it.

    >>> _length(0.5), _length(12.2), _length(100), _length(0.001)
    ('30 minutes', '12 hours', '4 days', '1 minute')
    """
    if hours * 60 < 120:
        n, unit = max(1, round(hours * 60)), "minute"
    elif hours < 48:
        n, unit = round(hours), "hour"
    else:
        n, unit = round(hours / 24), "day"
    return f"{n:,} {unit}{'' if n == 1 else 's'}"
