"""Workers on a Kafka with TLS and logins, as configured and with secrets from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.serve import EXIT_STOPPED
from tests.integration.conftest import running
from tests.integration.console import Console, run
from tests.integration.fleet import Fleet
from tests.integration.patience import wait_until
from tests.integration.scene import Scene
from tests.integration.secured import PASSWORD, USER, SecuredKafka
from tests.integration.ward import config_toml

pytestmark = pytest.mark.kafka
LOGIN = """security = "SASL_SSL"
mechanism = "{mechanism}"
username_env = "TEST_KAFKA_USER"
password_file = "{folder}/password"
ca_file = "{folder}/ca.crt"
"""
CERTIFICATE = """security = "SSL"
ca_file = "{folder}/ca.crt"
cert_file = "{folder}/client.crt"
key_file = "{folder}/client.key"
"""


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    yield from running(SecuredKafka, tmp_path_factory.mktemp("secured"))


@pytest.fixture(autouse=True)
def secrets(secured: SecuredKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KAFKA_USER", USER)
    (secured.folder / "password").write_text(PASSWORD + "\n")


def login(secured: SecuredKafka, mechanism: str = "SCRAM-SHA-512") -> str:
    return LOGIN.format(folder=secured.folder, mechanism=mechanism)


def test_workers_share_the_work_by_password_and_by_certificate(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    scene = Scene(secured, tmp_path, "guarded")
    certificate = CERTIFICATE.format(folder=secured.folder)
    fleet = scene.fleet = Fleet(tmp_path, "")
    fleet.configure("a", config_toml("guarded", secured.sasl, login(secured)))
    fleet.configure("b", config_toml("guarded", secured.tls, certificate))
    try:
        scene.start("a", "b")
        assert wait_until(lambda: ": restored " in fleet.log("a"), 40)
        assert wait_until(lambda: ": restored " in fleet.log("b"), 40)
        scene.flowing()

        scene.verdict(replay=False)
    finally:
        scene.close()
    assert PASSWORD not in fleet.log("a")


def topics(folder: Path, address: str, connection: str) -> tuple[int, str]:
    config = folder / "topics.toml"
    config.write_text(config_toml("shown", address, connection))
    ran = run("topics", "--config", str(config), "--create")
    assert "Traceback" not in ran.stderr
    assert PASSWORD not in ran.stdout + ran.stderr
    return ran.returncode, ran.stderr


def test_plain_passwords_over_tls_are_taken_too(secured: SecuredKafka, tmp_path: Path) -> None:
    assert topics(tmp_path, secured.sasl, login(secured, "PLAIN"))[0] == EXIT_STOPPED


def test_a_secret_that_is_not_there_is_named(
    secured: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_KAFKA_USER")

    status, said = topics(tmp_path, secured.sasl, login(secured))

    assert status == 2
    assert "TEST_KAFKA_USER" in said


def test_a_wrong_password_and_a_broker_that_cannot_prove_itself(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    """At the same time: each waits as long as for a broker that is away."""
    right = login(secured)
    (tmp_path / "wrong").write_text("wrong-secret")
    wrong = {
        "password": right.replace(f"{secured.folder}/password", f"{tmp_path}/wrong"),
        "authority": right.replace("ca.crt", "client.crt"),
    }
    asked = []
    for name, connection in wrong.items():
        config = tmp_path / f"{name}.toml"
        config.write_text(config_toml("refused", secured.sasl, connection))
        asked.append(Console("topics", "--config", str(config)))

    assert [console.wait() for console in asked] == [1, 1]
    for console in asked:
        assert "the broker does not answer" in console.text
        assert "secret" not in console.text
