"""The dead man's switch pings while everything moves, and only then."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from schemas.routing import Alertmanager
from schemas.watchdog import Watchdog
from streams.watchdog import PROVED_S, WRITTEN_S, Pulse, Watch
from tests.unit.delivery_room import Carrier
from tests.unit.notices import NOW_US

AM = Alertmanager(name="am", url="http://am:9093")


class Ward:
    """A worker of two partitions, and somebody outside who is pinged."""

    def __init__(self, settings: Watchdog | None = None) -> None:
        self.now_s = 0.0
        self.pings: list[str] = []
        self.status = 200
        self.stuck: list[str] = []
        self.pulse = Pulse(lambda: self.now_s)
        self.carrier = Carrier()
        self.settings = settings or Watchdog()
        self.stopping = asyncio.Event()

    def own(self) -> None:
        for partition in (0, 1):
            self.pulse.restored(partition, 0.1, 10)

    def pass_time(
        self, seconds: float, proved: tuple[int, ...] = (0, 1), *, written: bool = True
    ) -> None:
        self.now_s += seconds
        for partition in proved:
            self.pulse.behind(partition, 0, 0.0, NOW_US + round(self.now_s * 1e6))
        if written:
            for partition in (0, 1):
                self.pulse.checkpointed(partition, 0.01, 3)

    async def look(self) -> None:
        async with self.outside() as url, aiohttp.ClientSession() as session:
            watch = Watch(
                self.settings,
                f"{url}/s3cret-uuid",
                self.pulse,
                self.carrier,
                lambda: self.stuck,
                [AM],
            )
            await watch.look(session, self.stopping)

    @asynccontextmanager
    async def outside(self) -> AsyncIterator[str]:
        async def pinged(request: web.Request) -> web.Response:
            self.pings.append(request.path.removeprefix("/s3cret-uuid"))
            return web.Response(status=self.status)

        app = web.Application()
        app.router.add_post("/{path:.*}", pinged)
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")


async def test_all_that_moves_is_one_ping() -> None:
    ward = Ward()
    ward.own()
    ward.pass_time(60)

    await ward.look()

    assert ward.pings == [""]


@pytest.mark.parametrize("what", ["proof", "checkpoint", "delivery"])
async def test_one_thing_that_stands_and_there_is_no_ping(what: str) -> None:
    ward = Ward()
    ward.own()
    ward.pass_time(60)
    if what == "proof":
        ward.pass_time(max(60, PROVED_S) + 1, proved=(0,))
    elif what == "checkpoint":
        for _ in range(4):
            ward.pass_time(WRITTEN_S / 4 + 1, written=False)
    else:
        ward.stuck = ["delivery has not moved for 200 s"]

    await ward.look()

    assert ward.pings == []


async def test_a_watermark_that_is_told_again_and_does_not_rise_is_no_proof() -> None:
    ward = Ward()
    ward.own()
    ward.pass_time(60)
    ward.now_s += 100
    ward.pulse.behind(0, 5, 100.0, NOW_US + 60_000_000)
    ward.pulse.behind(1, 5, 100.0, NOW_US + 60_000_000)

    assert len(ward.pulse.obstacles(60.0)) == 2


async def test_where_it_is_asked_for_a_failure_is_told() -> None:
    ward = Ward(Watchdog(fail="/fail"))
    ward.own()
    ward.pass_time(60)
    ward.stuck = ["delivery has not moved for 200 s"]

    await ward.look()

    assert ward.pings == ["/fail"]


async def test_without_a_partition_nothing_is_said() -> None:
    ward = Ward(Watchdog(fail="/fail", alertmanagers=True))
    await ward.look()
    ward.own()
    ward.pulse.released(0)
    ward.pulse.released(1)
    await ward.look()

    assert (ward.pings, ward.carrier.sent) == ([], [])


async def test_the_alert_fires_while_all_moves_and_ends_soon_after() -> None:
    ward = Ward(Watchdog(alertmanagers=True))
    ward.own()
    ward.pass_time(60)
    await ward.look()
    ward.stuck = ["delivery has not moved for 200 s"]
    await ward.look()

    ((receiver, step, body),) = ward.carrier.sent
    (alert,) = json.loads(body)
    assert (receiver, step, alert["labels"]["alertname"]) == ("am", "watchdog", "Watchdog")
    assert set(alert) == {"labels", "annotations", "endsAt"}


async def test_it_is_tried_three_times_and_no_address_is_in_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.watchdog._PAUSE_S", 0.0)
    ward = Ward()
    ward.own()
    ward.pass_time(60)
    ward.status = 500
    caplog.set_level(logging.DEBUG, "radvigil")

    await ward.look()

    assert ward.pings == ["", "", ""]
    assert "the watchdog was not reached: http_500" in caplog.text
    assert "s3cret" not in caplog.text
