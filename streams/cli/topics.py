"""`radvigil topics`: every topic as it is, and how that differs from what is wanted."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from schemas.config import Config
from schemas.topics import topics_of
from streams.cli.arguments import BadInput, add_config, config_of
from streams.kafka.topics_admin import Difference, NoBroker, TopicsAdmin, TopicState

_EXAMPLES = """examples:
  radvigil topics --config radvigil.toml
  radvigil topics --config radvigil.toml --create
  radvigil topics --config radvigil.toml --json | jq '.[] | select(.differences != [])'

What exists is never changed: partitions cannot be taken back, and an operator may have reasons.
Exit status: 0 all is as wanted, 1 something differs, is missing, or the broker does not answer.
"""


class Shown(Struct, frozen=True):
    """A topic, as --json tells it; `settings` are those found where it exists, else the wanted."""

    name: str
    purpose: str
    exists: bool
    partitions: int | None
    replication: int | None
    settings: dict[str, str]
    differences: tuple[Difference, ...]

    @property
    def fits(self) -> bool:
        """Whether it is as wanted."""
        return self.exists and not self.differences


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "topics",
        description="Show every topic of a deployment, and how it differs from what is wanted.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument("--create", action="store_true", help="create those that are missing")
    parser.add_argument("--json", action="store_true", help="one JSON array")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show them; 1 when something is not as wanted."""
    config = config_of(arguments)
    try:
        created = _create(config) if arguments.create else []
        shown = list(_shown(config))
    except NoBroker as error:
        raise BadInput(f"the broker does not answer: {error}") from None
    if arguments.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode() + "\n")
    else:
        _print(config, created, shown)
    return 0 if _is_embedded(config) or all(topic.fits for topic in shown) else 1


def _is_embedded(config: Config) -> bool:
    return config.broker == "embedded"


def _create(config: Config) -> list[str]:
    return [] if _is_embedded(config) else TopicsAdmin(config).create()


def _shown(config: Config) -> Iterator[Shown]:
    specs = {spec.name(config.prefix): spec for spec in topics_of(config)}
    states = (
        [TopicState(name, spec.purpose, None, None) for name, spec in specs.items()]
        if _is_embedded(config)
        else TopicsAdmin(config).show()
    )
    for state in states:
        wanted = specs[state.name].kafka_config(config.kafka.replication)
        settings = {key: setting.value for key, setting in wanted.items()}
        found = {d.setting: d.found for d in state.differences if d.setting in settings}
        yield Shown(
            state.name,
            state.purpose,
            not state.missing,
            state.partitions,
            state.replication,
            settings | found,
            state.differences,
        )


def _print(config: Config, created: list[str], shown: list[Shown]) -> None:
    for topic in shown:
        print("\n".join(_lines(topic)))
    if _is_embedded(config):
        print("broker is embedded: these topics are made when a worker starts, and end with it.")
        return
    for name in created:
        print(f"created {name}")
    missing = sum(not topic.exists for topic in shown)
    differing = sum(bool(topic.differences) for topic in shown)
    print(f"{len(shown)} topics: {missing} missing, {differing} different from what is wanted.")
    if missing:
        print("Next: radvigil topics --create, or whoever may create topics here.")


def _lines(topic: Shown) -> Iterator[str]:
    if not topic.exists:
        yield f"{topic.name}: not there. {topic.purpose}"
        return
    yield f"{topic.name}: {topic.partitions} partitions, {topic.replication} copies"
    yield "    " + ", ".join(f"{key}={value}" for key, value in topic.settings.items())
    for each in topic.differences:
        stops = " No worker starts with it." if each.fatal else ""
        yield (f"    {each.setting} is {each.found}, wanted is {each.wanted}: {each.why}.{stops}")
