"""NIH ChestX-ray14 as event lines: real chest X-rays, in the order in which they were acquired.

    python -m examples.nih_cxr14 nih_cxr14.parquet -o nih.jsonl
    radvigil replay --config radvigil.toml nih.jsonl

Real are the order, the view, the patient and the image's size and pixel spacing; with --reports
also the 14 labels, which NIH mined from the radiologists' reports. Not real are the times: the data
set has no dates, so studies are spread evenly (--every-s), each report an hour after its study.

The default is one image of each patient (the first) of patients 3001 to 12000. About row 4247
(patients 7086 to 7297) a detector with pixels of 0.171 mm gives way to one with 0.168 mm. The row
is the number in the study's key: `nih-004247`.

Needs pyarrow, and a table with the columns image, patient_id, follow_up, age, sex, view, width,
height, spacing and y_<finding>, as made from the data set's Data_Entry_2017.csv.
"""

import argparse
from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import merge
from typing import Any

from pyarrow import parquet

from examples.event_lines import START, Event, arrived, every, parser, report, run, study, write

SITE = "nih"
OLDEST_PLAUSIBLE_YEARS = 120
AGE_CAP_YEARS = 90
REPORTED_AFTER = timedelta(hours=1)

Row = dict[str, Any]


def rows(path: str, first: int, last: int, *, all_images: bool) -> list[Row]:
    """The rows of patients `first` to `last`, ordered by patient and visit."""
    wanted = [("patient_id", ">=", first), ("patient_id", "<=", last)]
    if not all_images:
        wanted.append(("follow_up", "==", 0))
    read: Any = parquet.read_table
    table = read(path, filters=wanted).to_pylist()
    return sorted(table, key=lambda row: (row["patient_id"], row["follow_up"]))


def image(index: int, row: Row, at: datetime) -> Event:
    """A study event of one image."""
    patient = {"key": f"nih-patient-{row['patient_id']:05}", "sex": row["sex"]}
    if row["age"] <= OLDEST_PLAUSIBLE_YEARS:
        patient["age_years"] = min(row["age"], AGE_CAP_YEARS)
    return study(
        SITE,
        f"nih-{index:06}",
        at,
        "DX",
        body_part="CHEST",
        view=row["view"],
        patient=patient,
        acquisition={
            "pixel_mm": round(row["spacing"], 3),
            "cols": row["width"],
            "rows": row["height"],
        },
    )


def labels(index: int, row: Row, at: datetime) -> Event:
    """The final report of one image: each of the 14 findings present or absent."""
    findings = [
        (name.removeprefix("y_").lower(), bool(row[name])) for name in row if name[:2] == "y_"
    ]
    return report(SITE, f"nih-{index:06}", at, findings)


def events(
    images: list[Row], start: datetime, step: timedelta, with_reports: bool
) -> Iterable[Event]:
    """All events in order of arrival."""
    clock = every(step.total_seconds(), start)
    studies = (image(i, row, clock.at(i)) for i, row in enumerate(images))
    if not with_reports:
        return studies
    reports = (labels(i, row, clock.at(i) + REPORTED_AFTER) for i, row in enumerate(images))
    return merge(studies, reports, key=arrived)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    command = parser(__doc__)
    command.add_argument("parquet", metavar="PATH.parquet", help="the table of the images")
    command.add_argument(
        "--patients", nargs=2, type=int, default=(3001, 12000), metavar=("FIRST", "LAST")
    )
    command.add_argument("--all-images", action="store_true", help="not only each patient's first")
    command.add_argument(
        "--reports", action="store_true", help="a report with labels for each study"
    )
    command.add_argument(
        "--start",
        type=datetime.fromisoformat,
        default=START,
        help="time of the first study, with an offset (default: 2024-01-01T00:00:00+00:00)",
    )
    command.add_argument(
        "--every-s", type=float, default=300.0, help="between two studies (default: 300)"
    )
    chosen = command.parse_args()
    if chosen.start.tzinfo is None:
        command.error("--start needs an offset, such as +00:00")
    return chosen


def main() -> None:
    """The command."""
    chosen = arguments()
    first, last = chosen.patients
    images = rows(chosen.parquet, first, last, all_images=chosen.all_images)
    step = timedelta(seconds=chosen.every_s)
    write(events(images, chosen.start, step, chosen.reports), chosen.output)


if __name__ == "__main__":
    run(main)
