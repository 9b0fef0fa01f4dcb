"""`python -m streams.operations`: the files that Prometheus and Grafana read, into a folder.

`--documents` is what stands before the paths of runbooks, such as the address of your copy of the
documents with a slash at its end. Exit status: 0 written, 1 the folder cannot be written.
"""

import argparse
import sys
from pathlib import Path

import orjson

from streams.operations.alerts import ALERTS
from streams.operations.dashboard import dashboard
from streams.operations.rows import ROWS
from streams.operations.rules import RECORDS, render


def built(documents: str = "") -> dict[str, str]:
    """The files by their names."""
    board = orjson.dumps(dashboard(ROWS), option=orjson.OPT_INDENT_2).decode()
    return {
        "prometheus-rules.yml": render(RECORDS, ALERTS, documents),
        "grafana-dashboard.json": board + "\n",
    }


def main() -> int:
    """Write them."""
    parser = argparse.ArgumentParser(
        prog="python -m streams.operations",
        description="Write the Prometheus rules and the Grafana dashboard.",
        epilog="example: python -m streams.operations --documents https://wiki.example/radvigil/",
    )
    parser.add_argument("--out", type=Path, default=Path("examples"), metavar="DIR")
    parser.add_argument("--documents", default="", metavar="BASE", help="before runbooks' paths")
    given = parser.parse_args()
    try:
        for name, text in built(given.documents).items():
            (given.out / name).write_text(text)
            print(given.out / name)
    except OSError as error:
        print(f"radvigil: {given.out}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
