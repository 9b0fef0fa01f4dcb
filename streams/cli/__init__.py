"""The command line: one file per command, each with `add(commands)` and a function that runs it.

Exit status of every command: 0 done, 1 bad input, 2 bad usage or configuration, 3 incidents were
found (`replay --exit-code`), 130 interrupted. `run` adds 4, see docs/OPERATIONS.md.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import Any

from schemas.config_file import ConfigError
from streams.cli.arguments import BadInput
from streams.recordings import UnreadableRecording

VERBS = ("ack", "unack", "resolve", "silence", "unsilence", "maintain", "note", "rebaseline")
COMMANDS = (
    "run",
    "replay",
    "demo",
    "simulate",
    "topics",
    "check_config",
    "schemas",
    "incidents",
    "budget",
    "reference",
    "ingest",
    "label",
    "pseudonym",
    "route",
    "trace",
    "coverage",
    "tickets",
    "worklist",
    *VERBS,
    "web",
)
_EXAMPLES = """first steps:
  radvigil demo                                    a simulated hospital, watched, on one machine
  radvigil simulate --outage north/ptx@9h+2h > day.jsonl
  radvigil replay --config examples/radvigil.toml day.jsonl
"""


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The whole command line, or what of it one command needs: each brings its own imports."""
    top = argparse.ArgumentParser(
        prog="radvigil",
        description="A monitor for clinical AI: missing outputs and drift, as incidents.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"radvigil {version('radvigil')}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    if only == "__version":
        return top
    for name in (only,) if only in COMMANDS else COMMANDS:
        _add(name)(commands)
    return top


def _add(name: str) -> Callable[[Any], None]:
    """What adds a command: its own module, or for what people do to incidents one for all."""
    if name in VERBS:
        return partial(import_module("streams.cli.command").add, name=name)
    adds: Callable[[Any], None] = import_module(f"streams.cli.{name}").add
    return adds


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is a sentence on stderr, never a traceback."""
    argv = sys.argv[1:] if argv is None else argv
    arguments = parser(argv[0].replace("-", "_") if argv else None).parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except ConfigError as error:
        return _failed(error, 2)
    except (BadInput, UnreadableRecording) as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has had enough; that is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _failed(error: Exception, status: int) -> int:
    print(f"radvigil: {error}", file=sys.stderr)
    return status
