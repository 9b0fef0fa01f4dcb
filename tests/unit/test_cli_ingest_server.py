"""`radvigil ingest` of a server: what of its command line is refused; no secret is told."""

from pathlib import Path

import pytest

from streams.cli import main

PLANTED = "planted-password"


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    config = tmp_path / "radvigil.toml"
    config.write_text(f'[ingest]\nsite = "north"\nkey_file = "{tmp_path}/key"\n')
    return ["--config", str(config), "--once"]


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        (["ftp://pacs"], "name one address"),
        (["pacs:8042"], "name one address"),
        (["http://one", "http://two"], "name one address"),
        ([f"http://reader:{PLANTED}@pacs:8042"], "leave name and password out"),
        (["--listen", "127.0.0.1:0"], "can be received"),
        ([], "name sources to read"),
    ],
)
def test_a_wrong_source_is_refused(
    sources: list[str], told: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ingest", "orthanc", *sources, *options]) == 2

    said = capsys.readouterr()
    assert told in said.err
    assert PLANTED not in said.out + said.err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('password_env = "NOT_SET_ANYWHERE"', "NOT_SET_ANYWHERE is not set"),
        ('username_file = "/nowhere/name"', "cannot read /nowhere/name"),
        ('ca_file = "/nowhere/ca.pem"', "/nowhere/ca.pem"),
    ],
)
def test_a_secret_that_is_not_there_is_named(
    line: str, told: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    config = Path(options[1])
    config.write_text(f"{config.read_text()}[ingest.server]\n{line}\n")

    assert main(["ingest", "orthanc", "http://127.0.0.1:1", *options]) == 2
    assert told in capsys.readouterr().err


def test_nobody_there_is_a_sentence(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = "/patients/planted-4711"

    assert main(["ingest", "orthanc", f"http://127.0.0.1:1{path}", *options]) == 1

    said = capsys.readouterr().err
    assert "http://127.0.0.1:1 does not answer" in said
    assert "planted" not in said


def test_a_position_of_something_else_is_not_overwritten(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes"
    file.write_text("mine")

    ran = main(["ingest", "orthanc", "http://127.0.0.1:1", "--position", str(file), *options])

    assert (ran, file.read_text()) == (1, "mine")
    assert "is not a position" in capsys.readouterr().err


@pytest.mark.parametrize("pause", ["0", "-1", "nan", "often"])
def test_a_pause_that_is_none_is_refused(
    pause: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["ingest", "orthanc", "http://127.0.0.1:1", f"--every={pause}", *options])

    assert "not seconds" in capsys.readouterr().err
