"""Series of the Numenta Anomaly Benchmark as study events: the monitor on other real streams.

    python examples/nab.py data/ ambient_temperature_system_failure -o nab.jsonl
    radvigil replay --config radvigil.toml nab.jsonl

Each line of a series nab_<SERIES>.csv (timestamp,value) becomes a study at a site named after the
series, with `attributes.value`. Values and times are real (UTC is assumed; NAB does not say); that
they are studies is not. Several series are told in order of time, as several sites would be.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path
from typing import Any

SITE_LENGTH_MAX = 32


def events(directory: Path, series: str) -> Iterator[dict[str, Any]]:
    """The study events of one series, in order of time."""
    site = series.replace("_", "-").lower()[:SITE_LENGTH_MAX]
    with open(directory / f"nab_{series}.csv", newline="", encoding="utf-8") as lines:
        for index, line in enumerate(csv.DictReader(lines)):
            at = datetime.fromisoformat(line["timestamp"]).replace(tzinfo=UTC).isoformat()
            yield {
                "type": "radvigil.study.v1",
                "site": site,
                "study": f"{site}-{index:06}",
                "at": at,
                "arrived_at": at,
                "modality": "OT",
                "attributes": {"value": float(line["value"])},
            }


def write(lines: Iterable[dict[str, Any]], path: str | None) -> None:
    """Write one event a line, to a file or to standard output."""
    texts = (json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    if path is None:
        sys.stdout.writelines(texts)
        return
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(texts)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="where nab_<SERIES>.csv lie")
    parser.add_argument("series", metavar="SERIES", nargs="*", help="default: all there are")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    chosen = parser.parse_args()
    found = sorted(path.stem.removeprefix("nab_") for path in chosen.directory.glob("nab_*.csv"))
    unknown = sorted(set(chosen.series) - set(found))
    if unknown or not found:
        parser.error(f"no series {', '.join(unknown)} in {chosen.directory}; found: {found}")
    chosen.series = chosen.series or found
    return chosen


def main() -> None:
    """The command."""
    chosen = arguments()
    streams = [events(chosen.directory, series) for series in chosen.series]
    write(merge(*streams, key=lambda event: str(event["at"])), chosen.output)


if __name__ == "__main__":
    main()
