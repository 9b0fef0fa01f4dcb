"""Log lines on stderr: one event a line, as key=value or as JSON, with the same keys.

Two rules. Libraries get so many lines a minute, because a broker that is away makes aiokafka write
thousands. And an exception is told by its type and place unless its text is known to be about the
broker or written by us: a KeyError repeats the key that was not there, which may be a study's.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

OURS = "radvigil"
LINES_A_MINUTE = 10
LONGEST = 500
_MINUTE_S = 60.0
_CONTROL = {code: "?" for code in range(32)}
_TRUSTED = ("aiokafka", "confluent_kafka", "cimpl", "schemas", "detectors", "streams")


def configure(*, as_json: bool = False, ours: str = "INFO", theirs: str = "WARNING") -> None:
    """Send logs to stderr, from these levels on. Call once, before anything else logs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else KeyValueLines())
    handler.addFilter(Pace())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(theirs)
    logging.getLogger(OURS).setLevel(ours)


def fields(record: logging.LogRecord) -> dict[str, str]:
    """What a line tells, by key."""
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    told = {
        "at": at.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "from": record.name,
        "event": _message(record).translate(_CONTROL)[:LONGEST],
    }
    if record.exc_info and record.exc_info[1] is not None:
        told["exception"] = _type_and_place(record.exc_info[1])
    return told


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return msgspec.json.encode(fields(record)).decode()


class KeyValueLines(logging.Formatter):
    """key=value, with quotes where a value has a space."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return " ".join(f"{key}={_quoted(value)}" for key, value in fields(record).items())


class Pace(logging.Filter):
    """Lets our own lines through, and the first few of every other logger in each minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._began_s = clock()
        self._counts: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is told; the last one that is says that more were not."""
        if record.name.split(".", 1)[0] == OURS:
            return True
        if self._clock() - self._began_s >= _MINUTE_S:
            self._began_s = self._clock()
            self._counts.clear()
        n = self._counts[record.name] = self._counts.get(record.name, 0) + 1
        if n == LINES_A_MINUTE:
            record.msg = f"{record.msg} (and no more of {record.name} in this minute)"
        return n <= LINES_A_MINUTE


def _message(record: logging.LogRecord) -> str:
    args: Any = record.args
    if isinstance(args, tuple):
        args = tuple(_told(arg) for arg in args)
    return str(record.msg) % args if args else str(_told(record.msg))


def _told(arg: object) -> object:
    if not isinstance(arg, BaseException):
        return arg
    known = isinstance(arg, OSError) or type(arg).__module__.split(".", 1)[0] in _TRUSTED
    return arg if known else _type_and_place(arg)


def _type_and_place(error: BaseException) -> str:
    """What was raised and where, nothing of what it says.

    >>> _type_and_place(KeyError("a study's key"))
    'KeyError'
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place


def _quoted(value: str) -> str:
    plain = value and not any(letter in value for letter in ' "=')
    return value if plain else msgspec.json.encode(value).decode()
