"""A hospital that speaks DICOM and HL7 v2, and nothing of ours, on a real Kafka.

Three studies by C-STORE: of one the result (a structured report) comes in time, of one late, of one
never. The report of one, known by its accession number alone, is corrected twice over MLLP. The
right outcomes and one incident come of it, and nothing of the patient is on any topic.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hl7.client import MLLPClient

from schemas.config import Config
from streams.performance.unread import Unread
from tests.integration.brokers import Broker
from tests.integration.console import Console, run
from tests.integration.dicom_rig import ROOT_UID, dcmtk, need, radiograph, result, study_uid
from tests.integration.fleet import Fleet, Reader
from tests.integration.patience import wait_until
from tests.integration.verdict import left

pytestmark = pytest.mark.kafka

CONFIG = """
prefix = "{prefix}"
broker = "{broker}"
[kafka]
replication = 1
[clock]
lateness_s = 1
stale_after_s = 30
[ingest]
site = "north"
key_file = "{folder}/secret"
links_file = "{folder}/links"
stable_s = 2
[[ingest.models]]
declared = "Acme CXR"
name = "ptx"
[[model]]
name = "ptx"
deadline_s = 4
findings = ["pneumothorax"]
missing = {{ hold_s = 1, update_s = 1 }}
"""
IN_TIME, LATE, NEVER = 1, 2, 3
_REPORT = (
    "MSH|^~\\&|RIS|NORTH|RV|NORTH|{at}||ORU^R01|{number}|P|2.5\r"
    "PID|1||PLANTED-4711^^^NORTH||Plantedname^Petra||19480229|F|||Planted Street 1\r"
    "OBR|1|P7|PLANTEDACC{study}^RIS|71045^Chest^CPT|||||||||||||||||||{at}|||{status}\r"
    "OBX|1|TX|18748-4&IMP^Report||{text} Plantedname agrees.||||||{status}\r"
)


class Hospital:
    """Its senders, our receivers, one worker."""

    def __init__(self, kafka: Broker, folder: Path) -> None:
        prefix = f"standards{kafka.suffix}"
        toml = CONFIG.format(prefix=prefix, broker=kafka.bootstrap, folder=folder)
        self.config = msgspec.toml.decode(toml, type=Config)
        self.fleet = Fleet(folder, toml)
        self.reader = Reader(kafka.bootstrap)
        self._toml = str(folder / "radvigil.toml")
        self._folder = folder
        self.consoles: list[Console] = []
        self.keys: dict[int, str] = {}

    def start(self) -> None:
        """The worker first: it makes the topics, and may have to compile its loops before."""
        self.fleet.start("a")
        assert wait_until(self._has_all_shards, 120), self.fleet.log("a")
        self._dicom_port = self._listening("dicom")
        self._hl7_port = self._listening("hl7")
        studies = (IN_TIME, LATE, NEVER)
        self.keys = dict(zip(studies, self._keys(*studies), strict=True))

    def _has_all_shards(self) -> bool:
        """Whether each partition has been checkpointed."""
        topic = self._topic("state")
        partitions = self.reader.partitions(topic)
        known = {row.partition for row in self.reader.rows(topic)} if partitions else set()
        return len(known) == self.config.kafka.partitions

    def _listening(self, kind: str) -> int:
        listen = ["--listen", "127.0.0.1:0", "--config", self._toml, "--to-kafka"]
        console = Console("ingest", kind, *listen)
        self.consoles.append(console)
        line = console.until(lambda line: f"listening for {kind}" in line)
        found = re.search(r":(\d+)$", line)
        assert found is not None
        return int(found[1])

    def _keys(self, *studies: int) -> list[str]:
        """What an authorised person finds."""
        uids = map(study_uid, studies)
        ran = run("pseudonym", "study", *uids, "--config", self._toml, "--json")
        return [orjson.loads(line)["keys"][0] for line in ran.stdout.splitlines()]

    def store(self, study: int, *results: Path) -> None:
        """Two images, and what comes right after them: however slow this machine is, in time."""
        images = [radiograph(self._folder / "dcm", study, number) for number in range(2)]
        self._send(*images, *results)

    def result(self, study: int) -> Path:
        """As the model's own product makes it."""
        return result(self._folder / "dcm", study, 0.2)

    def late(self, study: int) -> None:
        """The result by itself."""
        self._send(self.result(study))

    def _send(self, *files: Path) -> None:
        address = ("-aec", "RADVIGIL", "127.0.0.1", str(self._dicom_port))
        assert dcmtk("storescu", *address, *files) == 0

    def report(self, study: int, status: str, text: str, second: int) -> None:
        """Sent by an independent client, which waits for the acknowledgement."""
        told = _REPORT.format(
            at=f"202601050830{second:02d}+0000",
            number=f"C{second}",
            study=study,
            status=status,
            text=text,
        )
        with MLLPClient("127.0.0.1", self._hl7_port) as client:
            answer = client.send_message(told.encode())
        assert b"MSA|AA|C%d" % second in answer

    def _topic(self, stem: str) -> str:
        return f"{self.config.prefix}.{stem}.v1"

    def said(self, stem: str) -> list[Any]:
        rows = self.reader.rows(self._topic(stem))
        return [orjson.loads(row.value or b"") for row in rows]

    def outcomes(self, study: int) -> list[tuple[str, int]]:
        key = self.keys[study]
        return [(o["outcome"], o["revision"]) for o in self.said("outcomes") if o["study"] == key]

    def close(self) -> None:
        for console in self.consoles:
            console.close()
        self.fleet.close()
        self.reader.close()


@pytest.fixture
def hospital(kafka: Broker, tmp_path: Path) -> Iterator[Hospital]:
    need("storescu", "dump2dcm")
    hospital = Hospital(kafka, tmp_path)
    yield hospital
    hospital.close()


def test_from_the_wards_own_words_to_the_incident(hospital: Hospital) -> None:
    hospital.start()
    hospital.store(IN_TIME, hospital.result(IN_TIME))
    hospital.store(LATE)
    hospital.store(NEVER)
    is_told = wait_until(lambda: hospital.outcomes(LATE) == [("missing", 1)], 60)
    assert is_told, (hospital.said("studies"), hospital.said("outcomes"), hospital.fleet.log("a"))
    hospital.late(LATE)
    hospital.report(IN_TIME, "F", "No pneumothorax.", 1)
    hospital.report(IN_TIME, "C", "Small left pneumothorax.", 2)
    hospital.report(IN_TIME, "C", "No pneumothorax, skin fold.", 3)
    assert wait_until(lambda: len(hospital.outcomes(LATE)) == 2, 60)
    assert wait_until(lambda: bool(_open(hospital)), 60)
    for console in hospital.consoles:
        assert console.end() == 0
    assert hospital.fleet.stop() == [0]

    assert hospital.outcomes(IN_TIME) == [("on_time", 1)]
    assert hospital.outcomes(LATE) == [("missing", 1), ("late", 2)]
    assert hospital.outcomes(NEVER) == [("missing", 1)]
    incidents = [one for one in hospital.said("incidents") if one["site"] == "north"]
    assert {one["kind"] for one in incidents} == {"missing_output"}
    assert len({one["incident"] for one in incidents}) == 1
    studies = [(one["study"], one.get("state", "complete")) for one in hospital.said("studies")]
    assert sorted(studies) == sorted(
        (key, state) for key in hospital.keys.values() for state in ("received", "complete")
    )
    _report_is_corrected(hospital)
    _nobody_is_named(hospital)


def _open(hospital: Hospital) -> list[Any]:
    return [
        one
        for one in hospital.said("incidents")
        if (one["site"], one["state"]) == ("north", "open")
    ]


def _report_is_corrected(hospital: Hospital) -> None:
    """Three words of one report, and the last of them is what counts."""
    reports = hospital.said("reports")
    told = [
        (one["status"], label["value"])
        for one in reports
        for label in one["labels"]
        if label["finding"] == "pneumothorax"
    ]
    assert told == [("final", "absent"), ("corrected", "present"), ("corrected", "absent")]
    assert {(one["study"], one["report"]) for one in reports} == {
        (hospital.keys[IN_TIME], reports[0]["report"])
    }
    state = left(hospital.reader, hospital.config).state
    held = [
        msgspec.msgpack.decode(value, type=Unread)
        for records in state.values()
        for key, value in records.items()
        if orjson.loads(key)[0] == "unread/1"
    ]
    assert [one.presence()["pneumothorax"] for one in held if one.reports] == [False]


def _nobody_is_named(hospital: Hospital) -> None:
    """Names, numbers and UIDs: as they are, in base64 at any shift, in hex."""
    planted = [b"lantedname", b"LANTED-4711", b"LANTEDACC", b"19480229", ROOT_UID.encode()]
    forms = [form for one in planted for form in _forms(one)]
    spoken = "\n".join(console.text for console in hospital.consoles) + hospital.fleet.log("a")
    rows = [
        row for stem in TOPICS for row in hospital.reader.rows(f"{hospital.config.prefix}.{stem}")
    ]
    everything = [spoken.encode(), *(row.value or b"" for row in rows)]
    everything += [row.key or b"" for row in rows]

    assert len(rows) > 20
    assert [form for form in forms if any(form in one for one in everything)] == []


TOPICS = [
    f"{stem}.v1"
    for stem in ("studies", "predictions", "reports", "outcomes", "incidents", "series", "state")
]


def _forms(told: bytes) -> Iterator[bytes]:
    yield told
    yield told.hex().encode()
    yield told.hex().upper().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + told)
        yield encoded[(shift * 8 + 5) // 6 + 1 : -4]
