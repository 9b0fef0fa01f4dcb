"""NIH ChestX-ray14 as event lines: real chest X-rays, in the order in which they were acquired.

    python examples/nih_cxr14.py nih_cxr14.parquet -o nih.jsonl
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
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Any

from pyarrow import parquet

OLDEST_PLAUSIBLE_YEARS = 120
AGE_CAP_YEARS = 90
REPORTED_AFTER = timedelta(hours=1)

Row = dict[str, Any]
Event = dict[str, Any]


def rows(path: str, first: int, last: int, *, all_images: bool) -> list[Row]:
    """The rows of patients `first` to `last`, ordered by patient and visit."""
    wanted = [("patient_id", ">=", first), ("patient_id", "<=", last)]
    if not all_images:
        wanted.append(("follow_up", "==", 0))
    read: Any = parquet.read_table
    table = read(path, filters=wanted).to_pylist()
    return sorted(table, key=lambda row: (row["patient_id"], row["follow_up"]))


def study(index: int, row: Row, at: datetime) -> Event:
    """A study event of one image."""
    patient = {"key": f"nih-patient-{row['patient_id']:05}", "sex": row["sex"]}
    if row["age"] <= OLDEST_PLAUSIBLE_YEARS:
        patient["age_years"] = min(row["age"], AGE_CAP_YEARS)
    return {
        "type": "radvigil.study.v1",
        "site": "nih",
        "study": f"nih-{index:06}",
        "at": at.isoformat(),
        "arrived_at": at.isoformat(),
        "modality": "DX",
        "body_part": "CHEST",
        "view": row["view"],
        "patient": patient,
        "acquisition": {
            "pixel_mm": round(row["spacing"], 3),
            "cols": row["width"],
            "rows": row["height"],
        },
    }


def report(index: int, row: Row, at: datetime) -> Event:
    """The final report of one image: each of the 14 findings present or absent."""
    findings = [name for name in row if name.startswith("y_")]
    return {
        "type": "radvigil.report.v1",
        "site": "nih",
        "study": f"nih-{index:06}",
        "report": f"nih-{index:06}-report",
        "status": "final",
        "at": at.isoformat(),
        "arrived_at": at.isoformat(),
        "labels": [
            {
                "finding": name.removeprefix("y_").lower(),
                "value": "present" if row[name] else "absent",
            }
            for name in findings
        ],
    }


def events(
    images: list[Row], start: datetime, every: timedelta, with_reports: bool
) -> Iterable[Event]:
    """All events in order of arrival."""
    studies = (study(i, row, start + i * every) for i, row in enumerate(images))
    if not with_reports:
        return studies
    reports = (report(i, row, start + i * every + REPORTED_AFTER) for i, row in enumerate(images))
    return _in_order(studies, reports)


def _in_order(*streams: Iterable[Event]) -> Iterator[Event]:
    return merge(*streams, key=lambda event: datetime.fromisoformat(event["arrived_at"]))


def write(lines: Iterable[Event], path: str | None) -> None:
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
    parser.add_argument("parquet", metavar="PATH.parquet", help="the table of the images")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    parser.add_argument(
        "--patients", nargs=2, type=int, default=(3001, 12000), metavar=("FIRST", "LAST")
    )
    parser.add_argument("--all-images", action="store_true", help="not only each patient's first")
    parser.add_argument(
        "--reports", action="store_true", help="a report with labels for each study"
    )
    parser.add_argument(
        "--start",
        type=datetime.fromisoformat,
        default=datetime(2024, 1, 1, tzinfo=UTC),
        help="time of the first study, with an offset (default: 2024-01-01T00:00:00+00:00)",
    )
    parser.add_argument(
        "--every-s", type=float, default=300.0, help="between two studies (default: 300)"
    )
    chosen = parser.parse_args()
    if chosen.start.tzinfo is None:
        parser.error("--start needs an offset, such as +00:00")
    return chosen


def main() -> None:
    """The command."""
    chosen = arguments()
    first, last = chosen.patients
    images = rows(chosen.parquet, first, last, all_images=chosen.all_images)
    every = timedelta(seconds=chosen.every_s)
    write(events(images, chosen.start, every, chosen.reports), chosen.output)


if __name__ == "__main__":
    main()
