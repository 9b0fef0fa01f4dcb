"""`radvigil pseudonym`: the keys of identifiers, and no word of the identifiers themselves."""

import base64
import io
import json
from pathlib import Path

import msgspec
import pytest

from streams.cli import main
from streams.ingest.pseudonym import Pseudonyms, Secret

OLD, NEW = Secret(1, b"o" * 32), Secret(2, b"n" * 32)
KEYS = Pseudonyms(NEW, previous=OLD)
UID = "1.2.826.0.1.3680043.999.4711"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for secret in (OLD, NEW):
        written = base64.b64encode(secret.content)
        (tmp_path / f"key{secret.epoch}").write_bytes(written)
    links = {KEYS.key("accession", "ACC-1", "A"): KEYS.key("study", UID)}
    (tmp_path / "links").write_bytes(msgspec.json.encode(links))
    config = tmp_path / "radvigil.toml"
    config.write_text(
        f'[ingest]\nepoch = 2\nkey_file = "{tmp_path}/key2"\n'
        f'previous_key_file = "{tmp_path}/key1"\nlinks_file = "{tmp_path}/links"\n'
    )
    return config


def given(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    content = io.BytesIO("".join(f"{line}\n" for line in lines).encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(content))


def test_keys_of_both_secrets_are_told(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, "1.2.3", "", UID)

    assert main(["pseudonym", "study", "--config", str(config), "--json"]) == 0

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [
        {"number": 1, "keys": KEYS.keys("study", "1.2.3"), "study": None},
        {"number": 3, "keys": KEYS.keys("study", UID), "study": None},
    ]


@pytest.mark.parametrize(("issuer", "known"), [("A", True), ("B", False)])
def test_an_accession_number_leads_to_its_study(
    issuer: str,
    known: bool,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given(monkeypatch, "ACC-1")

    main(["pseudonym", "accession", "-", "--issuer", issuer, "--config", str(config)])

    told = capsys.readouterr().out
    assert KEYS.key("accession", "ACC-1", issuer) in told
    assert (f"of study {KEYS.key('study', UID)}" in told) == known


def test_a_patient_is_another_domain(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, "4711")

    main(["pseudonym", "patient", "--issuer", "A", "--config", str(config)])

    present, previous = KEYS.keys("patient", "4711", "A")
    assert capsys.readouterr().out == f"1  {present}  {previous}\n"


def test_arguments_work_and_are_warned_of(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pseudonym", "study", UID, "--config", str(config)]) == 0

    told = capsys.readouterr()
    assert KEYS.key("study", UID) in told.out
    assert "shell's history" in told.err
    assert UID not in told.out + told.err


@pytest.mark.parametrize("value", ["PLANTED" * 40, "PLANTED\x07", "PLANTED\udc80"])
def test_what_cannot_be_one_is_named_by_its_number(
    value: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = io.BytesIO(f"fine\n{value}\n".encode("utf-8", "surrogateescape"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(content))

    assert main(["pseudonym", "study", "--config", str(config)]) == 1

    told = capsys.readouterr()
    assert "value 2 cannot be an identifier" in told.err
    assert "PLANTED" not in told.out + told.err


def test_nothing_given_is_bad_input(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch)

    assert main(["pseudonym", "study", "--config", str(config)]) == 1
    assert "no value" in capsys.readouterr().err


def test_no_secret_is_made_to_look_something_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert main(["pseudonym", "study", UID]) == 2

    assert "no pseudonym secret" in capsys.readouterr().err
    assert list(tmp_path.rglob("*.key")) == []
