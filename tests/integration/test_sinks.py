"""A patient's name, accession number and UID, planted in events: no sink of the monitor has them.

Planted in every string of the wire that is not told by contract (names: a site, model, version,
finding, subject; a study's key; the values of the fields in `watch.slices`), and in messages that
cannot be taken. Searched: every topic that we write but the shards' state, logs, metrics, all pages
with and without a login, what receivers and trackers got, and what commands print; plain, in
base64, in hex, and as in addresses.
"""

import base64
import json
import re
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from confluent_kafka import Producer

from schemas.config import Config
from schemas.topics import INPUTS, STATE, topics_of
from streams.cli import main
from streams.clock import from_us
from tests.integration.console import Console
from tests.integration.fleet import Reader
from tests.integration.kafka_rig import free_port
from tests.integration.patience import wait_until
from tests.integration.provider import Provider, SlackLike
from tests.integration.test_page import Browser
from tests.integration.test_tickets import SECRETS, Server

NAME, ACCESSION, UID = "Mustermann^Erika", "ACC-4711-0815", "1.2.276.0.7230010.3.1.2.4711"
PLANT = f"{NAME} {ACCESSION} {UID}"
PIECES = ("Mustermann", "Erika", "4711-0815", "7230010.3.1")
STUDIES_N, CHANGED_N = 420, 160
CONFIG = """
broker = "{broker}"
[budget]
false_incidents = 200
per_days = 1
sites = 1
[reference]
observations = 60
[clock]
lateness_s = 1
[web]
token_env = "PAGE_TOKEN"
[[model]]
name = "ptx"
deadline_s = 3
findings = ["pneumothorax"]
missing = {{ update_s = 2 }}
failed = {{ update_s = 2 }}
[[receiver]]
kind = "webhook"
name = "hook"
url = "{hook}/hook"
[[receiver]]
kind = "pagerduty"
name = "pager"
url = "{hook}/enqueue"
routing_key_env = "SECRET"
[[receiver]]
kind = "alertmanager"
name = "am"
url = "{hook}"
[[receiver]]
kind = "teams"
name = "teams"
url_env = "TEAMS"
[[receiver]]
kind = "slack"
name = "chat"
channel = "#ai"
url = "{slack}/api"
token_env = "SECRET"
[[receiver]]
kind = "email"
name = "mail"
host = "127.0.0.1"
port = {mail}
tls = "none"
sender = "radvigil@hospital.example"
to = ["oncall@hospital.example"]
[[route]]
receivers = ["hook", "pager", "am", "teams", "chat", "mail", "log"]
group_wait_s = 0
group_interval_s = 1
[[tickets]]
kind = "jira"
name = "jira"
url = "{tracker}"
project = "AIOPS"
issue_type = "Incident"
min_severity = "info"
token_env = "T"
user_env = "U"
[[tickets]]
kind = "servicenow"
name = "snow"
url = "{tracker}"
min_severity = "info"
token_env = "T"
user_env = "U"
"""


def disguises(piece: str) -> Iterator[bytes]:
    """The ways in which a text may be written, in lower case."""
    yield piece.lower().encode()
    yield piece.encode().hex().encode()
    yield piece.encode("utf-16-le").lower()
    yield urllib.parse.quote(piece, safe="").lower().encode()


def in_base64(piece: str) -> Iterator[bytes]:
    """What of its base64 does not depend on what stands around it, at each of the three offsets."""
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + piece.encode() + b"\0\0")
        yield coded[-(-offset * 8 // 6) : (offset + len(piece)) * 8 // 6]


NEEDLES = sorted({needle for piece in PIECES for needle in disguises(piece)})
CODED = sorted({needle for piece in PIECES for needle in in_base64(piece)})


def found(where: bytes) -> list[bytes]:
    """What of the planted is there, with what stands around it."""
    low = where.lower()
    places = [low.find(needle) for needle in NEEDLES] + [where.find(needle) for needle in CODED]
    return [where[max(0, at - 100) : at + 100] for at in places if at >= 0]


def test_the_search_would_find_it() -> None:
    text = f"so {PLANT} is"
    for written in (
        text.encode(),
        text.upper().encode(),
        text.encode().hex().encode(),
        *(base64.b64encode(b"x" * n + text.encode()) for n in range(3)),
        urllib.parse.quote(text).encode(),
    ):
        assert found(written), written
    assert not found(b"so nothing is")


def study(n: int, at: str, *, changed: bool) -> dict[str, Any]:
    return {
        "type": "radvigil.study.v1",
        "site": "north",
        "study": f"h1:{n}",
        "at": at,
        "modality": "DX",
        "event_id": f"{PLANT} {n}",
        "body_part": PLANT if changed else "CHEST",
        "procedure": PLANT if changed else "Chest",
        "view": PLANT if changed else "PA",
        "scanner": {
            "manufacturer": PLANT if changed else "ACME",
            "model": "Two" if changed else "One",
            "software": PLANT if changed else "V1",
            "station": "CT2" if changed else "CT1",
        },
        "acquisition": {
            "pixel_mm": (0.2 if changed else 0.1) + n % 7 / 1000,
            "kernel": PLANT if changed else "soft",
        },
        "patient": {"key": f"{PLANT} {n}", "sex": "F", "age_years": 40 + n % 9},
        "attributes": {"ward": PLANT if changed else "W1", "referrer": PLANT, "n": n % 5},
        "patient_name": PLANT,
        "nested": {PLANT: [PLANT]},
    }


def prediction(n: int, at: str, *, changed: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": "radvigil.prediction.v1",
        "site": "north",
        "study": f"h1:{n}",
        "model": "ptx",
        "model_version": "1.0",
        "at": at,
        "prediction": f"{PLANT} {n}",
        "event_id": f"{PLANT} p{n}",
        "status": "failed" if changed and n % 3 == 0 else "completed",
        "features": {"quality": (0.3 if changed else 0.8) + n % 7 / 100},
    }
    if told["status"] == "failed":
        return told | {"reason": {"code": PLANT, "scheme": PLANT, "text": PLANT}}
    score = (0.9 if changed else 0.1) + n % 9 / 100
    output = {"finding": "pneumothorax", "score": score, "positive": changed, "unit": PLANT}
    return told | {"outputs": [output]}


def report(n: int, at: str) -> dict[str, Any]:
    return {
        "type": "radvigil.report.v1",
        "site": "north",
        "study": f"h1:{n}",
        "report": f"{PLANT} {n}",
        "status": "final",
        "version": PLANT,
        "reader": PLANT,
        "event_id": f"{PLANT} r{n}",
        "at": at,
        "labels": [{"finding": "pneumothorax", "value": "absent"}],
        "text": f"{PLANT} has no pneumothorax.",
    }


def poison(good: dict[str, Any]) -> Iterator[bytes]:
    """What cannot be taken, each with the plant in it."""
    yield PLANT.encode()
    yield PLANT.encode("utf-16")
    yield b"\xff" + PLANT.encode()
    yield json.dumps(PLANT).encode()
    yield json.dumps([PLANT]).encode()
    yield json.dumps({"type": PLANT}).encode()
    for field in ("site", "study", "at", "status", "modality", "model", "labels", "outputs"):
        for bad in (PLANT, [PLANT], {PLANT: PLANT}, PLANT * 20):
            if field in good and not (field in ("study", "model") and bad == PLANT):
                yield json.dumps(good | {field: bad}).encode()
    yield json.dumps(good | {"at": f"2026-01-05T08:00:00 {PLANT}"}).encode()
    yield json.dumps(good | {"attributes": {PLANT: [PLANT]}, "features": {PLANT: PLANT}}).encode()
    yield json.dumps(good | {"attributes": {f"{PLANT} {n}": n for n in range(65)}}).encode()
    yield json.dumps(good)[:-9].encode()
    yield json.dumps({"specversion": PLANT, "type": PLANT, "data": {PLANT: PLANT}}).encode()


class Mails:
    """Takes all."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        parts = [part.get_content() for part in message.walk() if not part.is_multipart()]
        self.texts.append(envelope.content + "\n".join(map(str, parts)).encode())
        return "250 OK"


class Everything:
    """A worker with its page, all kinds of receivers, the ticket desk; each sink can be read."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hook, self.slack, self.mails = Provider(), SlackLike(), Mails()
        self.tracker = Server(monkeypatch)
        self._smtp = Controller(self.mails, hostname="127.0.0.1", port=free_port())
        self._smtp.start()
        self._where = {
            "hook": self.hook.url,
            "slack": self.slack.url,
            "mail": self._smtp.port,
            "tracker": self.tracker.url,
        }
        secrets = {
            "SECRET": "s3cret",
            "PAGE_TOKEN": "t0ken",
            "TEAMS": f"{self.hook.url}/teams",
            **SECRETS,
        }
        self._config = folder / "worker.toml"
        self._config.write_text(CONFIG.format(broker="embedded", **self._where))
        self.worker = Console(
            "run", "--config", str(self._config), "--http", "127.0.0.1:0", **secrets
        )
        self.consoles = [self.worker]
        self._secrets = secrets

    def start(self) -> None:
        """Find out where the worker is, and begin."""
        listening = self.worker.until(lambda line: "listening http://" in line)
        self.url = str(re.findall(r"http://[\d.:]+", listening)[0])
        announced = self.worker.until(lambda line: "embedded broker at" in line)
        self.broker = str(re.findall(r"embedded broker at (\S+):", announced)[0])
        self.config = self._config.with_name("reader.toml")
        self.config.write_text(CONFIG.format(broker=self.broker, **self._where))
        self.desk = Console("tickets", "--config", str(self.config), **self._secrets)
        self.consoles.append(self.desk)
        self.reader = Reader(self.broker)
        self._producer = Producer(
            {"bootstrap.servers": self.broker, "partitioner": "murmur2_random", "log_level": 2}
        )
        self.poisoned_n = 0

    def send(self, event: dict[str, Any]) -> None:
        stem = {"study": "studies", "prediction": "predictions", "report": "reports"}
        topic = f"radvigil.{stem[event['type'].split('.')[1]]}.v1"
        headers = [("traceparent", PLANT.encode()), (NAME, b"1")]
        self._producer.produce(topic, json.dumps(event).encode(), "north", headers=headers)

    def poison(self, good: dict[str, Any]) -> None:
        for spec in INPUTS:
            for value in poison(good):
                headers = [("content-type", PLANT.encode()), ("ce_id", PLANT.encode())]
                topic = spec.name("radvigil")
                self._producer.produce(topic, value, PLANT, headers=headers, partition=0)
                self.poisoned_n += 1

    def flush(self) -> None:
        assert self._producer.flush(30) == 0

    def rows(self, stem: str) -> list[dict[str, Any]]:
        rows = self.reader.rows(f"radvigil.{stem}.v1")
        return [json.loads(row.value) for row in rows if row.value]

    def topics(self) -> Iterator[tuple[str, bytes]]:
        for spec in topics_of(Config()):
            if spec not in INPUTS and spec is not STATE:
                for row in self.reader.rows(spec.name("radvigil")):
                    headers = b"".join(name.encode() + value for name, value in row.headers)
                    yield spec.stem, b"\n".join((row.key or b"", row.value or b"", headers))

    def pages(self) -> Iterator[tuple[str, bytes]]:
        """All that links lead to, as nobody and as somebody."""
        for who in ("", "Kim Lee"):
            someone = Browser(self.url)
            if who:
                assert someone.post("/login", name=who, token="t0ken", next="/")[0] == 200
            known = ["/", "/history", "/history.json", "/history.csv", "/coverage", "/metrics"]
            for path in known:
                shown = someone.get(path)
                yield f"{who or 'nobody'} {path}", shown.encode()
                links = re.findall(r'href="(/(?:incidents|models|sites)/[^"#?]+)"', shown)
                known += [link for link in links if link not in known and len(known) < 60]

    def payloads(self) -> Iterator[tuple[str, bytes]]:
        yield from (("provider", body) for body in (*self.hook.bodies, *self.slack.bodies))
        yield from (("mail", text) for text in self.mails.texts)
        for request in self.tracker.requests:
            yield "tracker", f"{request.url} {request.headers}".encode() + request.body

    def close(self) -> None:
        for console in self.consoles:
            console.close()
            console.wait()
            print(console.text)  # shown where the test fails
        for server in (self.hook, self.slack, self.tracker):
            server.close()
        self._smtp.stop()


@pytest.fixture
def everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Everything]:
    made = Everything(tmp_path, monkeypatch)
    try:
        made.start()
        yield made
        made.reader.close()
    finally:
        made.close()


def fill(everything: Everything) -> None:
    """A hospital that changes in all it has, a model that then stops; and poison between."""
    good = [study(9_999, stamp(), changed=False), prediction(9_999, stamp(), changed=False)]
    for event in (*good, report(9_999, stamp())):
        everything.poison(event)
    for n in range(STUDIES_N):
        changed = n >= STUDIES_N - CHANGED_N
        at = stamp()
        everything.send(study(n, at, changed=changed))
        if n < STUDIES_N - 9:
            everything.send(prediction(n, at, changed=changed))
            everything.send(report(n, at))
    everything.flush()


def stamp() -> str:
    return from_us(time.time_ns() // 1000).isoformat()


def test_no_sink_has_what_was_planted(
    everything: Everything, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(everything)
    wanted = {"missing_output", "failed_output", "input_drift", "output_drift", "new_value"}

    def kinds() -> Counter[str]:
        return Counter(one["kind"] for one in everything.rows("incidents"))

    assert wait_until(lambda: wanted <= set(kinds()), 60), kinds()
    assert wait_until(lambda: len(everything.rows("deadletters")) >= everything.poisoned_n, 20)
    assert wait_until(lambda: bool(everything.slack.messages) and bool(everything.mails.texts), 30)
    assert wait_until(lambda: len(everything.tracker.jira.issues) > 2, 60), everything.desk.text
    seen = [*everything.topics(), *everything.pages(), *everything.payloads()]
    seen += printed(everything, tmp_path, capfd)
    for name, console in (("desk", everything.desk), ("worker", everything.worker)):
        assert console.end() == 0
        seen.append((name, console.text.encode()))

    leaks = {(where, one) for where, what in seen for one in found(what)}
    assert leaks == set()
    assert {"incidents", "notifications", "deadletters", "series", "outcomes", "notified"} <= {
        where for where, _ in seen
    }
    assert len([where for where, _ in seen if where.startswith("Kim Lee /incidents/")]) > 3


def printed(
    everything: Everything, folder: Path, capfd: pytest.CaptureFixture[str]
) -> Iterator[tuple[str, bytes]]:
    """What the commands say, on both outputs and into files."""
    config = ("--config", str(everything.config))
    events = folder / "events.jsonl"
    events.write_bytes(b"\n".join(poison(study(1, stamp(), changed=True))))
    message = folder / "message.hl7"
    message.write_bytes(f"MSH|^~\\&|{PLANT}|PID|{PLANT}\r{PLANT}".encode())
    commands = (
        ("incidents", *config, "--all", "--json"),
        ("coverage", *config),
        ("trace", "h1:419", "--site", "north", *config),
        ("replay", *config, str(events), "--deadletters", str(folder / "dead.jsonl"), "--json"),
        ("ingest", "hl7", str(message), "--site", "north"),
        ("ack", "0000", *config),
    )
    capfd.readouterr()
    for command in commands:
        with suppress(SystemExit):  # as argparse ends what it refuses
            main(command)
        out, err = capfd.readouterr()
        assert out + err
        assert "Traceback" not in err
        yield f"radvigil {command[0]}", (out + err).encode()
    yield "dead.jsonl", (folder / "dead.jsonl").read_bytes()
