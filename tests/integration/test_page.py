"""`radvigil web` beside a real worker on a real Kafka: what it shows, takes and reads."""

import asyncio
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from schemas.config import Config
from schemas.decoding import encode
from schemas.kafka import Kafka
from schemas.topics import topics_of
from schemas.web import WebSettings
from streams.kafka.embedded import EmbeddedBroker
from streams.kafka.topics_admin import TopicsAdmin
from streams.web.reader import Reader
from streams.web.view import View
from tests.integration.brokers import Broker
from tests.integration.console import Console
from tests.integration.patience import ANSWER_S, wait_until
from tests.unit.web_desk import incident

pytestmark = pytest.mark.kafka
ONE = Kafka(partitions=1, replication=1)
TOKEN = "a-token-for-the-page"
CONFIG = """
prefix = "{prefix}"
broker = "{broker}"
[kafka]
partitions = 3
replication = 1
[clock]
lateness_s = 1
[web]
token_env = "PAGE_TOKEN"
detail_days = 1
[[site]]
name = "north"
[[model]]
name = "ptx"
deadline_s = 1
missing = {{ update_s = 600 }}
"""


class Browser:
    """As much of one as a page without scripts needs."""

    def __init__(self, url: str) -> None:
        self.url, self.seen = url, ""
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(cookies)

    def __repr__(self) -> str:
        return self.seen

    def get(self, path: str) -> str:
        with self._opener.open(self.url + path, timeout=ANSWER_S) as answer:
            self.seen = str(answer.read().decode())
        return self.seen

    def post(self, path: str, **form: str) -> tuple[int, str]:
        body = urllib.parse.urlencode(form).encode()
        try:
            with self._opener.open(self.url + path, body, timeout=ANSWER_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()


class Deployment:
    """A worker and its page, each a process, with a study that nobody answers."""

    def __init__(self, kafka: Broker, folder: Path) -> None:
        self.prefix = f"page{kafka.suffix}"
        self.broker = kafka.bootstrap
        self.config = folder / "radvigil.toml"
        self.config.write_text(CONFIG.format(prefix=self.prefix, broker=self.broker))
        self.producer = Producer(
            {"bootstrap.servers": self.broker, "partitioner": "murmur2_random", "log_level": 2}
        )
        engine = json.dumps({"refresh_s": 1.0})  # an idle shard says where it stands: else a minute
        self.worker = Console("run", "--config", str(self.config), RADVIGIL_ENGINE=engine)
        self.page = Console(
            "web", "--config", str(self.config), "--http", "127.0.0.1:0", PAGE_TOKEN=TOKEN
        )
        self.url = ""

    def start(self) -> None:
        """Find out where the page is."""
        said = self.page.until(lambda line: "listening http://" in line)
        found = re.search(r"http://[\d.:]+", said)
        assert found is not None
        self.url = found[0]

    def produce(self, stem: str, value: bytes, site: str, **more: int) -> None:
        self.producer.produce(f"{self.prefix}.{stem}.v1", value, site, **more)
        assert self.producer.flush(20) == 0

    def said(self, someone: Browser) -> str:
        """What the processes told, and the line at the top of the page."""
        for one in (self.worker, self.page):
            one.close()
            one.wait()
        return f"{self.worker.text} {self.page.text} {someone!r}"

    def close(self) -> None:
        self.page.close()
        self.worker.close()


@pytest.fixture
def deployment(kafka: Broker, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(kafka, tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_an_outage_is_shown_and_acknowledged(deployment: Deployment) -> None:
    someone, another = Browser(deployment.url), Browser(deployment.url)
    assert wait_until(lambda: 'data-tone="live"' in someone.get("/"), 60), deployment.said(someone)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    study = {"type": "radvigil.study.v1", "site": "north", "study": "a", "modality": "DX", "at": at}
    deployment.produce("studies", json.dumps(study).encode(), "north")

    assert wait_until(lambda: "ptx at north gives no result" in someone.get("/"), 60)
    path = re.search(r"/incidents/[0-9a-f-]{36}", someone.get("/"))
    assert path is not None
    assert someone.post(f"{path[0]}/act", action="acknowledge", until="4 h")[0] == 403
    someone.post("/login", name="Kim Lee", token=TOKEN, next="/")
    token = re.search(r'name="form_token" value="([0-9a-f]{64})"', someone.get(path[0]))
    assert token is not None

    form = {"action": "acknowledge", "until": "4 h", "form_token": token[1]}
    status, shown = someone.post(f"{path[0]}/act", **form)

    assert status == 200
    assert "Done: acknowledge, by Kim Lee" in shown
    assert wait_until(lambda: "Kim Lee has it" in another.get(path[0]), 30)
    told = json.loads(another.get("/history.json"))
    assert "acknowledged" in json.dumps(told)
    assert deployment.page.end() == 0
    assert deployment.worker.end() == 0


async def read_all(config: Config, ahead_days: float) -> View:
    """What a page holds that begins so many days from now, once it has read all there is."""
    settings = WebSettings()
    view = View(config, settings)
    ahead_us = round(ahead_days * 86_400e6)
    reader = Reader(settings, view, lambda: time.time_ns() // 1000 + ahead_us)
    reading = asyncio.create_task(reader.run(config))
    async with asyncio.timeout(60):
        while reader.reading.heard_us is None or reader.reading.share < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    reading.cancel()
    await asyncio.wait([reading])
    return view


def publish(broker: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": broker, "log_level": 2})
    producer.produce(topic, encode(incident()), "north", partition=0)
    assert producer.flush(20) == 0


async def test_a_page_begins_where_it_matters(kafka: Broker) -> None:
    """What is older than the page looks back is not even read."""
    config = Config(prefix=f"begins{kafka.suffix}", broker=kafka.bootstrap, kafka=ONE)
    TopicsAdmin(config).create()
    publish(kafka.bootstrap, f"{config.prefix}.incidents.v1")

    assert len((await read_all(config, 0)).incidents.live()) == 1
    assert len((await read_all(config, 400)).incidents.live()) == 0


async def test_a_broker_that_knows_no_times_is_read_from_the_beginning() -> None:
    config = Config()
    broker = EmbeddedBroker(spec.name(config.prefix) for spec in topics_of(config))
    publish(broker.address, "radvigil.incidents.v1")

    view = await read_all(replace(config, broker=broker.address), 400)

    assert len(view.incidents.live()) == 1
