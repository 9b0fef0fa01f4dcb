"""Providers on real sockets that behave as their documentation says, badly if told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serve(app: web.Application) -> AsyncIterator[str]:
    """The server's address while it is there."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class Script:
    """Takes requests; `moods` says how each of the next ones goes, then all goes well."""

    def __init__(self, *moods: Any) -> None:
        self.moods = list(moods)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.accepted: list[Any] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append((request.path, headers, body))
        mood = self.moods.pop(0) if self.moods else "well"
        if isinstance(mood, web.Response):
            return mood
        if mood == "disconnects":
            assert request.transport is not None
            request.transport.abort()
        answer = self.accept(request.path, body)
        if mood == "accepts and is silent":
            await asyncio.sleep(30)
        return answer

    def accept(self, path: str, body: bytes) -> web.Response:
        self.accepted.append(json.loads(body))
        return web.Response(status=202)


class SlackServer(Script):
    """chat.postMessage, chat.update, and Socket Mode with the envelopes it is given."""

    def __init__(self, *moods: Any) -> None:
        super().__init__(*moods)
        self.messages: dict[str, str] = {}
        self.threads: list[str] = []
        self.envelopes: list[dict[str, Any]] = []
        self.acknowledged: list[str] = []
        self.all_acknowledged = asyncio.Event()
        self.connections_n = 0
        self.address = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/apps.connections.open", self.open_connection)
        app.router.add_get("/socket", self.socket)
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    def accept(self, path: str, body: bytes) -> web.Response:
        super().accept(path, body)
        payload = self.accepted[-1]
        if path.endswith("chat.update"):
            if payload["ts"] not in self.messages:
                return web.json_response({"ok": False, "error": "message_not_found"})
            self.messages[payload["ts"]] = payload["text"]
            return web.json_response({"ok": True, "channel": "C1", "ts": payload["ts"]})
        if "thread_ts" in payload:
            self.threads.append(payload["text"])
            return web.json_response({"ok": True, "channel": "C1", "ts": "7.7"})
        ts = f"{len(self.messages) + 1}.000100"
        self.messages[ts] = payload["text"]
        return web.json_response({"ok": True, "channel": "C1", "ts": ts})

    async def open_connection(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer xapp-s3cret"
        url = f"{self.address.replace('http', 'ws')}/socket?ticket=s3cret-ticket"
        return web.json_response({"ok": True, "url": url})

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Hello, half of the envelopes, a disconnect; the rest to who comes back."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections_n += 1
        await socket.send_json({"type": "hello", "num_connections": 1})
        last = self.connections_n > 1
        now = self.envelopes if last else self.envelopes[: len(self.envelopes) // 2]
        for envelope in now:
            await socket.send_json(envelope)
        expected_n = len(self.acknowledged) + len(now)
        async for message in socket:
            if message.type != WSMsgType.TEXT or not message.data.startswith("{"):
                continue
            self.acknowledged.append(json.loads(message.data)["envelope_id"])
            if len(self.acknowledged) == expected_n and not last:
                await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
            if len(self.acknowledged) == expected_n and last:
                self.all_acknowledged.set()
        return socket
