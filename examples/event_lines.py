"""What the readers of real data in this folder have in common: events, and how they are written."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Event = dict[str, Any]

START = datetime(2024, 1, 1, tzinfo=UTC)


def study(site: str, key: str, at: datetime, modality: str, **fields: Any) -> Event:
    """A study that arrived when it was made."""
    return {
        "type": "radvigil.study.v1",
        "site": site,
        "study": key,
        "at": at.isoformat(),
        "arrived_at": at.isoformat(),
        "modality": modality,
        **fields,
    }


def report(site: str, key: str, at: datetime, present: Sequence[tuple[str, bool]]) -> Event:
    """The final report of a study: each finding present or absent."""
    return {
        "type": "radvigil.report.v1",
        "site": site,
        "study": key,
        "report": f"{key}-report",
        "status": "final",
        "at": at.isoformat(),
        "arrived_at": at.isoformat(),
        "labels": [
            {"finding": finding, "value": "present" if there else "absent"}
            for finding, there in present
        ],
    }


def arrived(event: Event) -> datetime:
    """When it arrived: the order in which events are written."""
    return datetime.fromisoformat(event["arrived_at"])


def every(seconds: float, start: datetime = START) -> "Clock":
    """Times for rows that have none, spread evenly."""
    return Clock(start, timedelta(seconds=seconds))


class Clock:
    """The time of each row, counted from 0."""

    def __init__(self, start: datetime, step: timedelta) -> None:
        self._start, self._step = start, step

    def at(self, row: int) -> datetime:
        """When the row was made."""
        return self._start + row * self._step


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command that writes event lines."""
    command = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    return command


def run(command: Callable[[], None]) -> None:
    """Run a command: a missing file is a sentence, a reader that has had enough is no error."""
    try:
        command()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except FileNotFoundError as error:
        sys.exit(f"{error.filename or error}: no such file or directory")


def write(events: Iterable[Event], path: str | None) -> None:
    """Write one event a line, to a file or to standard output."""
    texts = (json.dumps(event, separators=(",", ":")) + "\n" for event in events)
    if path is None:
        sys.stdout.writelines(texts)
        return
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(texts)
