"""What a reader is told by real HTTP: what to try again, what not, and no address in any error."""

import base64
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from streams.ingest.read import Away, Gone, Refused
from streams.ingest.read import _http as http
from streams.ingest.read._http import Http, Server

PATH = "/studies/PLANTED-4711"


class Answering:
    """A server whose answer is set; keeps what it was sent."""

    def __init__(self) -> None:
        self.answer: Callable[[], web.Response] = lambda: web.Response(body=b"fine")
        self.headers: dict[str, str] = {}
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.headers = dict(request.headers)
        return self.answer()


@pytest.fixture
async def server() -> AsyncIterator[Answering]:
    answering = Answering()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answering.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    answering.url = f"http://{host}:{port}"
    yield answering
    await runner.cleanup()


async def test_content_comes_and_the_password_goes(server: Answering) -> None:
    async with Http(Server(server.url + "/", "reader", "p\u00e4ss:word")) as get:
        assert await get(PATH) == b"fine"

    scheme, _, told = server.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(told).decode()) == ("Basic", "reader:p\u00e4ss:word")


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Refused), (403, Refused), (302, Refused), (404, Gone), (500, Gone), (503, Away)],
)
async def test_a_status_says_what_to_do(
    status: int, error: type[Exception], server: Answering
) -> None:
    server.answer = lambda: web.Response(status=status, headers={"Location": "http://x/PLANTED"})

    async with Http(Server(server.url)) as get:
        with pytest.raises(error) as raised:
            await get(PATH)

    assert "PLANTED" not in str(raised.value)


async def test_nobody_there_is_away() -> None:
    async with Http(Server("http://127.0.0.1:1")) as get:
        with pytest.raises(Away) as raised:
            await get(PATH)

    assert "PLANTED" not in str(raised.value)


async def test_an_answer_without_end_is_cut_off(
    server: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGEST_BYTES", 3)

    async with Http(Server(server.url)) as get:
        with pytest.raises(Gone, match="too large"):
            await get(PATH)
