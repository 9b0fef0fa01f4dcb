"""`radvigil worklist` as a process on a real Kafka: killed at every step, and poisons."""

import socketserver
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.decoding import encode
from schemas.outcome import Outcome
from streams.notifiers import Request
from streams.partitioner import partition_of
from tests.integration.brokers import Broker
from tests.integration.console import Console, run, with_topics
from tests.integration.patience import wait_until
from tests.unit.worklists import FhirServer, Hl7Server, outcome

CONFIG = """
prefix = "{prefix}"
broker = "{broker}"
[kafka]
partitions = 2
replication = 1
instance = "one"
[[worklist]]
kind = "fhir"
name = "fhir"
url = "http://127.0.0.1:{http}"
timeout_s = 2
[[worklist]]
kind = "hl7"
name = "ris"
host = "127.0.0.1"
port = {mllp}
timeout_s = 2
tries = 2
keys_file = "{keys}"
"""
Hook = Callable[[int], None]


class Hospital:
    """A FHIR server and an MLLP listener. `before` and `after` are called with each write's number;
    `code` chooses the acknowledgement of a study's message."""

    def __init__(self) -> None:
        self.fhir, self.ris = FhirServer(), Hl7Server()
        self.before: Hook = lambda _: None
        self.after: Hook = lambda _: None
        self.code: Callable[[bytes], str] = lambda _: "AA"
        self._n = 0
        self._lock = Lock()
        hospital = self

        class Fhir(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = Request("PUT", self.path, dict(self.headers), body)
                answer = hospital.counted(lambda: hospital.fhir.handle(request))
                try:
                    self.send_response(answer.status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    return  # whoever asked is dead

            def log_message(self, format: str, *words: Any) -> None:
                pass

        class Ris(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                content = b""
                while got := self.request.recv(65_536):
                    content += got
                    while b"\x1c\r" in content:
                        frame, _, content = content.partition(b"\x1c\r")
                        self._answer(frame.lstrip(b"\x0b"))

            def _answer(self, frame: bytes) -> None:
                code = hospital.code(frame)
                told = hospital.counted(lambda: hospital.ris.acknowledge(frame, code))
                late = b"\x0bMSH|^~\\&|RIS\rMSA|AA|ANOTHER\r\x1c\r"  # of a message given up
                try:
                    self.request.sendall(late + b"\x0b" + told + b"\x1c\r")
                except OSError:
                    return

        class Mllp(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self._servers = ThreadingHTTPServer(("127.0.0.1", 0), Fhir), Mllp(("127.0.0.1", 0), Ris)
        self.http, self.mllp = (server.server_address[1] for server in self._servers)
        for server in self._servers:
            Thread(target=server.serve_forever, daemon=True).start()

    def counted(self, handle: Callable[[], Any]) -> Any:
        with self._lock:
            self._n += 1
            number = self._n
            self.before(number)
            answer = handle()
            self.after(number)
        return answer

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def hospital() -> Iterator[Hospital]:
    hospital = Hospital()
    yield hospital
    hospital.close()


def now() -> datetime:
    """The real clock's: what is a day old is not told."""
    return datetime.fromtimestamp(time.time(), UTC)


def day(studies_n: int) -> list[Outcome]:
    """A result of each study is missing; of every second one it comes after all."""
    at = now()
    made = [(n, ("north", "south")[n % 2]) for n in range(studies_n)]
    told = [outcome(study=f"s{n}", site=site, due=at, at=at) for n, site in made]
    fine = [outcome("on_time", study=f"fine{n}", site=site, due=at, at=at) for n, site in made]
    later = [
        outcome("late", study=f"s{n}", site=site, due=at, at=at, revision=2)
        for n, site in made[::2]
    ]
    return [*told, *fine, *later]


def publish(broker: str, prefix: str, said: list[Outcome]) -> None:
    producer = Producer({"bootstrap.servers": broker, "log_level": 2})
    for one in said:
        place = partition_of(one.site, 2)
        producer.produce(f"{prefix}.outcomes.v1", encode(one), one.site, partition=place)
    assert producer.flush(20) == 0


def configured(
    kafka: Broker, prefix: str, hospital: Hospital, folder: Path, text: str = CONFIG
) -> Path:
    places = {"http": hospital.http, "mllp": hospital.mllp, "keys": folder / "keys"}
    return with_topics(folder, text.format(prefix=prefix, broker=kafka.bootstrap, **places))


@pytest.mark.kafka
def test_killed_at_every_step_there_is_one_task_for_each_study(
    kafka: Broker, hospital: Hospital, tmp_path: Path
) -> None:
    """kill -9 at each third write, by turns before and after the receiver has it."""
    prefix = f"worklist{kafka.suffix}"
    config = configured(kafka, prefix, hospital, tmp_path)
    desk: list[Console] = []
    deaths: list[int] = []

    def kill(number: int) -> None:
        desk[-1].close()
        deaths.append(number)

    hospital.before = lambda number: kill(number) if number % 6 == 3 else None
    hospital.after = lambda number: kill(number) if number % 6 == 0 else None
    said = day(6)
    wanted = {f"s{n}": "missing" for n in range(6)}

    def stands(servers: tuple[FhirServer | Hl7Server, ...]) -> bool:
        if not desk or desk[-1].has_ended:
            if len(deaths) >= 4:
                hospital.before = hospital.after = lambda _: None
            desk.append(Console("worklist", "--config", str(config)))
        found = [{study: kind for study, (kind, _) in one.told().items()} for one in servers]
        return all(one == wanted for one in found)

    try:
        publish(kafka.bootstrap, prefix, said[:12])
        assert wait_until(lambda: stands((hospital.fhir, hospital.ris)), 90), desk[-1].text
        wanted |= {f"s{n}": "late" for n in range(0, 6, 2)}
        publish(kafka.bootstrap, prefix, said[12:])
        assert wait_until(lambda: stands((hospital.fhir, hospital.ris)), 60), desk[-1].text
        hospital.before = hospital.after = lambda _: None
        assert desk[-1].has_ended or desk[-1].end() == 0
    finally:
        for one in desk:
            one.close()

    assert len(deaths) >= 3
    assert {n for _, n in hospital.fhir.told().values()} == {1}
    # A message for each revision: however often it came, its control id is the same.
    assert len(hospital.ris.messages) == 9
    assert len(hospital.ris.writes) >= 9


@pytest.mark.kafka
def test_a_poison_holds_up_nobody_and_is_not_sent_again(
    kafka: Broker, hospital: Hospital, tmp_path: Path
) -> None:
    prefix = f"poison{kafka.suffix}"
    config = configured(kafka, prefix, hospital, tmp_path)
    hospital.code = lambda frame: "AR" if b"|s0|" in frame else "AE" if b"|s2|" in frame else "AA"
    publish(kafka.bootstrap, prefix, day(6)[:6])
    desk = Console("worklist", "--config", str(config), "--only", "ris")
    try:
        wanted = {"s1", "s3", "s4", "s5"}
        assert wait_until(lambda: set(hospital.ris.told()) == wanted, 60), desk.text
        assert desk.end() == 0
    finally:
        desk.close()
    places = [line for line in desk.text.splitlines() if "given up" in line]
    assert len(places) == 2
    assert all(f"{prefix}.outcomes.v1/" in line and "|s" not in line for line in places)

    hospital.code = lambda _: "AA"
    again = Console("worklist", "--config", str(config), "--only", "ris")
    try:
        publish(kafka.bootstrap, prefix, [outcome(study="s9", due=now(), at=now())])
        assert wait_until(lambda: "s9" in hospital.ris.told(), 60), again.text
        assert again.end() == 0
    finally:
        again.close()
    told = [str(message.segment("OBR")[18]) for message in hospital.ris.writes]
    assert told.count("s0") == 1 and told.count("s2") == 2 and told.count("s1") == 1


def test_a_configuration_without_worklists_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "radvigil.toml"
    config.write_text("")

    ran = run("worklist", "--config", str(config))

    assert ran.returncode == 2
    assert "there is no [[worklist]]" in ran.stderr
