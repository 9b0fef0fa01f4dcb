"""From an outage to its receivers on a real Kafka: nothing lost, in order, once by their key."""

import base64
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from aiohttp import web
from confluent_kafka import Producer

from tests.integration.brokers import Broker
from tests.integration.console import run
from tests.integration.fleet import Row
from tests.integration.patience import wait_until
from tests.integration.provider import Provider, SlackLike
from tests.integration.scene import Scene
from tests.integration.ward import text

pytestmark = pytest.mark.kafka

EAGER = """
[incidents]
reopen_s = 0
flapping_cycles = 50
flapping_s = 60
"""
CALM = """
[incidents]
flapping_cycles = 50
flapping_s = 60
"""
EPISODE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLANTED_NAME = "Mustermann^Erika"
PLANTED_ACCESSION = "ACC-4711-0815"
PLANTED_UID = "1.2.276.0.7230010.3.1.2.4711"
ROUTES = """
[[receiver]]
name = "hook"
kind = "webhook"
url = "{hook}/hook"
[[receiver]]
name = "chat"
kind = "slack"
channel = "#ai-watch"
url = "{slack}/api"
token_file = "{token}"
[[route]]
receivers = [{names}]
group_wait_s = 0
group_interval_s = 1
storm_n = 10000
"""


class Delivering:
    """A scene with two providers."""

    def __init__(self, kafka: Broker, folder: Path, prefix: str) -> None:
        self.hook, self.slack = Provider(), SlackLike()
        self._kafka, self._folder, self._prefix = kafka, folder, prefix
        self._token = folder / "token"
        self._token.write_text("xoxb-s3cret\n")
        self.scene: Scene | None = None

    def set(self, *names: str, more: str = EAGER) -> Scene:
        more += ROUTES.format(
            hook=self.hook.url,
            slack=self.slack.url,
            token=self._token,
            names=", ".join(f'"{name}"' for name in names),
        )
        self.scene = Scene(self._kafka, self._folder, self._prefix + self._kafka.suffix, more)
        return self.scene

    def decided(self, receiver: str) -> dict[str, list[dict[str, Any]]]:
        """What the shards wanted told, by key, in order."""
        assert self.scene is not None
        by_key: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.scene.reader.rows(f"{self.scene.config.prefix}.notifications.v1"):
            told = orjson.loads(row.value or b"")
            if told["receiver"] == receiver:
                by_key[told["key"]].append(told)
        return by_key

    def done(self) -> bool:
        """Whether the hook was told the newest of every key, or nothing of what was over."""
        assert self.scene is not None
        return all(
            self.told(key) in (decided[-1]["number"], 0 if needless(decided[-1]) else None)
            for key, decided in self.decided("hook").items()
        )

    def told(self, key: str) -> int:
        """The newest number that the hook has taken under a key; 0 for none."""
        taken = (body["data"] for _, _, body in list(self.hook.accepted))
        return max((data["number"] for data in taken if data["key"] == key), default=0)

    def close(self) -> None:
        if self.scene is not None:
            self.scene.close()
        self.hook.close()
        self.slack.close()


def needless(told: dict[str, Any]) -> bool:
    """Over before anybody was told."""
    return bool(told["action"] == "resolve")


@pytest.fixture
def delivering(
    kafka: Broker, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Delivering]:
    delivering = Delivering(kafka, tmp_path, request.node.name.replace("_", "-")[5:45])
    yield delivering
    delivering.close()


def moody(seed: int, share: float, *, drops: bool = True) -> Callable[[], web.Response | str]:
    """Fails so often, in every documented way; `drops`: also after it has accepted."""
    random = Random(seed)
    lost = ("drops", web.Response(status=500)) if drops else ()

    def mood() -> web.Response | str:
        if random.random() >= share:
            return "well"
        return random.choice(
            (
                web.Response(status=429, headers={"Retry-After": "0.35"}),
                web.Response(status=503),
                *lost,
            )
        )

    return mood


def rows(scene: Scene, stem: str) -> list[Row]:
    return scene.reader.rows(f"{scene.config.prefix}.{stem}.v1")


def delivers(scene: Scene, worker: str) -> bool:
    """Whether a worker has taken over every partition of the outbox."""
    opened = scene.fleet.log(worker).count("delivery of partition")
    return opened >= scene.config.kafka.partitions


def by_key(provider: Provider) -> dict[str, list[dict[str, Any]]]:
    """What a hook keeps of what it took: each id once, in order."""
    taken: dict[str, list[dict[str, Any]]] = defaultdict(list)
    seen = set()
    for _, headers, body in provider.accepted:
        assert headers["webhook-id"] == body["data"]["notification"]
        if headers["webhook-id"] not in seen:
            seen.add(headers["webhook-id"])
            taken[body["data"]["key"]].append(body["data"])
    return taken


def test_kill_9_between_decide_send_and_log(delivering: Delivering) -> None:
    scene = delivering.set("hook")
    delivering.hook.mood = moody(1, 0.4)
    scene.start("a", "b")

    for victims in (("a",), ("b",), ("a", "b"), ("a",), ("b",), ("a", "b")):
        before = len(delivering.hook.accepted)
        assert wait_until(lambda: len(delivering.hook.accepted) > before + 3, 40)  # noqa: B023
        scene.fleet.kill(*victims)
        scene.fleet.start(*victims)
        scene.flowing()
    delivering.hook.mood = lambda: "well"
    scene.verdict(replay=False)

    scene.fleet.start("last")
    assert wait_until(lambda: delivers(scene, "last"), 40)
    assert wait_until(delivering.done, 60)
    assert scene.fleet.stop() == [0]
    taken, decided = by_key(delivering.hook), delivering.decided("hook")
    assert len(taken) > 20
    assert delivering.hook.refused_n > 5
    for key, told in taken.items():
        numbers = [one["number"] for one in told]
        assert numbers == sorted(numbers), f"out of order: {numbers}"
        assert len(set(numbers)) == len(numbers)
        begins, told_over = told[0]["action"], told[-1]["action"] == "resolve"
        assert begins == "open" or (begins, len(told)) == ("resolve", 1)
        assert told_over == (decided[key][-1]["action"] == "resolve")
        assert numbers[-1] == decided[key][-1]["number"]
    lost = {key for key in decided if key not in taken and not needless(decided[key][-1])}
    assert lost == set()
    assert rows(scene, "deadletters") == []


def test_slack_shows_one_message_an_incident_and_it_is_updated_in_place(
    delivering: Delivering,
) -> None:
    scene = delivering.set("chat")
    delivering.slack.mood = moody(2, 0.2, drops=False)
    scene.start("a")
    ends = ("Resolved", "resolved")
    assert wait_until(lambda: len(over(delivering.slack, ends)) >= 3, 60)
    scene.fleet.kill("a")
    scene.fleet.start("a")
    shown = len(delivering.slack.messages)
    assert wait_until(lambda: len(delivering.slack.messages) > shown, 60)
    scene.verdict(replay=False)

    posts = [body for path, _, body in delivering.slack.accepted if path.endswith("postMessage")]
    begun = [body for body in posts if "thread_ts" not in body]
    incidents = {EPISODE.findall(orjson.dumps(body).decode())[0] for body in begun}
    assert len(begun) <= len(incidents) + 1  # one may fall into the kill
    assert all("xoxb" not in scene.fleet.log(name) for name in ("a",))


def over(slack: SlackLike, ends: tuple[str, ...]) -> list[list[str]]:
    """Messages that were posted as something else and say now that it is over."""
    shown = list(slack.messages.values())
    return [texts for texts in shown if len(texts) > 1 and any(end in texts[-1] for end in ends)]


def test_no_patient_leaves_in_any_form(delivering: Delivering) -> None:
    scene = delivering.set("hook", "chat", more=CALM)
    scene.start("a")
    producer = Producer({"bootstrap.servers": scene.kafka.bootstrap, "partitioner": "murmur2"})
    at = text(time.time())
    common = {"site": "site-1", "at": at}
    study = {
        "type": "radvigil.study.v1",
        "study": PLANTED_UID,
        "modality": "DX",
        "patient": {"key": PLANTED_NAME},
        "attributes": {"accession": PLANTED_ACCESSION},
    }
    failed = {
        "type": "radvigil.prediction.v1",
        "study": PLANTED_UID,
        "model": "ptx",
        "model_version": "1",
        "status": "failed",
        "reason": {"code": "bad_input", "text": f"no pixels of {PLANTED_NAME}"},
    }
    report = {
        "type": "radvigil.report.v1",
        "study": PLANTED_UID,
        "status": "final",
        "text": f"{PLANTED_NAME}, {PLANTED_ACCESSION}",
    }
    for stem, message in (("studies", study), ("predictions", failed), ("reports", report)):
        topic = f"{scene.config.prefix}.{stem}.v1"
        producer.produce(topic, orjson.dumps(message | common), "site-1")
    producer.flush(20)

    def failures() -> list[dict[str, Any]]:
        told = (body["data"] for _, _, body in list(delivering.hook.accepted))
        return [one for data in told for one in data["incidents"] if one["kind"] == "failed_output"]

    assert wait_until(lambda: bool(failures()), 60)
    note = {
        "type": "radvigil.command.v1",
        "command_id": "n-1",
        "action": "note",
        "actor": PLANTED_NAME,
        "incident": failures()[0]["incident"],
        "text": f"called about {PLANTED_NAME}",
    }
    topic = f"{scene.config.prefix}.commands.v1"
    producer.produce(topic, orjson.dumps(note | common), "site-1")
    producer.flush(20)

    def is_noted() -> bool:
        """Sent, or overtaken by what was said next: of quiet updates the newest is sent alone."""
        decided = delivering.decided("hook").get(note["incident"], [])
        noted = [told["number"] for told in decided if told["why"] == "noted"]
        return bool(noted) and delivering.told(note["incident"]) >= noted[0]

    assert wait_until(is_noted, 60)
    scene.ward.abandon()
    assert scene.fleet.stop() == [0]

    bodies = b"\n".join((*delivering.hook.bodies, *delivering.slack.bodies))
    logs = scene.fleet.log("a").encode()
    planted = (PLANTED_NAME, PLANTED_ACCESSION, PLANTED_UID)
    found = [form for name in planted for form in forms(name) if form in bodies or form in logs]
    assert found == []
    read = b"".join(row.value or b"" for row in rows(scene, "notifications"))
    assert PLANTED_UID.encode() in read  # the outbox itself has it: what is looked for can be found


def forms(planted: str) -> list[bytes]:
    """As it is, in base64 at each of its three alignments, and in hex."""
    plain = planted.encode()
    aligned = (base64.b64encode(b"x" * shift + plain)[4:-4] for shift in range(3))
    return [plain, *aligned, plain.hex().encode(), plain.hex().upper().encode()]


def test_a_receiver_that_is_refused_is_an_incident_told_to_others_and_acknowledged(
    delivering: Delivering, tmp_path: Path
) -> None:
    scene = delivering.set("chat", "hook", more=CALM)
    delivering.slack.mood = lambda: web.json_response({"ok": False, "error": "channel_not_found"})
    scene.start("a")

    def about(state: str) -> bool:
        incidents = [orjson.loads(row.value or b"") for row in rows(scene, "incidents")]
        subjects = [one.get("subject", "") for one in incidents if one["state"] == state]
        return any(subject.startswith("delivery.chat/") for subject in subjects)

    assert wait_until(lambda: about("open"), 60)
    assert wait_until(lambda: b"delivery.chat/" in b"".join(delivering.hook.bodies), 20)
    letters = [orjson.loads(row.value or b"") for row in rows(scene, "deadletters")]
    assert {letter["path"] for letter in letters} == {"receiver"}

    config = tmp_path / "radvigil.toml"
    config.write_text(f'prefix = "{scene.config.prefix}"\nbroker = "{scene.config.broker}"\n')
    incidents = [orjson.loads(row.value or b"") for row in rows(scene, "incidents")]
    mine = next(one for one in incidents if one.get("subject", "").startswith("delivery.chat/"))
    ran = run("ack", mine["incident"], "--as", "Kim Lee", "--config", str(config))
    assert (ran.returncode, "accepted: acknowledge" in ran.stdout) == (0, True), ran.stderr
    assert wait_until(lambda: about("acknowledged"), 20)

    delivering.slack.mood = lambda: "well"
    assert wait_until(lambda: about("resolved"), 60)
    scene.ward.abandon()
    assert scene.fleet.stop() == [0]


def test_a_broker_that_goes_away_and_comes_back(delivering: Delivering) -> None:
    scene = delivering.set("hook")
    scene.start("a")
    assert wait_until(lambda: len(delivering.hook.accepted) > 3, 40)
    scene.kafka.stop()
    scene.kafka.start()
    scene.flowing(60)
    before = len(delivering.hook.accepted)
    assert wait_until(lambda: len(delivering.hook.accepted) > before + 5, 60)
    scene.verdict(replay=False)
    scene.fleet.start("last")
    assert wait_until(lambda: delivers(scene, "last"), 40)
    assert wait_until(delivering.done, 60)
    assert scene.fleet.stop() == [0]
    for told in by_key(delivering.hook).values():
        numbers = [one["number"] for one in told]
        assert numbers == sorted(set(numbers))
