"""A provider on a loop of its own thread, for tests whose workers are processes."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

from aiohttp import web


class Provider:
    """Takes what is posted; `mood` is asked what to do with each request.

    A mood is an answer that refuses, or "well", or "drops": it is accepted, and nobody hears so.
    """

    def __init__(self, mood: Callable[[], web.Response | str] = lambda: "well") -> None:
        self.mood = mood
        self.accepted: list[tuple[str, dict[str, str], Any]] = []
        self.bodies: list[bytes] = []
        self.refused_n = 0
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())

    async def _listen(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.bodies.append(body)
        mood = self.mood()
        if isinstance(mood, web.Response):
            self.refused_n += 1
            return mood
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.accept(request.path, headers, json.loads(body))
        if mood == "drops":
            assert request.transport is not None
            request.transport.abort()
        return answer

    def accept(self, path: str, headers: dict[str, str], body: Any) -> web.Response:
        self.accepted.append((path, headers, body))
        return web.Response(status=202)


class SlackLike(Provider):
    """chat.postMessage and chat.update, with every message that is to be seen."""

    def __init__(self, mood: Callable[[], web.Response | str] = lambda: "well") -> None:
        super().__init__(mood)
        self.messages: dict[str, list[str]] = {}
        self.threads: list[str] = []

    def accept(self, path: str, headers: dict[str, str], body: Any) -> web.Response:
        super().accept(path, headers, body)
        if path.endswith("chat.update"):
            if body["ts"] not in self.messages:
                return web.json_response({"ok": False, "error": "message_not_found"})
            self.messages[body["ts"]].append(body["text"])
            return web.json_response({"ok": True, "channel": "C1", "ts": body["ts"]})
        if "thread_ts" in body:
            self.threads.append(body["text"])
            return web.json_response({"ok": True, "channel": "C1", "ts": "7.7"})
        ts = f"{len(self.messages) + 1}.000100"
        self.messages[ts] = [body["text"]]
        return web.json_response({"ok": True, "channel": "C1", "ts": ts})
