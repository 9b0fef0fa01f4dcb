"""Live updates: server-sent events that say how fresh the page is and that there is news.

A browser that hears `pulse` with a later version reads its own address again; nothing else is sent.
"""

import asyncio
from collections.abc import Callable

import msgspec
from aiohttp import web

from streams.web.freshness import Freshness
from streams.web.render import straight
from streams.web.view import View
from streams.web.words import where

PULSE_S = 2.0
MOST = 200


class Pulse(msgspec.Struct, frozen=True):
    """What a browser is told every two seconds."""

    version: int
    tone: str
    sentence: str
    news: list[str]


class Live:
    """The open streams, at most `MOST`."""

    def __init__(self, view: View, freshness: Callable[[], Freshness]) -> None:
        self._view = view
        self._freshness = freshness
        self.open_n = 0

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Until the browser goes away."""
        if self.open_n >= MOST:
            raise web.HTTPServiceUnavailable(text="Too many live pages are open.")
        self.open_n += 1
        try:
            return await self._stream(request)
        finally:
            self.open_n -= 1

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        told = self._view.version
        while True:
            pulse = self.pulse(told)
            told = pulse.version
            try:
                await response.write(b"data: " + msgspec.json.encode(pulse) + b"\n\n")
            except ConnectionResetError:
                return response
            await asyncio.sleep(PULSE_S)

    def pulse(self, told: int) -> Pulse:
        """What to say to a browser that was last told of a version."""
        fresh = self._freshness()
        news = [straight(f"{one.title} ({where(one)})") for one in self._view.news_since(told)]
        return Pulse(self._view.version, fresh.tone, fresh.sentence, news)
