"""`radvigil tickets` as a process: killed at every step on a real Kafka, and its documents."""

import re
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from schemas.decoding import encode
from schemas.incident import Incident
from streams.kafka.embedded import EmbeddedBroker
from streams.notifiers import Request
from streams.partitioner import partition_of
from tests.integration.brokers import Broker
from tests.integration.console import ROOT, Console, run, with_topics
from tests.integration.patience import wait_until
from tests.unit import trackers
from tests.unit.notices import incident
from tests.unit.trackers import JiraCloud, ServiceNowTable

DOCUMENT = (ROOT / "docs/CONSUMERS.md").read_text()
CONFIG = """
prefix = "{prefix}"
broker = "{broker}"
[kafka]
partitions = 2
replication = 1
instance = "one"
[[tickets]]
kind = "jira"
name = "jira"
url = "{url}"
project = "AIOPS"
issue_type = "Incident"
token_env = "T"
user_env = "U"
settle_s = 1.5
timeout_s = 1
[[tickets]]
kind = "servicenow"
name = "snow"
url = "{url}"
token_env = "T"
user_env = "U"
settle_s = 0.5
timeout_s = 1
"""
SECRETS = {"U": trackers.USER, "T": trackers.TOKEN}


class Server:
    """Both trackers on one address; `before` and `after` are called with each request's number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trackers, "INDEX_S", 1.0)
        self.jira = JiraCloud(lambda: time.time_ns() // 1000)
        self.snow = ServiceNowTable(lambda: time.time_ns() // 1000)
        self.before: Callable[[int], None] = lambda _: None
        self.after: Callable[[int], None] = lambda _: None
        self.requests: list[Request] = []
        self._lock = Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                server.handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = handle_any

            def log_message(self, format: str, *words: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        Thread(target=self._http.serve_forever, daemon=True).start()

    def handle(self, http: BaseHTTPRequestHandler) -> None:
        body = http.rfile.read(int(http.headers.get("Content-Length") or 0))
        request = Request(http.command, self.url + http.path, dict(http.headers), body)
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
            self.before(number)
            tracker = self.jira if http.path.startswith("/rest") else self.snow
            answer = tracker.handle(request)
            self.after(number)
        try:
            http.send_response(answer.status)
            http.send_header("Content-Type", "application/json")
            http.send_header("Content-Length", str(len(answer.body)))
            http.end_headers()
            http.wfile.write(answer.body)
        except OSError:
            return  # whoever asked is dead

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server(monkeypatch)
    yield server
    server.close()


def log(incidents_n: int) -> list[Incident]:
    """All transitions of a few incidents at two sites."""
    told = []
    for seq, state in enumerate(("open", "acknowledged", "resolved"), 1):
        for n in range(incidents_n):
            site = ("north", "south")[n % 2]
            told.append(incident(incident=f"i-{n}", seq=seq, state=state, site=site))
    return told


def publish(broker: str, prefix: str, incidents: list[Incident], partitions: int) -> None:
    producer = Producer({"bootstrap.servers": broker, "log_level": 2})
    for one in incidents:
        place = partition_of(one.site, partitions)
        producer.produce(f"{prefix}.incidents.v1", encode(one), one.site, partition=place)
    assert producer.flush(20) == 0


@pytest.mark.kafka
def test_killed_at_every_step_there_is_one_ticket_for_each_incident(
    kafka: Broker, server: Server, tmp_path: Path
) -> None:
    """kill -9 at each third request, by turns before and after the tracker has done it."""
    prefix = f"tickets{kafka.suffix}"
    text = CONFIG.format(prefix=prefix, broker=kafka.bootstrap, url=server.url)
    config = with_topics(tmp_path, text)
    desk: list[Console] = []
    deaths: list[int] = []

    def kill(number: int) -> None:
        desk[-1].close()
        deaths.append(number)

    server.before = lambda number: kill(number) if number % 6 == 3 else None
    server.after = lambda number: kill(number) if number % 6 == 0 else None
    told = log(2)

    def settled(wanted: Callable[[dict[str, Any]], bool]) -> bool:
        tickets = [*server.jira.tickets(), *server.snow.tickets()]
        if not desk or desk[-1].has_ended:
            if len(deaths) >= 6:
                server.before = server.after = lambda _: None
            desk.append(Console("tickets", "--config", str(config), **SECRETS))
        return len(tickets) >= 4 and all(map(wanted, tickets))

    try:
        publish(kafka.bootstrap, prefix, told[:2], 2)
        assert wait_until(lambda: settled(lambda one: True), 60), desk[-1].text
        publish(kafka.bootstrap, prefix, told[2:], 2)
        assert wait_until(lambda: settled(lambda one: one["is_done"]), 60), desk[-1].text
        server.before = server.after = lambda _: None
        assert desk[-1].has_ended or desk[-1].end() == 0
    finally:
        for one in desk:
            one.close()

    assert len(deaths) >= 4
    for tracker in (server.jira, server.snow):
        tickets = tracker.tickets()
        assert len(tickets) == 2
        for ticket in tickets:
            assert ticket["is_done"]
            assert len(ticket["said"]) == len(set(ticket["said"])) <= 2


@pytest.fixture
def embedded() -> EmbeddedBroker:
    return EmbeddedBroker(["radvigil.incidents.v1"])


def test_a_rehearsal_writes_nothing_and_a_desk_does_what_it_said(
    embedded: EmbeddedBroker, server: Server, tmp_path: Path
) -> None:
    config = tmp_path / "radvigil.toml"
    text = CONFIG.format(prefix="radvigil", broker=embedded.address, url=server.url)
    config.write_text(text)
    publish(embedded.address, "radvigil", log(2)[:2], 4)

    rehearsed = Console("tickets", "--config", str(config), "--dry-run", **SECRETS)
    assert rehearsed.wait() == 0
    assert {one.method for one in server.requests} == {"GET"}
    assert "jira: 2 of 2 incidents have something to be written" in rehearsed.seen
    assert f"jira: i-0 (missing_output, open): create: POST {server.url}/rest/api/3/issue" in (
        rehearsed.seen
    )
    assert "s3cret" not in rehearsed.text

    desk = Console("tickets", "--config", str(config), "--http", "127.0.0.1:0", **SECRETS)
    try:
        desk.until(lambda line: "listening http://" in line)
        assert wait_until(lambda: len(server.jira.issues) == len(server.snow.records) == 2, 60)
        assert desk.end() == 0
    finally:
        desk.close()
    assert "s3cret" not in desk.text


@pytest.mark.kafka
def test_the_ten_lines_keep_a_table(
    kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As printed, but for the address and, because others use the broker, the names."""
    prefix = f"ten-lines{kafka.suffix}"
    text = CONFIG.format(prefix=prefix, broker=kafka.bootstrap, url="http://none")
    with_topics(tmp_path, text)
    (printed,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(printed.strip().splitlines()) == 10
    lines = printed.replace("localhost:9094", kafka.bootstrap).replace("radvigil.", f"{prefix}.")
    monkeypatch.chdir(tmp_path)

    def once() -> list[tuple[str, int, str]]:
        """One run of the lines."""
        names: dict[str, Any] = {}
        exec(lines, names)
        names["consumer"].close()
        return names["table"].execute("select id, seq, state from incidents order by id").fetchall()

    told = log(2)
    publish(kafka.bootstrap, prefix, told, 2)
    assert once() == [("i-0", 3, "resolved"), ("i-1", 3, "resolved")]
    publish(kafka.bootstrap, prefix, told[:2], 2)  # delivered again
    publish(kafka.bootstrap, prefix, [replace(told[-1], seq=4, state="closed")], 2)
    assert once() == [("i-0", 3, "resolved"), ("i-1", 4, "closed")]


def test_a_configuration_without_tickets_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "radvigil.toml"
    config.write_text("")

    ran = run("tickets", "--config", str(config))

    assert ran.returncode == 2
    assert "there is no [[tickets]]" in ran.stderr
