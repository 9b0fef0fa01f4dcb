"""Arguments that several commands share."""

import argparse
import logging
from collections.abc import Sequence
from datetime import datetime

import msgspec

from schemas.config import Config
from schemas.config_file import load
from schemas.fields import EARLIEST_YEAR, LATEST_YEAR, Site


class BadInput(Exception):
    """Something that was given to a command cannot be used; the text says what and why."""


class CannotListen(Exception):
    """The address that `--http` asks for is not to be had; the message says which and why."""


class Parser(argparse.ArgumentParser):
    """One whose last positional, of any number, may also stand behind options.

    Where one stood before them, argparse gives the last none (bugs.python.org/issue15112).
    """

    trailing: str | None = None  # its name

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse does it, and what it left over."""
        found, rest = super().parse_known_args(args, namespace)
        if self.trailing is None or any(one.startswith("-") and one != "-" for one in rest):
            return found, rest
        if rest:
            setattr(found, self.trailing, rest)
        return found, []


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
    """An RFC 3339 time with an offset, in the years that events may have, for argparse."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not a time like 2026-01-05T12:00:00Z") from None
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError(f"has no offset; write {found.isoformat()}Z for UTC")
    if not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        raise argparse.ArgumentTypeError(f"not in the years {EARLIEST_YEAR} to {LATEST_YEAR}")
    return found


def site_name(text: str) -> str:
    """The name of a site, for argparse."""
    try:
        return msgspec.convert(text, Site)
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError("1 to 32 of a-z, 0-9 and -") from None


def hush(*names: str) -> None:
    """Nothing of these loggers: a command says once, in a sentence, what matters of it."""
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
