"""Image quality of ABIDE brain scans (MRIQC) as study events: one site's scans after another's.

    python -m examples.abide mriqc_abide.csv UCLA USM LEUVEN PITT -o abide.jsonl
    radvigil replay --config radvigil.toml abide.jsonl

Each row becomes a study at the one site `abide`, with the 62 measures as attributes, and size and
spacing of the voxels as acquisition. Nothing in it says where a scan was made: that the scanner is
another one has to be seen from the images. Real are the values; the order within a site is that of
the table, and the times are not real (--every-s).
"""

import argparse
import csv
from collections.abc import Iterator, Sequence

from examples.event_lines import Clock, Event, every, parser, run, study, write

DAY_S = 86_400.0
SITES = ("UCLA", "USM", "LEUVEN", "PITT")
NOT_MEASURED = ("subject_id", "site", "rater_1", "rater_2", "rater_3")
ACQUISITION = ("size_", "spacing_")


def scans(path: str, sites: Sequence[str]) -> list[dict[str, str]]:
    """The rows of these sites, one site after the other."""
    with open(path, newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return [row for site in sites for row in rows if row["site"] == site]


def events(rows: Sequence[dict[str, str]], clock: Clock) -> Iterator[Event]:
    """The study events of these scans."""
    for number, row in enumerate(rows):
        measured = {
            name: float(value) for name, value in row.items() if name not in NOT_MEASURED and value
        }
        acquisition = {n: v for n, v in measured.items() if n.startswith(ACQUISITION)}
        attributes = {n: v for n, v in measured.items() if n not in acquisition}
        yield study(
            "abide",
            f"abide-{number:06}",
            clock.at(number),
            "MR",
            body_part="BRAIN",
            acquisition=acquisition,
            attributes=attributes,
        )


def arguments() -> argparse.Namespace:
    """What the command line says."""
    command = parser(__doc__)
    command.add_argument("csv", metavar="PATH.csv", help="the table of image quality")
    command.add_argument("sites", metavar="SITE", nargs="*", default=SITES)
    command.add_argument("--every-s", type=float, default=DAY_S, help="default: a day")
    return command.parse_args()


def main() -> None:
    """The command."""
    chosen = arguments()
    write(events(scans(chosen.csv, chosen.sites), every(chosen.every_s)), chosen.output)


if __name__ == "__main__":
    run(main)
