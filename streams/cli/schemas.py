"""`radvigil schemas`: the wire contract as JSON Schema and AsyncAPI."""

import argparse
from typing import Any

from schemas import export


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
    for path in export.write(arguments.out):
        print(path)
    return 0
