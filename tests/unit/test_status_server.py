"""The worker's HTTP answers, over a real socket."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from streams.status_server import Address, StatusServer, address

OBSTACLES: list[str] = []


@pytest.fixture
async def url() -> AsyncIterator[str]:
    registry = CollectorRegistry()
    Counter("radvigil_things_total", "Things", registry=registry).inc(3)
    wanted = Address("127.0.0.1", 0)
    OBSTACLES.clear()
    server = StatusServer(wanted, registry, obstacles=lambda: OBSTACLES, partitions=lambda: [1, 4])
    async with server:
        assert server.listening.port != 0
        yield f"http://{server.listening}"


async def test_metrics_are_prometheus_text_unless_asked_otherwise(url: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        body = await answer.text()

        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert "radvigil_things_total 3.0" in body
        assert "# EOF" not in body


async def test_metrics_are_openmetrics_for_who_asks(url: str) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/metrics", headers=accept) as answer,
    ):
        body = await answer.text()

        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        assert "radvigil_things" in [one.name for one in text_string_to_metric_families(body)]


async def test_health_is_the_answer_itself(url: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"alive": True})


async def test_ready_tells_why_not(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/readyz") as answer:
            assert answer.status == 200
            assert await answer.json() == {"ready": True, "reasons": [], "partitions": [1, 4]}
        OBSTACLES.append("partition 4 is 400 s behind")
        async with session.get(f"{url}/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["reasons"] == ["partition 4 is 400 s behind"]


async def test_a_port_in_use_is_an_error(url: str) -> None:
    taken = address(url.removeprefix("http://"))
    server = StatusServer(taken, CollectorRegistry(), obstacles=list, partitions=list)

    with pytest.raises(OSError, match="in use"):
        async with server:
            pytest.fail("it listens where somebody else does")


@pytest.mark.parametrize("written", ["9100", ":9100", "host:", "host:http", "host:70000", ""])
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        address(written)
