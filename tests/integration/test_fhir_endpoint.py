"""`radvigil ingest fhir` as it is run: an endpoint with TLS and a token, and a bulk export."""

import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.brokers import Broker
from tests.integration.console import Console, with_topics
from tests.integration.dicom_rig import certificate, need
from tests.integration.fleet import Reader
from tests.integration.patience import wait_until
from tests.unit import fhir_samples as samples
from tests.unit.fhir_samples import of

CONFIG = '[ingest]\nsite = "north"\nkey_file = "{folder}/secret"\nlinks_file = "{folder}/links"\n'
TOKEN = "planted-token"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "radvigil.toml"
    file.write_text(CONFIG.format(folder=tmp_path))
    return file


class Endpoint:
    """The endpoint on a free port, and who sends to it."""

    def __init__(self, config: Path, folder: Path, *more: str) -> None:
        cert, key = certificate(folder)
        self._trust = ssl.create_default_context(cafile=str(cert))
        listen = ["ingest", "fhir", "--listen", "127.0.0.1:0", "--config", str(config)]
        files = ["--tls-cert", str(cert), "--tls-key", str(key)]
        self.console = Console(*listen, *files, *more, RADVIGIL_FHIR_TOKEN=TOKEN)
        line = self.console.until(lambda line: "listening for fhir" in line, 30)
        found = re.search(r":(\d+)$", line)
        assert found is not None
        self._url = f"https://localhost:{found[1]}/fhir/"

    def send(self, tree: Any, token: str = TOKEN) -> int:
        headers = {"Content-Type": "application/fhir+json", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self._url, of(tree), headers)
        try:
            with urllib.request.urlopen(request, context=self._trust, timeout=40) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.console.seen if line.startswith("{")]


@pytest.fixture
def endpoint(config: Path, tmp_path: Path) -> Iterator[Endpoint]:
    need("openssl")
    endpoint = Endpoint(config, tmp_path)
    yield endpoint
    endpoint.console.close()


def test_a_subscription_over_tls_with_a_token(endpoint: Endpoint) -> None:
    sent = [
        endpoint.send(samples.notification("R5", what="handshake")),
        endpoint.send(samples.bundle(samples.PATIENT, samples.study("R5"))),
        endpoint.send(samples.notification("R5", samples.report("R5"))),
        endpoint.send(samples.report("R4", status="corrected")),
        endpoint.send(samples.study("R4", status="nonsense")),
        endpoint.send(samples.study("R4"), token="wrong"),
    ]

    assert sent == [200, 200, 200, 200, 422, 401]
    assert endpoint.console.end() == 0
    events = endpoint.events()
    assert [event.get("status", "study") for event in events] == ["study", "final", "corrected"]
    assert len({event["study"] for event in events}) == 1
    assert "pneumothorax" in {label["finding"] for label in events[1]["labels"]}
    assert "1 x unsupported (ImagingStudy.status)" in endpoint.console.text
    assert "planted" not in endpoint.console.text.lower()


def test_a_bulk_export_meets_what_an_earlier_run_learnt(config: Path, tmp_path: Path) -> None:
    images, reports = tmp_path / "images", tmp_path / "reports"
    images.mkdir()
    reports.mkdir()
    (images / "ImagingStudy.ndjson").write_bytes(of(samples.study("R4")) + b"\n")
    (reports / "DiagnosticReport.ndjson").write_bytes(
        b"".join(of(samples.report("R4", id=f"r{n}")) + b"\n" for n in range(3))
    )

    told = []
    for folder in (images, reports):
        console = Console("ingest", "fhir", str(folder), "--config", str(config))
        assert console.wait() == 0
        told += [json.loads(line) for line in console.seen if line.startswith("{")]
        assert "planted" not in console.text.lower()

    assert [event["type"] for event in told] == ["radvigil.study.v1"] + ["radvigil.report.v1"] * 3
    assert len({event["study"] for event in told}) == 1


@pytest.mark.kafka
def test_what_is_answered_with_200_is_on_kafka_and_what_is_not_is_sent_again(
    kafka: Broker, tmp_path: Path
) -> None:
    need("openssl")
    prefix = f"fhir{kafka.suffix}"
    head = f'prefix = "{prefix}"\nbroker = "{kafka.bootstrap}"\n[kafka]\nreplication = 1\n'
    file = with_topics(tmp_path, head + CONFIG.format(folder=tmp_path) + "answer_s = 1\n")
    endpoint = Endpoint(file, tmp_path, "--to-kafka")
    reader = Reader(kafka.bootstrap)
    try:
        taken = endpoint.send(samples.study("R4"))
        there = len(reader.rows(f"{prefix}.studies.v1"))
        kafka.stop()
        refused = endpoint.send(samples.report("R4"))
        kafka.start()
        again = wait_until(lambda: endpoint.send(samples.report("R4")) == 200, 60)
        rows = reader.rows(f"{prefix}.reports.v1")
        endpoint.console.end()
    finally:
        endpoint.console.close()
        reader.close()

    assert (taken, there, refused, again) == (200, 1, 503, True)
    assert {json.loads(row.value)["status"] for row in rows} == {"final"}  # at least once
    assert {row.key for row in rows} == {b"north"}
    assert not any(b"lanted" in row.value for row in rows)
