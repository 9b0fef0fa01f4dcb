"""The way to a broker, for both clients: TLS, logins, and secrets that stay secret."""

import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest

from schemas.config import Config
from schemas.kafka import Kafka
from schemas.secrets import MissingSecret
from streams.kafka.connection import aiokafka_settings, librdkafka_settings, ssl_context
from tests.integration.secured import certificates

SECRET = "planted-password"


def config(**kafka: Any) -> Config:
    return Config(broker="one:9092,two:9093", kafka=Kafka(**kafka))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: it makes the certificates")
    folder = tmp_path_factory.mktemp("certificates")
    certificates(folder)
    return folder


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    monkeypatch.setenv("TEST_USER", "somebody")
    (tmp_path / "password").write_text(SECRET + "\n")
    return {"username_env": "TEST_USER", "password_file": str(tmp_path / "password")}


def test_in_the_clear_there_is_only_the_address() -> None:
    assert aiokafka_settings(config()) == {
        "bootstrap_servers": ["one:9092", "two:9093"],
        "security_protocol": "PLAINTEXT",
    }
    assert librdkafka_settings(config()) == {
        "bootstrap.servers": "one:9092,two:9093",
        "security.protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_login_is_read_where_the_configuration_says(
    mechanism: str, login: dict[str, str]
) -> None:
    settings = config(security="SASL_PLAINTEXT", mechanism=mechanism, **login)

    ours, theirs = aiokafka_settings(settings), librdkafka_settings(settings)

    assert "ssl_context" not in ours
    assert [ours[f"sasl_{key}"] for key in ("mechanism", "plain_username", "plain_password")] == [
        mechanism,
        "somebody",
        SECRET,
    ]
    assert [theirs[f"sasl.{key}"] for key in ("mechanisms", "username", "password")] == [
        mechanism,
        "somebody",
        SECRET,
    ]


def test_tls_trusts_who_is_named_and_shows_who_we_are(folder: Path) -> None:
    files = {"ca_file": "ca.crt", "cert_file": "client.crt", "key_file": "client.key"}
    settings = config(security="SSL", **{key: str(folder / name) for key, name in files.items()})

    context = aiokafka_settings(settings)["ssl_context"]

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert [dict(one[0] for one in ca["subject"]) for ca in context.get_ca_certs()] == [
        {"commonName": "test authority"}
    ]
    assert librdkafka_settings(settings) == {
        "bootstrap.servers": "one:9092,two:9093",
        "security.protocol": "SSL",
        "ssl.ca.location": f"{folder}/ca.crt",
        "ssl.certificate.location": f"{folder}/client.crt",
        "ssl.key.location": f"{folder}/client.key",
    }


def test_without_a_named_authority_the_systems_are_trusted() -> None:
    context = ssl_context(Kafka(security="SASL_SSL"))

    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert ssl_context(Kafka(security="SASL_PLAINTEXT")) is None


def test_a_login_that_is_not_there_is_named_and_no_other_secret_shown(
    login: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_USER")

    for settings_of in (aiokafka_settings, librdkafka_settings):
        with pytest.raises(MissingSecret, match="TEST_USER") as raised:
            settings_of(config(security="SASL_SSL", **login))
        assert SECRET not in str(raised.value)
