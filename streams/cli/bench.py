"""`radvigil bench`: the measurements, which are in the source tree and not in the package."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from streams.cli.arguments import BadInput

SOURCE = Path(__file__).parents[2]
_EXAMPLES = """examples:
  radvigil bench                            those that need nothing else, one after the other
  radvigil bench pipeline kafka             events a second, restore, memory
  radvigil bench detect C I --quick         two tables beside other detectors, in their short form
  radvigil bench nothing                    none of this name: lists them all

The same as `python -m bench` in a checkout of the source. What follows the names goes to the last
of them. Exit status: that of the first that failed, 1 where there is no source tree, 2 bad usage.
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bench",
        description="Measure speed and detection, with the scripts of the source tree.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs=argparse.REMAINDER, metavar="NAME", help="which, and options of the last"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run them as programs of their own."""
    if not (SOURCE / "bench/__main__.py").is_file():
        raise BadInput(
            "the benches come with the source of radvigil, not with its package: run this in a "
            "checkout that `make setup` has set up"
        )
    paths = filter(None, (str(SOURCE), os.environ.get("PYTHONPATH")))
    found = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.call([sys.executable, "-m", "bench", *arguments.names], env=found)
