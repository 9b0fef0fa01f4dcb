"""The readers of real data: what a user does wrong is a sentence."""

import pytest

from examples.event_lines import run


def test_a_missing_file_is_named() -> None:
    def command() -> None:
        raise FileNotFoundError(2, "No such file or directory", "nih.parquet")

    with pytest.raises(SystemExit, match=r"nih\.parquet: no such file"):
        run(command)


def test_a_reader_that_has_had_enough_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise BrokenPipeError

    redirected: list[int] = []
    monkeypatch.setattr("os.dup2", lambda _, to: redirected.append(to))

    run(command)

    assert len(redirected) == 1
    assert capfd.readouterr().err == ""
