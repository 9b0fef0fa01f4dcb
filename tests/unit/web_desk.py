"""A page without a broker: what it has read is put into its view, its clock stands still."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from schemas.command import Command
from schemas.config import Config, Model
from schemas.incident import Evidence, Incident
from schemas.outcome import Outcome
from schemas.reply import Reply
from schemas.series import SeriesPoint
from schemas.site import SiteSettings
from schemas.web import WebSettings
from streams.web.freshness import Reading
from streams.web.server import Page
from tests.unit.builders import START, at, us

TOKEN = "the-token"
NOW_S = 7200.0
PARTITIONS = 4
INCIDENT = "5f7c1d9e-0c1a-5b7e-9d57-3b1e0f2a4c6d"
PLANT = "Mustermann^Erika"


def config(**fields: Any) -> Config:
    plain = {
        "models": [Model(name="ptx", deadline_s=300.0), Model(name="ich", deadline_s=300.0)],
        "sites": [SiteSettings(name="north"), SiteSettings(name="south")],
    }
    return Config(**plain | fields)


def incident(seq: int = 1, at_s: float = 3600, **fields: Any) -> Incident:
    """A critical outage of ptx at north; what may not be shown to everybody is planted."""
    plain = {
        "incident": INCIDENT,
        "seq": seq,
        "fingerprint": "fp",
        "kind": "missing_output",
        "state": "open",
        "reason": "opened",
        "severity": "critical",
        "site": "north",
        "model": "ptx",
        "title": "ptx at north gives no result: 12 studies past the deadline",
        "opened_at": at(3600),
        "last_seen": at(at_s),
        "at": at(at_s),
        "evidence": Evidence(affected_count=12, examples=[f"study-{PLANT}"]),
    }
    return Incident(**plain | fields)


def outcome(study: str, at_s: float, kind: str = "on_time", **fields: Any) -> Outcome:
    plain = {"site": "north", "study": study, "model": "ptx", "due": at(at_s), "at": at(at_s)}
    return Outcome(**plain | {"outcome": kind, "revision": 1} | fields)


def point(at_s: float, **fields: Any) -> SeriesPoint:
    plain = {
        "site": "north",
        "subject": "acquisition.kvp",
        "since": at(at_s - 60),
        "at": at(at_s),
        "n": 64,
        "mean": 100.0,
        "low": 90.0,
        "high": 110.0,
        "phase": "watching",
        "reference_n": 2000,
        "statistics": {"mean_sr": 0.25},
    }
    return SeriesPoint(**plain | fields)


def page(config_: Config | None = None, settings: WebSettings | None = None, **more: Any) -> Page:
    """One that is live: all is read, and the monitor has proved time until now."""
    made = Page(
        config_ or config(),
        settings or WebSettings(),
        TOKEN,
        send=more.get("send", refuse_to_send),
        clock_us=more.get("clock_us", lambda: us(NOW_S)),
    )
    made.reader.reading = Reading(us(NOW_S), 1.0, PARTITIONS)
    for partition in range(PARTITIONS):
        made.view.monitor.proved(partition, us(NOW_S))
    return made


async def refuse_to_send(_command: Command) -> Reply | None:
    raise AssertionError("nothing was to be sent")


@asynccontextmanager
async def browsing(made: Page) -> AsyncIterator[TestClient[Any, Any]]:
    """A browser on it, with cookies."""
    app = web.Application()
    made.add_to(app)
    async with TestClient(TestServer(app)) as client:
        yield client


async def log_in(client: TestClient[Any, Any], name: str = "Kim Lee", token: str = TOKEN) -> int:
    form = {"name": name, "token": token, "next": "/"}
    answer = await client.post("/login", data=form, allow_redirects=False)
    return answer.status


async def text(client: TestClient[Any, Any], path: str, status: int = 200) -> str:
    answer = await client.get(path)
    assert answer.status == status
    return await answer.text()


def day(n: int) -> datetime:
    return START - timedelta(days=n)
