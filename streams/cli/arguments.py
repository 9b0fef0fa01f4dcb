"""Arguments that several commands share."""

import argparse
from datetime import datetime

from schemas.config import Config
from schemas.config_file import load


class BadInput(Exception):
    """Something that was given to a command cannot be used; the text says what and why."""


def add_config(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """`--config FILE`."""
    parser.add_argument(
        "--config",
        required=required,
        metavar="FILE",
        help="the configuration, TOML (docs/CONFIGURATION.md, examples/radvigil.toml)",
    )


def config_of(arguments: argparse.Namespace) -> Config:
    """The configuration that was named, or the defaults."""
    return load(arguments.config) if arguments.config else Config()


def moment(text: str) -> datetime:
    """An RFC 3339 time with an offset, for argparse."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not a time like 2026-01-05T12:00:00Z") from None
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError(f"has no offset; write {text}Z for UTC")
    return found
