"""Secrets come from the environment or a file, and never turn up in an error."""

from pathlib import Path

import pytest

from schemas.kafka import Kafka
from schemas.secrets import MissingSecret, read_secret


def test_a_secret_comes_from_the_environment() -> None:
    kafka = Kafka(password_env="KAFKA_PASSWORD")

    assert read_secret(kafka, "password", "kafka", {"KAFKA_PASSWORD": " s3 "}) == " s3 "


def test_a_secret_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3\n")

    assert read_secret(Kafka(password_file=str(tmp_path / "password")), "password", "kafka") == "s3"


def test_a_secret_that_is_not_named_is_none() -> None:
    assert read_secret(Kafka(), "password", "kafka", {}) is None


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "`kafka.password_env`: the environment variable KAFKA_PASSWORD is not set"),
        (
            {"KAFKA_PASSWORD": ""},
            "`kafka.password_env`: the environment variable KAFKA_PASSWORD is empty",
        ),
    ],
)
def test_a_variable_that_is_not_there_is_named(environment: dict[str, str], words: str) -> None:
    with pytest.raises(MissingSecret) as caught:
        read_secret(Kafka(password_env="KAFKA_PASSWORD"), "password", "kafka", environment)

    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot read"), (b"\n", "is empty"), (b"\xe4hunter2", "is not UTF-8 text")],
)
def test_a_file_that_is_no_secret_is_named(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(MissingSecret) as caught:
        read_secret(Kafka(password_file=str(path)), "password", "kafka")

    assert words in str(caught.value)
    assert str(caught.value).startswith("`kafka.password_file`")
    assert "hunter2" not in str(caught.value)
