"""How the demo is shown: a calm screen on a terminal, plain lines on a pipe."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.live import Live

from streams.clock import from_us
from streams.demo import ward
from streams.demo.view import View
from streams.incident_board import told

_SCREEN_S = 0.5
_LINE_S = 10.0


class Show:
    """Shows a view until `is_over`; `heading` stands above it."""

    def __init__(self, view: View, heading: Sequence[str], is_over: Callable[[], bool]) -> None:
        self._view = view
        self._heading = heading
        self._is_over = is_over
        self._began_s = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Since the show began."""
        return time.monotonic() - self._began_s

    async def go_on(self) -> None:
        """As the output allows."""
        if sys.stdout.isatty():
            await self._screen()
        else:
            await self._lines()

    async def _screen(self) -> None:
        with Live(console=Console(), auto_refresh=False, transient=True) as live:
            while not self._is_over():
                now = from_us(time.time_ns() // 1000)
                heading = (*self._heading, ward.planted_at(self.elapsed_s), "Ctrl-C ends it.")
                live.update(self._view.screen(heading, now, self.elapsed_s), refresh=True)
                await asyncio.sleep(_SCREEN_S)

    async def _lines(self) -> None:
        print("\n".join(self._heading), flush=True)
        next_line_s = 0.0
        while not self._is_over():
            while self._view.news:
                print(f"  {told(self._view.news.popleft())}", flush=True)
            if self.elapsed_s >= next_line_s:
                next_line_s += _LINE_S
                said = f"{self._view.standing(self.elapsed_s)} {ward.planted_at(self.elapsed_s)}"
                print(f"{self.elapsed_s:4.0f} s: {said}", flush=True)
            await asyncio.sleep(0.2)
