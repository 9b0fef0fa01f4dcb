"""What a machine asks of a worker over HTTP: /metrics, /healthz, /readyz.

It runs on the worker's own event loop, so an answer to /healthz is itself the proof that the loop
moves: a liveness probe needs its timeout and nothing else. No study, patient or site is named here.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Self

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

_Answer = web.Response


class Address(NamedTuple):
    """Where to listen; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def address(written: str) -> Address:
    """`HOST:PORT`, the host of IPv6 in brackets; a ValueError says what is wrong.

    >>> address("127.0.0.1:0"), str(address("[::1]:9100"))
    (Address(host='127.0.0.1', port=0), '[::1]:9100')
    """
    host, colon, port = written.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"{written!r} is not HOST:PORT, like 127.0.0.1:9100")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


class StatusServer:
    """Listens while it is entered; `listening` is the address that it got.

    `obstacles` says why the worker is not ready, `partitions` what it works on, `more` adds what
    else is served there.
    """

    def __init__(
        self,
        wanted: Address,
        registry: CollectorRegistry,
        *,
        obstacles: Callable[[], Sequence[str]],
        partitions: Callable[[], Sequence[int]],
        more: Iterable[Callable[[web.Application], object]] = (),
    ) -> None:
        self._wanted = wanted
        self._registry = registry
        self._obstacles = obstacles
        self._partitions = partitions
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        for add_to in more:
            add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self.listening = wanted

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, self._wanted.host, self._wanted.port)
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.listening = Address(*self._runner.addresses[0][:2])
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> _Answer:
        encode, content_type = choose_encoder(",".join(request.headers.getall("Accept", [])))
        body = encode(self._registry)
        return _Answer(body=body, headers={"Content-Type": content_type})

    async def _healthz(self, _request: web.Request) -> _Answer:
        return _json(200, {"alive": True})

    async def _readyz(self, _request: web.Request) -> _Answer:
        obstacles = list(self._obstacles())
        told = {"ready": not obstacles, "reasons": obstacles, "partitions": self._partitions()}
        return _json(503 if obstacles else 200, told)


def _json(status: int, told: dict[str, object]) -> _Answer:
    body = msgspec.json.encode(told) + b"\n"
    return _Answer(status=status, body=body, content_type="application/json")
