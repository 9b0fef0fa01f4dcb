"""`radvigil reference` on shards and commands that are at hand; Kafka is left out."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.command import Command
from schemas.reply import Reply
from streams.cli import main, reference
from tests.unit.builders import Shard, at
from tests.unit.test_references import CONFIG, story, studies

GOLDEN = Path(__file__).parents[1] / "golden" / "reference" / "v1.jsonl"


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "radvigil.toml"
    path.write_text('broker = "localhost:9092"\n')
    return str(path)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Command]:
    """The commands that are sent; all but those of words are accepted."""
    sent: list[Command] = []

    async def send(_: object, commands: Sequence[Command], wait_s: float) -> list[Reply | None]:
        sent.extend(commands)
        return [
            Reply(
                command_id=one.command_id,
                site=one.site,
                action=one.action,
                accepted=(one.matchers or {}).get("subject") != "acquisition.kernel",
                reason="ok",
                at=at(0),
                affected_n=2,
            )
            for one in commands
        ]

    monkeypatch.setattr(reference, "_send", send)
    return sent


def shard(monkeypatch: pytest.MonkeyPatch, n: int = 0) -> None:
    one = Shard(CONFIG)
    one.send(*(studies(n) if n else story()))
    monkeypatch.setattr(reference, "shards_of", lambda _: [one.pipeline])


def test_list_tells_what_is_in_force_and_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: str
) -> None:
    shard(monkeypatch)

    assert main(["reference", "list", "--config", config, "--subject", "acquisition.kvp"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("; kept: 3, 2")
    assert main(["reference", "show", "--config", config, "--site", "north", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_subject = {row["subject"]: row for row in rows}
    numbers = [one["number"] for one in by_subject["acquisition.kvp"]["references"]]
    assert numbers == [1, 3, 2]


def test_what_is_exported_can_be_imported(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    config: str,
    told: list[Command],
    tmp_path: Path,
) -> None:
    shard(monkeypatch, 120)
    assert main(["reference", "export", "--config", config, "--site", "north"]) == 0
    file = tmp_path / "north.jsonl"
    file.write_text(capsys.readouterr().out)

    status = main(["reference", "import", "--config", config, "--site", "south", str(file)])

    assert status == 3  # that of words is rejected
    assert {one.site for one in told} == {"south"}
    assert all(one.reference is not None and one.names_reference for one in told)
    out = capsys.readouterr().out
    assert f"taken up: {len(told) - 1} of {len(told)}, on trial" in out
    assert "rejected: acquisition.kernel of the studies at south" in out


def test_restore_names_a_model_or_a_series(
    capsys: pytest.CaptureFixture[str], config: str, told: list[Command]
) -> None:
    words = ["reference", "restore", "--config", config, "--site", "north"]

    assert main([*words, "--model", "ptx", "--as", "kim"]) == 0
    assert capsys.readouterr().out == "restored: 2 series\n"
    (sent,) = told
    assert (sent.actor, sent.reference_number, sent.matchers) == ("kim", 0, {"model": "ptx"})
    with pytest.raises(SystemExit) as usage:
        main(words)
    assert usage.value.code == 2


@pytest.mark.parametrize("line", ["", "{}", "no json", GOLDEN.read_text()[:100]])
def test_a_file_that_is_none_is_named_with_its_line(
    capsys: pytest.CaptureFixture[str], config: str, told: list[Command], tmp_path: Path, line: str
) -> None:
    file = tmp_path / "broken.jsonl"
    first = GOLDEN.read_text().splitlines()[0]
    file.write_text(f"{first}\n{line}\n")

    assert main(["reference", "import", "--config", config, str(file)]) == 1
    assert f"{file}:2: not an exported reference" in capsys.readouterr().err
    assert told == []


def test_a_file_that_is_not_there_is_said_so(
    capsys: pytest.CaptureFixture[str], config: str, told: list[Command]
) -> None:
    assert main(["reference", "import", "--config", config, "nowhere.jsonl"]) == 1
    assert "nowhere.jsonl: No such file" in capsys.readouterr().err
