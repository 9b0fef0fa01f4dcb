"""Series of the Numenta Anomaly Benchmark as study events: the monitor on other real streams.

    python -m examples.nab data/ ambient_temperature_system_failure -o nab.jsonl
    radvigil replay --config radvigil.toml nab.jsonl

Each line of a series nab_<SERIES>.csv (timestamp,value) becomes a study at a site named after the
series, with `attributes.value`. Values and times are real (UTC is assumed; NAB does not say); that
they are studies is not. Several series are told in order of time, as several sites would be.
"""

import argparse
import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path

from examples.event_lines import Event, arrived, parser, run, study, write

SITE_LENGTH_MAX = 32


def events(directory: Path, series: str) -> Iterator[Event]:
    """The study events of one series, in order of time."""
    site = series.replace("_", "-").lower()[:SITE_LENGTH_MAX]
    with open(directory / f"nab_{series}.csv", newline="", encoding="utf-8") as lines:
        for row, line in enumerate(csv.DictReader(lines)):
            at = datetime.fromisoformat(line["timestamp"]).replace(tzinfo=UTC)
            attributes = {"value": float(line["value"])}
            yield study(site, f"{site}-{row:06}", at, "OT", attributes=attributes)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    command = parser(__doc__)
    command.add_argument("directory", metavar="DIR", type=Path, help="where nab_<SERIES>.csv lie")
    command.add_argument("series", metavar="SERIES", nargs="*", help="default: all there are")
    chosen = command.parse_args()
    found = sorted(path.stem.removeprefix("nab_") for path in chosen.directory.glob("nab_*.csv"))
    unknown = sorted(set(chosen.series) - set(found))
    if unknown or not found:
        command.error(f"no series {', '.join(unknown)} in {chosen.directory}; found: {found}")
    chosen.series = chosen.series or found
    return chosen


def main() -> None:
    """The command."""
    chosen = arguments()
    streams = [events(chosen.directory, series) for series in chosen.series]
    write(merge(*streams, key=arrived), chosen.output)


if __name__ == "__main__":
    run(main)
