"""The commands without a broker: their help, their words, their screen."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.incident import Evidence, Incident
from streams.cli import COMMANDS, bench, main
from streams.cli.incidents import _live
from streams.cli.topics import Shown, _lines
from streams.incident_board import IncidentBoard
from streams.kafka.topics_admin import Difference

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("command", [name.replace("_", "-") for name in COMMANDS])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert f"usage: radvigil {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "demo", "topics", "incidents", "replay", "simulate"])
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])

    assert f"radvigil {command}" in capsys.readouterr().out.partition("examples:")[2]


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "--config", "c", "--http", "9100"], ["demo", "--seconds", "-1"], ["topics"]],
)
def test_bad_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2


def test_a_topic_that_differs_says_how_and_why() -> None:
    difference = Difference("partitions", "3", "6", "all need the same number", fatal=True)
    topic = Shown("r.studies.v1", "Studies.", True, 3, 1, {"retention.ms": "9"}, (difference,))

    assert not topic.fits
    assert list(_lines(topic)) == [
        "r.studies.v1: 3 partitions, 1 copies",
        "    retention.ms=9",
        "    partitions is 3, wanted is 6: all need the same number. No worker starts with it.",
    ]


def test_a_missing_topic_says_what_it_is_for() -> None:
    topic = Shown("r.studies.v1", "Studies.", False, None, None, {}, ())

    assert not topic.fits
    assert list(_lines(topic)) == ["r.studies.v1: not there. Studies."]


class Ended(Exception):
    """The log of the test has nothing more."""


class ShortLog:
    """One transition, then the end."""

    def __init__(self, *incidents: Incident) -> None:
        self._incidents = list(incidents)

    async def next(self, timeout_s: float) -> list[Incident]:
        if not self._incidents:
            raise Ended
        return [self._incidents.pop()]


async def test_the_live_table_shows_what_comes(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    incident = Incident(
        incident="a",
        seq=1,
        fingerprint="f",
        kind="missing_output",
        state="open",
        reason="opened",
        severity="critical",
        site="north",
        title="ptx at north gives no result",
        opened_at=at,
        last_seen=at,
        at=at,
        evidence=Evidence(),
    )

    with pytest.raises(Ended):
        await _live(ShortLog(incident), IncidentBoard(), over=False)  # type: ignore[arg-type]

    shown = capsys.readouterr().out
    assert "1 incident is open; 0 are over." in shown
    assert "ptx at north" in shown


@pytest.mark.parametrize(
    "asked",
    [
        "--version",
        "--help",
        "ack --help",
        "topics --help",
        "incidents --help",
        "simulate --help",
        f"check-config {ROOT / 'examples' / 'radvigil.toml'}",
    ],
)
def test_what_detects_nothing_does_not_wait_for_the_compiler(asked: str) -> None:
    code = (
        "import atexit, sys; from streams.cli import main; "
        f"atexit.register(lambda: print('numba' in sys.modules)); main({asked.split()})"
    )

    python = [sys.executable, "-c", code]
    ended = subprocess.run(python, check=False, capture_output=True, text=True, timeout=60)

    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "False")


def test_the_first_steps_show_what_was_planted_and_nothing_else(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Those under the list of commands, with the example of a configuration."""
    day = tmp_path / "day.jsonl"
    assert main(["simulate", "--outage", "north/ptx@9h+2h"]) == 0
    day.write_bytes(capsysbinary.readouterr().out)
    config = str(ROOT / "examples/radvigil.toml")

    assert main(["replay", "--config", config, str(day), "--json"]) == 0

    told = json.loads(capsysbinary.readouterr().out)
    found = [(one["site"], one["kind"], one["state"]) for one in told["incidents"]]
    assert found == [("north", "missing_output", "resolved")]
    assert set(told["outcomes"]) == {"ptx"}


def test_the_benches_are_those_of_the_source_tree(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "nothing"]) == 2
    assert "no benchmark nothing; there are:\n  pipeline" in capfd.readouterr().err

    monkeypatch.setattr(bench, "SOURCE", tmp_path)
    assert main(["bench"]) == 1
    assert "come with the source" in capfd.readouterr().err


def test_a_name_that_the_terminal_cannot_show_ends_nothing(tmp_path: Path) -> None:
    config = tmp_path / "radvigil.toml"
    config.write_text('[[model]]\nname = "prüfer"\n', encoding="utf-8")
    python = [sys.executable, "-m", "streams.cli", "check-config", str(config)]
    plain = os.environ | {"PYTHONIOENCODING": "ascii"}

    ended = subprocess.run(python, check=False, capture_output=True, cwd=ROOT, env=plain)

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.startswith(b"model pr?fer: every study")


def test_the_list_of_commands_says_what_each_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    told = " ".join(capsys.readouterr().out.split())
    assert all(f"{name.replace('_', '-')} {summary}" in told for name, summary in COMMANDS.items())
