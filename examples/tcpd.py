"""Series of the Turing Change Point Dataset as study events.

    python -m examples.tcpd data/tcpd quality_control_1 -o tcpd.jsonl
    radvigil replay --config radvigil.toml tcpd.jsonl

Each row of <SERIES>.csv (its number, one value) becomes a study at a site named after the series,
with `attributes.value`. Real are the values and their order; the times are not (--every-s).
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

from examples.event_lines import Clock, Event, every, parser, run, study, write

DAY_S = 86_400.0


def events(directory: Path, series: str, clock: Clock) -> Iterator[Event]:
    """The study events of one series."""
    site = series.replace("_", "-")
    with open(directory / f"{series}.csv", newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        next(lines)
        for row, (_, value) in enumerate(lines):
            key, attributes = f"{site}-{row:06}", {"value": float(value)} if value else {}
            yield study(site, key, clock.at(row), "OT", attributes=attributes)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    command = parser(__doc__)
    command.add_argument("directory", metavar="DIR", type=Path, help="where <SERIES>.csv lies")
    command.add_argument("series", metavar="SERIES")
    command.add_argument("--every-s", type=float, default=DAY_S, help="default: a day")
    return command.parse_args()


def main() -> None:
    """The command."""
    chosen = arguments()
    write(events(chosen.directory, chosen.series, every(chosen.every_s)), chosen.output)


if __name__ == "__main__":
    run(main)
