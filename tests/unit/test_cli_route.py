"""`radvigil route`: who would be told of an incident, and why not the others."""

import io
import json
import sys
from argparse import ArgumentParser
from pathlib import Path

import msgspec
import pytest

from schemas.incident import Incident
from streams.cli import route
from streams.cli.arguments import BadInput
from tests.unit.routing_desk import incident

CONFIG = """
timezone = "UTC"
[[receiver]]
name = "pager"
kind = "log"
min_severity = "critical"
[[receiver]]
name = "oncall"
kind = "log"
[[receiver]]
name = "lead"
kind = "log"
[[route]]
match = { kind = ["input_drift"] }
receivers = ["lead"]
[[route]]
match = { site = ["north"] }
receivers = ["pager", "oncall"]
escalate = [{ after_s = 900, receivers = ["lead"] }]
[[route]]
receivers = ["lead"]
[[site]]
name = "north"
maintenance = [{ cron = "0 2 * * *", minutes = 60 }]
"""


class Terminal:
    """The command, on a configuration and incidents in files."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys
        self._config = self.write("c.toml", CONFIG.encode())

    def write(self, name: str, content: bytes) -> str:
        path = self._folder / name
        path.write_bytes(content)
        return str(path)

    def explains(self, what: Incident, *arguments: str, status: int = 0) -> list[str]:
        return self.runs(self.write("i.json", msgspec.json.encode(what)), *arguments, status=status)

    def runs(self, source: str, *arguments: str, status: int = 0) -> list[str]:
        parser = ArgumentParser()
        route.add(parser.add_subparsers())
        given = ["route", "--config", self._config, "--explain", source, *arguments]
        assert route.run(parser.parse_args(given)) == status
        return self._capsys.readouterr().out.splitlines()


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


def test_it_says_who_and_when_and_why_not(terminal: Terminal) -> None:
    assert terminal.explains(incident("a")) == [
        "incident a at 2026-01-05 00:00:00Z",
        "   route[0] to lead: kind is missing_output, wanted is input_drift",
        "-> route[1] to pager, oncall: matches",
        "   route[2] to lead: not asked: route[1] matched and does not continue",
        "   log to log: a route matched",
        "if nothing else happens:",
        "  2026-01-05 00:00:30Z oncall: open, opened, disturbing",
        "  2026-01-05 00:15:00Z lead: open, escalated, disturbing",
        "  2026-01-05 04:00:30Z oncall: update, repeated, disturbing",
        "  2026-01-05 04:15:00Z lead: update, repeated, disturbing",
        "  pager: not told: error is below its min_severity",
    ]


def test_at_another_time_it_falls_into_maintenance(terminal: Terminal) -> None:
    said = terminal.explains(incident("a", severity="critical"), "--at", "2026-01-06T02:30:00Z")

    assert "suppressed: maintenance by cron 0 2 * * * until 2026-01-06 03:00:00Z" in said
    assert "  2026-01-06 03:00:00Z pager: open, opened, disturbing" in said


def test_others_that_are_open_may_explain_it(terminal: Terminal) -> None:
    feed = {"kind": "silence", "model": None, "subject": "predictions"}
    others = [incident("s", 1, -60, **feed), incident("t", 1, -60, site="south", **feed)]
    path = terminal.write("open.jsonl", b"\n".join(map(msgspec.json.encode, others)) + b"\n")

    said = terminal.explains(incident("a"), "--incidents", path, "--exit-code", status=3)
    assert "suppressed: inhibited by s while that lasts" in said
    assert "nobody is told within a day" in said
    assert "  oncall: not told: inhibited by s" in said

    over = msgspec.json.encode(incident("s", 2, -30, state="resolved", **feed))
    path = terminal.write("open.jsonl", b"\n".join(map(msgspec.json.encode, others)) + b"\n" + over)
    assert terminal.explains(incident("a"), "--incidents", path, "--exit-code")[5].startswith("if")


@pytest.mark.parametrize(
    "state, why",
    [
        ("pending", "pending is never told"),
        ("resolved", "the end is told to those who were told of it, and to nobody else"),
        ("resolving", "it is recovering, and is told only if it recurs"),
    ],
)
def test_what_is_not_open_is_told_to_nobody_new(terminal: Terminal, state: str, why: str) -> None:
    said = terminal.explains(incident("a", 3, state=state), "--exit-code", status=3)

    assert f"  oncall: not told: {why}" in said


def test_json_from_standard_input(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    text = msgspec.json.encode(incident("a", severity="critical"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    said = json.loads("\n".join(terminal.runs("-", "--json")))

    assert [(one["receiver"], one["why"]) for one in said["sent"]][:2] == [
        ("pager", "opened"),
        ("oncall", "opened"),
    ]
    assert [one["taken"] for one in said["routes"]] == [False, True, False, False]


@pytest.mark.parametrize("content", [b"{", b'{"incident": 3}', b""])
def test_what_is_no_incident_is_a_sentence(terminal: Terminal, content: bytes) -> None:
    with pytest.raises(BadInput, match="not an incident"):
        terminal.runs(terminal.write("i.json", content))


def test_a_file_that_is_not_there_is_a_sentence(terminal: Terminal) -> None:
    with pytest.raises(BadInput, match="No such file"):
        terminal.runs("/nowhere/i.json")
