"""`radvigil replay` from end to end over a small recording whose every line was thought through.

tests/golden/replay/: `events.jsonl` is what arrived, the other files are what must be said of it.
"""

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from streams.cli import main

GOLDEN = Path(__file__).parents[1] / "golden" / "replay"
OUTPUTS = ("incidents", "outcomes", "deadletters", "series")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("events.jsonl", "radvigil.toml"):
        (tmp_path / name).write_bytes((GOLDEN / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replay(*arguments: str, config: str = "radvigil.toml") -> int:
    return main(["replay", "--config", config, *arguments])


def test_a_recording_is_told_as_it_was(here: Path) -> None:
    status = replay("events.jsonl", *(f"--{name}={name}.jsonl" for name in OUTPUTS))

    assert status == 0
    for name in ("incidents", "outcomes", "deadletters"):
        told = (here / f"{name}.jsonl").read_text().splitlines()
        assert told == (GOLDEN / f"{name}.jsonl").read_text().splitlines(), name


def test_running_it_twice_gives_the_same_bytes(here: Path) -> None:
    for run in ("first", "second"):
        replay("events.jsonl", *(f"--{name}={run}-{name}" for name in OUTPUTS))

    for name in OUTPUTS:
        assert (here / f"first-{name}").read_bytes() == (here / f"second-{name}").read_bytes()


@pytest.mark.parametrize(
    ("name", "pack"),
    [("events.jsonl.gz", gzip.compress), ("events.jsonl.zst", zstandard.compress)],
)
def test_packed_recordings_are_told_alike(
    here: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    Path(name).write_bytes(pack(Path("events.jsonl").read_bytes()))

    replay(name, "--outcomes=outcomes.jsonl")

    assert (here / "outcomes.jsonl").read_bytes() == (GOLDEN / "outcomes.jsonl").read_bytes()


def test_standard_input_is_told_alike(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = io.BytesIO(Path("events.jsonl").read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(events))

    replay("-", "--incidents=incidents.jsonl")

    assert (here / "incidents.jsonl").read_bytes() == (GOLDEN / "incidents.jsonl").read_bytes()


def test_a_recording_in_parts_is_told_as_one(here: Path) -> None:
    lines = Path("events.jsonl").read_bytes().splitlines(keepends=True)
    Path("1.jsonl").write_bytes(b"".join(lines[:11]))
    Path("2.jsonl").write_bytes(b"".join(lines[11:]))

    replay("1.jsonl", "2.jsonl", "--incidents=incidents.jsonl")

    assert (here / "incidents.jsonl").read_bytes() == (GOLDEN / "incidents.jsonl").read_bytes()


def test_time_can_be_stopped(here: Path) -> None:
    replay("events.jsonl", "--outcomes=out.jsonl", "--until=2026-01-05T09:42:00Z")

    all_but_the_last = (GOLDEN / "outcomes.jsonl").read_text().splitlines()[:-1]
    assert (here / "out.jsonl").read_text().splitlines() == all_but_the_last


def test_the_summary_counts_each_study_once(capsys: pytest.CaptureFixture[str]) -> None:
    replay("events.jsonl", "--json")

    told = json.loads(capsys.readouterr().out)
    assert told["outcomes"]["ptx"] == {
        "on_time": 6,
        "missing": 2,
        "late": 1,
        "incomplete": 1,
        "cancelled": 1,
        "failed": 0,
    }
    assert told["dead_letters"] == {"missing_field": 1, "not_json": 1}
    assert len(told["incidents"]) == 6


def test_the_summary_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    replay("events.jsonl")

    told = capsys.readouterr().out
    assert "events.jsonl:7: missing_field at $.at" in told
    assert "30 events" in told
    assert "secret-of-erika" not in told


def test_names_with_brackets_are_names(capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("events.jsonl").read_text().replace("cxr", "[/red]:smile:[bold]")
    Path("events.jsonl").write_text(text)

    replay("events.jsonl")

    assert "[/red]:smile:[bold]" in capsys.readouterr().out.replace("\n", "")


def test_nothing_that_a_terminal_would_act_on_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = Path("events.jsonl").read_text().replace("cxr", r"c\u001b[2Jx\nr\u202e")
    Path("events.jsonl").write_text(text)

    replay("events.jsonl")

    told = capsys.readouterr().out
    assert "c?[2Jx?r?" in told.replace("\n", "")
    assert all(line.isprintable() for line in told.splitlines())


def test_one_event_and_one_line_are_one(capsys: pytest.CaptureFixture[str]) -> None:
    Path("one.jsonl").write_bytes(Path("events.jsonl").read_bytes().splitlines(True)[0] + b"?\n")

    replay("one.jsonl")

    told = capsys.readouterr().out
    assert "1 line could not be read:" in told
    assert "1 event, " in told


STATUSES = {
    "no incident": (["quiet.jsonl", "--exit-code"], 0),
    "incidents": (["events.jsonl", "--exit-code"], 3),
    "incidents, not asked for": (["events.jsonl"], 0),
    "no such recording": (["absent.jsonl"], 1),
    "a damaged recording": (["damaged.jsonl.gz"], 1),
    "an output that cannot be written": (["events.jsonl", "--outcomes=absent/out.jsonl"], 1),
}


@pytest.mark.parametrize(("arguments", "status"), STATUSES.values(), ids=STATUSES)
def test_the_exit_status(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("quiet.jsonl").write_bytes(b"")
    Path("damaged.jsonl.gz").write_bytes(b"this is no gzip")

    assert replay(*arguments) == status
    said = capsys.readouterr().err
    assert said.startswith("radvigil: ") == (status == 1)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("until", "why"),
    [
        ("2026-01-05", "write 2026-01-05T00:00:00Z for UTC"),
        ("2026-01-05T09:42", "write 2026-01-05T09:42:00Z for UTC"),
        ("9999-12-31T00:00:00Z", "not in the years 1900 to 2999"),  # would take hours and gigabytes
    ],
)
def test_a_time_that_cannot_be_meant_is_refused_with_one_that_can(
    until: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        replay("events.jsonl", f"--until={until}")

    assert why in capsys.readouterr().err


BAD_USAGE = {
    "no recording": [],
    "a time that is none": ["events.jsonl", "--until=tomorrow"],
    "a time without an offset": ["events.jsonl", "--until=2026-01-05T09:00:00"],
    "an unknown option": ["events.jsonl", "--kvp"],
}


@pytest.mark.parametrize("arguments", BAD_USAGE.values(), ids=BAD_USAGE)
def test_bad_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        replay(*arguments)

    assert exit_.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("config", ["absent.toml", "bad.toml"])
def test_a_bad_configuration_is_2(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.toml").write_text("lateness = 3\n")

    assert replay("events.jsonl", config=config) == 2
    assert config in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("events.jsonl", "--outcomes", "events.jsonl"),
        ("events.jsonl", "--outcomes", "./events.jsonl"),
        ("events.jsonl", "--outcomes", "hard.jsonl"),
        ("events.jsonl", "--outcomes", "soft.jsonl"),
        ("events.jsonl", "--outcomes", "out.jsonl", "--incidents", "out.jsonl"),
    ],
)
def test_no_output_overwrites_the_events_or_another_output(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("hard.jsonl").hardlink_to("events.jsonl")
    Path("soft.jsonl").symlink_to("events.jsonl")
    before = Path("events.jsonl").read_bytes()

    assert replay(*arguments) == 1

    assert "would overwrite" in capsys.readouterr().err
    assert Path("events.jsonl").read_bytes() == before


def test_standard_input_is_read_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))

    assert replay("-", "-") == 1

    assert "standard input can be read only once" in capsys.readouterr().err


def test_two_outputs_may_go_nowhere() -> None:
    assert replay("events.jsonl", "--outcomes", "/dev/null", "--incidents", "/dev/null") == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    assert replay("events.jsonl", "--outcomes", "/dev/full") == 1

    told = capfd.readouterr().err
    assert told == "radvigil: the output cannot be written: No space left on device\n"


def test_a_stream_of_output_is_not_mixed_with_the_summary(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    replay("events.jsonl", "--outcomes=-")

    captured = capfdbinary.readouterr()
    assert captured.out == (GOLDEN / "outcomes.jsonl").read_bytes()
    assert b"30 events" in captured.err
