"""Our receiver and our reader of Orthanc against programs that know nothing of us."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.console import Console
from tests.integration.dicom_rig import (
    DICOMWEB,
    ORTHANC_PASSWORD,
    ORTHANC_USER,
    Orthanc,
    Way,
    certificate,
    dcmtk,
    need,
    radiograph,
    result,
)
from tests.integration.patience import wait_until

CONFIG = """
[ingest]
site = "north"
key_file = "{folder}/secret"
stable_s = 1
[ingest.server]
username_env = "ORTHANC_USER"
password_env = "ORTHANC_PASSWORD"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "radvigil.toml"
    file.write_text(CONFIG.format(folder=tmp_path))
    return file


class Ingesting:
    """`radvigil ingest`, with its events as they come."""

    def __init__(self, *arguments: str | Path, password: str = ORTHANC_PASSWORD) -> None:
        told = {"ORTHANC_USER": ORTHANC_USER, "ORTHANC_PASSWORD": password}
        self.console = Console("ingest", *map(str, arguments), **told)

    def study(self, state: str, instances_n: int) -> dict[str, Any]:
        """The next one that is in this state with so many images."""

        def is_it(line: str) -> bool:
            event = json.loads(line) if line.startswith("{") else {}
            told = event.get("state", "complete"), event.get("attributes", {}).get("instances_n")
            return told == (state, instances_n)

        found: dict[str, Any] = json.loads(self.console.until(is_it, 30))
        return found

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.console.seen if line.startswith("{")]


class Receiver(Ingesting):
    """Our receiver on a free port; `address` is what dcmtk's senders are given."""

    def __init__(self, config: Path, *more: str | Path) -> None:
        listen = ["dicom", "--listen", "127.0.0.1:0", "--aet", "RADVIGIL"]
        super().__init__(*listen, "--config", config, *more)
        line = self.console.until(lambda line: "listening for dicom" in line, 30)
        found = re.search(r":(\d+)$", line)
        assert found is not None
        self.port = int(found[1])
        self.address = ("-aec", "RADVIGIL", "127.0.0.1", str(self.port))


@pytest.fixture
def receiver(config: Path) -> Iterator[Receiver]:
    need("echoscu", "storescu", "dcmsend", "dump2dcm", "dcmcjpeg")
    receiver = Receiver(config)
    yield receiver
    receiver.console.close()


class TestReceiver:
    def test_dcmtk_sends_a_study_and_a_late_image(self, receiver: Receiver, tmp_path: Path) -> None:
        files = [radiograph(tmp_path / "dcm", 1, number) for number in range(3)]

        assert dcmtk("echoscu", *receiver.address) == 0
        assert dcmtk("storescu", *receiver.address, *files[:1]) == 0
        assert dcmtk("dcmsend", *receiver.address, files[1]) == 0
        received = receiver.study("received", 1)
        complete = receiver.study("complete", 2)
        assert dcmtk("storescu", *receiver.address, files[2]) == 0
        late = receiver.study("complete", 3)

        assert received["study"] == complete["study"] == late["study"]
        assert (late["modality"], late["view"], late["body_part"]) == ("DX", "PA", "CHEST")
        assert receiver.console.end() == 0
        assert "planted" not in receiver.console.text.lower()

    def test_a_sender_that_means_another_is_refused(
        self, receiver: Receiver, tmp_path: Path
    ) -> None:
        image = radiograph(tmp_path / "dcm", 1, 1)
        here = ("127.0.0.1", str(receiver.port))

        assert dcmtk("storescu", "-aec", "PLANTED", *here, image) != 0
        assert dcmtk("storescu", *receiver.address, image) == 0
        receiver.study("complete", 1)

        assert receiver.console.text.count("it calls another title than ours (--aet)") == 1
        assert "planted" not in receiver.console.text.lower()

    def test_an_image_compressed_without_loss_is_taken(
        self, receiver: Receiver, tmp_path: Path
    ) -> None:
        plain, small = radiograph(tmp_path / "dcm", 1, 1), tmp_path / "small.dcm"
        assert dcmtk("dcmcjpeg", plain, small) == 0

        assert dcmtk("storescu", "-xs", *receiver.address, small) == 0

        assert receiver.study("complete", 1)["acquisition"]["bits"] == 12

    @pytest.mark.parametrize("after_bytes", [40, 20_000])
    def test_a_transfer_that_breaks_off_is_nothing_and_can_be_repeated(
        self, after_bytes: int, receiver: Receiver, tmp_path: Path
    ) -> None:
        """Within the handshake, and within the pixels."""
        image = radiograph(tmp_path / "dcm", 1, 1, side=256)
        cutter = Way(receiver.port, after_bytes)
        try:
            cut = dcmtk("storescu", "-aec", "RADVIGIL", "127.0.0.1", str(cutter.port), image)
        finally:
            cutter.close()

        assert dcmtk("storescu", *receiver.address, image) == 0
        receiver.study("complete", 1)

        assert cut != 0
        assert [event.get("state", "complete") for event in receiver.events()] == [
            "received",
            "complete",
        ]

    def test_images_over_tls(self, config: Path, tmp_path: Path) -> None:
        need("storescu", "dump2dcm", "openssl")
        cert, key = certificate(tmp_path)
        receiver = Receiver(config, "--tls-cert", cert, "--tls-key", key)
        image = radiograph(tmp_path / "dcm", 1, 1)
        try:
            trusted = dcmtk("storescu", "+tla", "+cf", cert, *receiver.address, image)
            in_the_clear = dcmtk("storescu", *receiver.address, image)
            receiver.study("complete", 1)
        finally:
            receiver.console.close()

        assert (trusted, in_the_clear == 0) == (0, False)


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    need("Orthanc", "storescu", "dump2dcm")
    orthanc = Orthanc(tmp_path)
    orthanc.start()
    yield orthanc
    orthanc.close()


def test_dicomweb_tells_a_study_and_what_came_late(config: Path, tmp_path: Path) -> None:
    need("Orthanc", "storescu", "dump2dcm", DICOMWEB)
    files = [radiograph(tmp_path / "dcm", 1, number) for number in range(2)]
    orthanc = Orthanc(tmp_path, DICOMWEB)
    orthanc.start()
    url = f"{orthanc.url}/dicom-web"
    reader = Ingesting("dicomweb", url, "--every", "0.3", "--config", config)
    address = ("-aec", "ORTHANC", "127.0.0.1", str(orthanc.dicom_port))
    try:
        reader.console.until(lambda line: "reading" in line)
        assert dcmtk("storescu", *address, files[0]) == 0
        received = reader.study("received", 1)
        complete = reader.study("complete", 1)
        assert dcmtk("storescu", *address, files[1]) == 0
        late = reader.study("complete", 2)
        assert reader.console.end() == 0
    finally:
        reader.console.close()
        orthanc.close()

    assert received["study"] == complete["study"] == late["study"]
    assert (late["view"], late["acquisition"]["bits"]) == ("PA", 12)
    assert "planted" not in reader.console.text.lower()


def sent(orthanc: Orthanc, *files: Path) -> None:
    """Send, and wait until Orthanc says that the study is stable (again)."""
    before = orthanc.stable_n()
    address = ("-aec", "ORTHANC", "127.0.0.1", str(orthanc.dicom_port))
    assert dcmtk("storescu", *address, *files) == 0
    assert wait_until(lambda: orthanc.stable_n() > before, 20)


def told(events: list[dict[str, Any]]) -> list[str]:
    """But for when: Orthanc writes whole seconds."""
    return sorted(json.dumps(event | {"at": ""}, sort_keys=True) for event in events)


class TestOrthanc:
    def test_late_images_and_a_restart_of_the_reader(
        self, orthanc: Orthanc, config: Path, tmp_path: Path
    ) -> None:
        files = [radiograph(tmp_path / "dcm", 1, number) for number in range(3)]
        position = ["--once", "--position", tmp_path / "position", "--config", config]
        runs = []
        for part in (files[:2], files[2:], []):
            if part:
                sent(orthanc, *part)
            one = Ingesting("orthanc", orthanc.url, *position)
            assert one.console.wait() == 0, one.console.text
            runs.append(one)

        told = [
            [(e.get("state", "complete"), e["attributes"]["instances_n"]) for e in one.events()]
            for one in runs
        ]
        assert told == [[("received", 2), ("complete", 2)], [("complete", 3)], []]
        assert len({event["study"] for one in runs for event in one.events()}) == 1
        everything = "".join(one.console.text for one in runs)
        assert "planted" not in everything.lower()
        assert "PLANTED" not in (tmp_path / "position").read_text()

    def test_both_ways_tell_the_same_study_and_result(
        self, orthanc: Orthanc, receiver: Receiver, config: Path, tmp_path: Path
    ) -> None:
        files = [radiograph(tmp_path / "dcm", 1, 1), result(tmp_path / "dcm", 1, 0.9)]
        sent(orthanc, *files)
        reader = Ingesting("orthanc", orthanc.url, "--once", "--config", config)
        assert reader.console.wait() == 0
        assert dcmtk("storescu", *receiver.address, *files) == 0
        receiver.study("complete", 1)

        pushed, pulled = receiver.events(), reader.events()
        assert told(pushed) == told(pulled)
        assert {event["type"] for event in pulled} == {
            "radvigil.study.v1",
            "radvigil.prediction.v1",
        }

    def test_orthanc_may_go_and_come_back(
        self, orthanc: Orthanc, config: Path, tmp_path: Path
    ) -> None:
        sent(orthanc, radiograph(tmp_path / "dcm", 1, 1))
        reader = Ingesting("orthanc", orthanc.url, "--every", "0.2", "--config", config)
        try:
            first = reader.study("complete", 1)
            orthanc.stop()
            reader.console.until(lambda line: "does not answer" in line, 20)
            orthanc.start()
            sent(orthanc, radiograph(tmp_path / "dcm", 2, 1))
            second = reader.study("complete", 1)

            assert first["study"] != second["study"]
            assert reader.console.end() == 0
        finally:
            reader.console.close()
        assert "Traceback" not in reader.console.text

    def test_a_wrong_password_is_a_sentence(self, orthanc: Orthanc, config: Path) -> None:
        reader = Ingesting("orthanc", orthanc.url, "--config", config, password="planted-wrong")

        assert reader.console.wait() == 1
        assert "refuses us (HTTP 401)" in reader.console.text
        assert "planted" not in reader.console.text

    def test_the_certificate_of_a_front_server_is_checked(
        self, orthanc: Orthanc, config: Path, tmp_path: Path
    ) -> None:
        need("openssl")
        tls = certificate(tmp_path)
        front = Way(orthanc.port, tls=tls)
        once = ["orthanc", f"https://127.0.0.1:{front.port}", "--once", "--config", config]
        try:
            stranger = Ingesting(*once)
            assert stranger.console.wait() == 1
            config.write_text(config.read_text() + f'ca_file = "{tls[0]}"\n')
            friend = Ingesting(*once)
            assert friend.console.wait() == 0, friend.console.text
        finally:
            front.close()
        assert "certificate is not trusted" in stranger.console.text
