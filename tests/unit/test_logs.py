"""Log lines: readable by machines, bounded, and without what a foreign exception repeats."""

import json
import logging

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.logs import LINES_A_MINUTE, JsonLines, KeyValueLines, Pace


def record(name: str, text: str, *args: object, **more: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "file.py", 7, text, args, more.get("exc_info"))  # type: ignore[arg-type]


def test_a_line_is_key_value() -> None:
    line = KeyValueLines().format(record("radvigil.run", "listening http://%s", "127.0.0.1:9"))

    assert 'level=warning from=radvigil.run event="listening http://127.0.0.1:9"' in line
    assert line.startswith("at=")


def test_a_line_is_json() -> None:
    told = json.loads(JsonLines().format(record("radvigil.run", 'a "b"\nc')))

    assert told["event"] == 'a "b"?c'
    assert told["from"] == "radvigil.run"


@pytest.mark.parametrize("lines", [JsonLines(), KeyValueLines()])
def test_the_text_of_a_foreign_exception_is_not_told(lines: logging.Formatter) -> None:
    try:
        {}["planted-study"]  # type: ignore[index]
    except KeyError as error:
        by_argument = record("faust", "crashed: %r", error)
        by_exc_info = record("faust", "crashed", exc_info=(KeyError, error, error.__traceback__))

    for one in (by_argument, by_exc_info):
        line = lines.format(one)
        assert "planted-study" not in line
        assert "KeyError at test_logs.py:" in line


def test_what_the_broker_says_is_told() -> None:
    line = KeyValueLines().format(record("radvigil", "no: %s", KafkaConnectionError("host:9092")))

    assert "host:9092" in line


def test_libraries_are_cut_short_and_we_are_not() -> None:
    now_s = [0.0]
    pace = Pace(lambda: now_s[0])

    told = [pace.filter(record("aiokafka.conn", "gone")) for _ in range(500)]
    ours = [pace.filter(record("radvigil.shards", "gone")) for _ in range(500)]

    assert sum(told) == LINES_A_MINUTE
    assert all(ours)
    now_s[0] = 61.0
    assert pace.filter(record("aiokafka.conn", "gone"))


def test_the_last_line_of_a_library_says_so() -> None:
    pace = Pace(lambda: 0.0)
    last = record("aiokafka", "gone")

    for _ in range(LINES_A_MINUTE - 1):
        pace.filter(record("aiokafka", "gone"))
    pace.filter(last)

    assert "no more of aiokafka in this minute" in last.getMessage()
