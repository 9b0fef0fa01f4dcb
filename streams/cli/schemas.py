"""`radvigil schemas`: the wire contract as JSON Schema and AsyncAPI."""

import argparse
from typing import Any

from schemas import export
from streams.cli.arguments import BadInput


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "schemas",
        description="Write a JSON Schema 2020-12 for every type, and an AsyncAPI 3.0 document.",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="made if it is not there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write them, and say which."""
    try:
        written = export.write(arguments.out)
    except OSError as error:
        raise BadInput(f"{error.filename or arguments.out}: {error.strerror}") from None
    for path in written:
        print(path)
    return 0
