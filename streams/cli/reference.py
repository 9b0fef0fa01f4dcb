"""`radvigil reference`: what series are held against: listed, restored, taken from site to site.

Exit status: 0 done, 3 a worker rejected something, 1 no reply in time or bad input, 2 bad usage.
"""

import argparse
import asyncio
import logging
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from schemas.command import Command
from schemas.config import Config
from schemas.reply import Reply
from schemas.shipped import ReferenceLine
from streams.cli.arguments import BadInput, add_config, config_of, site_name
from streams.cli.command import ACCEPTED, REJECTED, UNANSWERED, user
from streams.cli.command_words import bounded
from streams.cli.reference_words import Listed, listed, listing
from streams.cli.shard_state import shards_of
from streams.clock import from_us
from streams.incident_board import printable
from streams.kafka.command_sender import CommandSender, NotSent
from streams.series.seen import SeriesId
from streams.series.shipping import LEAST_N, line_of, reference_of
from streams.series.watched import Series

_EXAMPLES = """examples:
  radvigil reference list --config radvigil.toml --site north
  radvigil reference show --config radvigil.toml --site north --subject acquisition.kvp
  radvigil reference restore --config radvigil.toml --site north --model ptx --number 2
  radvigil reference export --config radvigil.toml --site north > north.jsonl
  radvigil reference import --config radvigil.toml --site south north.jsonl

`list`, `show` and `export` read the last checkpoint and join no group. `restore` and `import` are
commands in the log, kept with your name, so a replay takes them up as well.
Exit status: 0 done, 3 something was rejected, 1 no reply in time or bad input, 2 bad usage.
"""
_READ = msgspec.json.Decoder(ReferenceLine)


def add(commands: Any) -> None:
    """Add the command and its five words."""
    parser = commands.add_parser(
        "reference",
        description="References: what every series is held against, and the last ones before.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(title="words", metavar="WORD", required=True)
    for name, run, told in (
        ("list", _list, "every series with its references"),
        ("show", _list, "all that is known of the references of some series"),
        ("export", _export, "the references in force, as lines"),
    ):
        word = _word(words, name, told, run)
        _add_names(word)
        word.add_argument("--json", action="store_true", help="an object a line")
        word.set_defaults(details=name == "show")
    word = _word(words, "restore", "hold series against an earlier reference again", _restore)
    _add_names(word, site_needed=True)
    word.add_argument("--number", type=int, default=0, metavar="N", help="default: the one before")
    _add_sending(word)
    word = _word(words, "import", "hold series against exported references", _import)
    word.add_argument("file", metavar="FILE", help="what `export` wrote; - is standard input")
    word.add_argument(
        "--site",
        type=site_name,
        metavar="SITE",
        help="for this site (default: where they are from)",
    )
    _add_sending(word)


def _word(words: Any, name: str, told: str, run: Any) -> argparse.ArgumentParser:
    word: argparse.ArgumentParser = words.add_parser(
        name,
        help=told,
        description=f"{told[0].upper()}{told[1:]}.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(word)
    word.set_defaults(run=run, usage=word.error)
    return word


def _add_names(word: argparse.ArgumentParser, *, site_needed: bool = False) -> None:
    word.add_argument(
        "--site", type=site_name, metavar="SITE", required=site_needed, help="of this site"
    )
    word.add_argument("--model", type=bounded, metavar="NAME", help="of this model")
    word.add_argument("--subject", type=bounded, metavar="NAME", help="this series")


def _add_sending(word: argparse.ArgumentParser) -> None:
    word.add_argument("--as", dest="actor", type=bounded, metavar="NAME", help="who you are")
    word.add_argument(
        "--wait", type=float, default=30.0, metavar="SECONDS", help="for replies (default 30)"
    )


def _series(config: Config, arguments: argparse.Namespace) -> Iterator[tuple[SeriesId, Series]]:
    """The series that are named, by name."""
    wanted = (arguments.site, arguments.model, arguments.subject)
    found = sorted(
        (pair for shard in shards_of(config) for pair in shard.series()), key=lambda one: one[0]
    )
    for key, series in found:
        if all(want in (None, name) for want, name in zip(wanted, key, strict=True)):
            yield key, series


def _list(arguments: argparse.Namespace) -> int:
    told = [listed(key, series) for key, series in _series(config_of(arguments), arguments)]
    known: list[Listed] = [one for one in told if one.references or one.on_trial]
    for one in known:
        if arguments.json:
            print(msgspec.json.encode(one).decode())
        else:
            print("\n".join(map(printable, listing(one, details=arguments.details))))
    if not known:
        print("no series has a reference yet", file=sys.stderr)
    return ACCEPTED


def _export(arguments: argparse.Namespace) -> int:
    n = 0
    for key, series in _series(config_of(arguments), arguments):
        line = line_of(key, series)
        if line is not None:
            print(msgspec.json.encode(line).decode())
            n += 1
    print(f"{n} references", file=sys.stderr)
    return ACCEPTED


def _restore(arguments: argparse.Namespace) -> int:
    if not (arguments.model or arguments.subject):
        arguments.usage("name a --model or a --subject")
    if arguments.number < 0:
        arguments.usage("--number: 1 or more")
    names = {"model": arguments.model, "subject": arguments.subject}
    matchers = {name: value for name, value in names.items() if value}
    command = _command(arguments, arguments.site, matchers, reference_number=arguments.number)
    (reply,) = _sent(arguments, [command])
    if reply is None:
        return _unanswered(arguments, 1)
    if not reply.accepted:
        print("rejected: no such series keeps such a reference (radvigil reference list)")
        return REJECTED
    print(f"restored: {reply.affected_n} series")
    return ACCEPTED


def _import(arguments: argparse.Namespace) -> int:
    lines = list(_lines(arguments.file))
    commands = []
    for line in lines:
        matchers = {"subject": line.subject} | ({"model": line.model} if line.model else {})
        site = arguments.site or line.reference.site
        commands.append(_command(arguments, site, matchers, reference=line.reference))
    replies = _sent(arguments, commands)
    missing_n = sum(reply is None for reply in replies)
    refused = [
        f"{line.subject} of {line.model or 'the studies'} at {command.site}"
        for line, command, reply in zip(lines, commands, replies, strict=True)
        if reply is not None and not reply.accepted
    ]
    tried_n = sum(
        command.site != line.reference.site for line, command in zip(lines, commands, strict=True)
    )
    taken_n = len(lines) - missing_n - len(refused)
    trial = ", on trial until enough has come to agree" if tried_n else ", in force"
    print(f"taken up: {taken_n} of {len(lines)}{trial}")
    for name in refused:
        print(printable(f"rejected: {name}: it has a reference, is full, or of another kind"))
    return _unanswered(arguments, missing_n) if missing_n else REJECTED if refused else ACCEPTED


def _lines(file: str) -> Iterator[ReferenceLine]:
    """The lines of an exported file, each checked as a worker will check it."""
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    for number, one in enumerate(raw.splitlines(), start=1):
        try:
            line = _READ.decode(one)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{file}:{number}: not an exported reference: {error}") from None
        if reference_of(line.reference) is None:
            raise BadInput(
                f"{file}:{number}: a reference that this version cannot read, or of fewer than "
                f"{LEAST_N} observations"
            )
        yield line


def _command(
    arguments: argparse.Namespace, site: str, matchers: dict[str, str], **said: Any
) -> Command:
    return Command(
        command_id=str(uuid.uuid4()),
        site=site,
        action="rebaseline",
        actor=arguments.actor or user(),
        at=from_us(time.time_ns() // 1000),
        matchers=matchers,
        origin="cli",
        **said,
    )


def _sent(arguments: argparse.Namespace, commands: Sequence[Command]) -> list[Reply | None]:
    """The replies to commands, in their order; None for one that has not come in time."""
    config = config_of(arguments)
    if config.broker == "embedded":
        raise BadInput("broker is embedded: set it to the address that the worker logged")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters is said once, by us
    try:
        return asyncio.run(_send(config, commands, arguments.wait))
    except NotSent as error:
        raise BadInput(str(error)) from None


async def _send(config: Config, commands: Sequence[Command], wait_s: float) -> list[Reply | None]:
    by_site: dict[str, list[Command]] = defaultdict(list)
    for command in commands:
        by_site[command.site].append(command)
    replies: dict[str, Reply] = {}
    for site, some in by_site.items():
        async with CommandSender(config, site) as sender:
            for command in some:
                await sender.send(command)
            replies |= await sender.replies({one.command_id for one in some}, wait_s)
    return [replies.get(command.command_id) for command in commands]


def _unanswered(arguments: argparse.Namespace, n: int) -> int:
    print(
        f"{n} sent without a reply within {arguments.wait:g} s: carried out when a worker gets to "
        "them",
        file=sys.stderr,
    )
    return UNANSWERED
