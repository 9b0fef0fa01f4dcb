"""Mammography reads of the VIPER study as event lines: each reader as a model of its own.

    python -m examples.viper_reads viper_reads.parquet -o viper.jsonl
    radvigil replay --config radvigil.toml viper.jsonl

A read is a study at site `viper` (film or digital as `acquisition.receptor`, the sub-study as
`procedure`), a result of the model that is named after the reader (the score as a share of 201,
`positive` when the patient was recalled) and, an hour later, a report with the truth. Times are
real, to the minute: sittings of about 55 reads, then weeks of nothing. Reads without a time are
left out. Patients have no key here: each case is read by twenty readers, twice by most.

Needs pyarrow, and a table with the columns read_time, reader, case_id, sub_study, modality, score,
recall and cancer.
"""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pyarrow import parquet

from examples.event_lines import Event, arrived, parser, report, run, study, write

SITE = "viper"
SCORE_MAX = 201
REPORTED_AFTER = timedelta(hours=1)
Row = dict[str, Any]


def reads(path: str) -> list[Row]:
    """The reads that have a time, in order."""
    read: Any = parquet.read_table
    timed = [row for row in read(path).to_pylist() if row["read_time"] is not None]
    return sorted(timed, key=lambda row: (row["read_time"], row["reader"]))


def events(rows: Sequence[Row]) -> Iterator[Event]:
    """Study, result and report of each read, read by read."""
    for number, row in enumerate(rows):
        key, at = f"viper-{number:06}", row["read_time"].replace(tzinfo=UTC)
        yield study(
            SITE,
            key,
            at,
            "MG",
            procedure=row["sub_study"],
            acquisition={"receptor": row["modality"]},
        )
        yield _answer(key, row, at)
        yield report(SITE, key, at + REPORTED_AFTER, [("cancer", bool(row["cancer"]))])


def _answer(key: str, row: Row, at: datetime) -> Event:
    output = {
        "finding": "cancer",
        "score": row["score"] / SCORE_MAX,
        "positive": bool(row["recall"]),
    }
    return {
        "type": "radvigil.prediction.v1",
        "site": SITE,
        "study": key,
        "model": row["reader"],
        "model_version": "1",
        "status": "completed",
        "at": at.isoformat(),
        "arrived_at": at.isoformat(),
        "outputs": [output],
    }


def arguments() -> argparse.Namespace:
    """What the command line says."""
    command = parser(__doc__)
    command.add_argument("parquet", metavar="PATH.parquet", help="the table of the reads")
    return command.parse_args()


def main() -> None:
    """The command."""
    chosen = arguments()
    write(sorted(events(reads(chosen.parquet)), key=arrived), chosen.output)


if __name__ == "__main__":
    run(main)
