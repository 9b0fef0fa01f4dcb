"""`radvigil simulate`: a hospital from a seed, as event lines."""

import argparse
import sys
from typing import Any

from streams import simulate_cli
from streams.cli.progress import progress
from streams.simulate import lines, simulate


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "simulate",
        description="Write the events of a simulated hospital, one a line, in order of arrival.",
    )
    simulate_cli.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the lines to standard output."""
    try:
        hospital = simulate_cli.hospital_from(arguments)
    except ValueError as error:
        print(f"radvigil simulate: {error}", file=sys.stderr)
        return 2
    for line in lines(progress(simulate(hospital, arguments.seed))):
        sys.stdout.buffer.write(line)
    return 0
