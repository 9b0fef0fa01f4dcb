"""The command line: one file per command, each with `add(commands)` and a function that runs it.

Exit status of every command: 0 done, 1 bad input, 2 bad usage or configuration, 3 incidents were
found (`replay --exit-code`), 130 interrupted. `run` adds 4, see docs/OPERATIONS.md.
"""

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

from schemas.config_file import ConfigError
from schemas.secrets import MissingSecret
from streams.cli.arguments import BadInput, CannotListen, Parser
from streams.recordings import UnreadableRecording

VERBS = ("ack", "unack", "resolve", "silence", "unsilence", "maintain", "note", "rebaseline")
COMMANDS = {
    "run": "run a worker",
    "replay": "run recorded events through the pipeline",
    "demo": "watch a simulated hospital",
    "simulate": "write the events of a simulated hospital",
    "topics": "show and create the topics",
    "check_config": "check a configuration file",
    "schemas": "write JSON Schemas and the AsyncAPI document",
    "bench": "measure speed and detection (with the source tree)",
    "incidents": "show what is open",
    "budget": "account for the false-alarm promise",
    "reference": "list, restore, export and import what series are held against",
    "ingest": "translate DICOM, structured reports, HL7 v2 or FHIR to events",
    "label": "try the report labeller on texts",
    "pseudonym": "find the key of a study, accession number or patient",
    "route": "explain who is told of an incident",
    "trace": "show all that is known of one study",
    "coverage": "show what is watched, and what is not",
    "tickets": "keep a ticket for each incident",
    "worklist": "tell reading rooms that a result will not come",
    "ack": "say that you have an incident",
    "unack": "give an incident back",
    "resolve": "end an incident by hand",
    "silence": "tell nobody of an incident, or of all that match, for a while",
    "unsilence": "end a silence",
    "maintain": "tell nobody of a site under maintenance",
    "note": "write a note on an incident",
    "rebaseline": "say that what is now is the normal",
    "web": "serve the live page",
}
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_EXAMPLES = """first steps:
  radvigil demo                                    a simulated hospital, watched, on one machine
  radvigil simulate --outage north/ptx@9h+2h > day.jsonl
  radvigil replay --config examples/radvigil.toml day.jsonl
"""


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The command line with one command, which brings its own imports; else a list of them all."""
    top = argparse.ArgumentParser(
        prog="radvigil",
        description="A monitor for clinical AI: missing outputs and drift, as incidents.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"radvigil {version('radvigil')}")
    commands = top.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )
    if only in COMMANDS:
        _add(only, commands)
        return top
    for name, summary in COMMANDS.items():
        commands.add_parser(name.replace("_", "-"), help=summary)
    return top


def _add(name: str, commands: Any) -> None:
    """Add a command: by its own module, or for what people do to incidents by one for all."""
    if name in VERBS:
        import_module("streams.cli.command").add(commands, name, COMMANDS[name])
    else:
        import_module(f"streams.cli.{name}").add(commands)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is a sentence on stderr, never a traceback."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv:
        parser().print_help(sys.stderr)
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot show is shown so
    only = argv[0].replace("-", "_")
    arguments = parser(only).parse_args(argv)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has had enough; that is no error.
        _silence_stdout()
        return 0


def _silence_stdout() -> None:
    """What is still buffered goes nowhere, and says nothing when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: argparse.Namespace) -> int:
    """The command's exit status; what its user did wrong is said here, for every command."""
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except ConfigError as error:
        wrong, status = str(error), 2
    except MissingSecret as error:
        wrong, status = f"{arguments.config}: {error}", 2
    except CannotListen as error:
        wrong, status = f"--http: {error}", 2
    except (BadInput, UnreadableRecording) as error:
        wrong, status = str(error), 1
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _silence_stdout()
        wrong, status = f"the output cannot be written: {error.strerror}", 1
    else:
        return status
    print(f"radvigil: {wrong}", file=sys.stderr)
    return status
