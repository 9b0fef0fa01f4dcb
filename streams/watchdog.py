"""The dead man's switch: a ping for every interval in which all stages moved, and none otherwise.

What "moved" means: each partition that this worker owns has proved time since the last look, its
checkpoints are written (an idle one writes every minute), and delivery makes its turns. A worker
that owns nothing says nothing. The address is a secret and stands in no log and no error.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence

import aiohttp
import msgspec

from schemas.config import Config
from schemas.routing import Alertmanager
from schemas.watchdog import Watchdog
from streams.clock import from_us, seconds_to_us
from streams.delivery.service import Carrier
from streams.engine import Engine
from streams.notifiers import Request, Result, Retry, Sent
from streams.telemetry import Silent

log = logging.getLogger("radvigil.watchdog")

WRITTEN_S = 180.0
"""An idle partition writes every `Engine.refresh_s`; three times that is stuck."""
PROVED_S = 30.0
TRIES = 3
_PAUSE_S = 5.0
_TIMEOUT_S = 10.0
_HOLDS = 4


class _Partition(msgspec.Struct):
    proved_s: float
    written_s: float
    watermark_us: int = 0


class Pulse(Silent):
    """Listens to the worker's telemetry; `clock_s` is monotonic."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._partitions: dict[int, _Partition] = {}

    @property
    def is_there(self) -> bool:
        """Whether this worker has anything to move."""
        return bool(self._partitions)

    def restored(self, partition: int, seconds: float, records: int) -> None:
        """It is ours from now."""
        now_s = self._clock_s()
        self._partitions[partition] = _Partition(now_s, now_s)

    def released(self, partition: int) -> None:
        """It is another worker's."""
        self._partitions.pop(partition, None)

    def checkpointed(self, partition: int, seconds: float, records: int) -> None:
        """It was written."""
        if partition in self._partitions:
            self._partitions[partition].written_s = self._clock_s()

    def behind(self, partition: int, events: int, lag_s: float, watermark_us: int) -> None:
        """Time was proved, if the watermark has risen."""
        one = self._partitions.get(partition)
        if one is not None and watermark_us > one.watermark_us:
            one.watermark_us, one.proved_s = watermark_us, self._clock_s()

    def obstacles(self, every_s: float) -> list[str]:
        """What has not moved for an interval (half a minute at least), a sentence each."""
        now_s, stuck = self._clock_s(), []
        for number, one in sorted(self._partitions.items()):
            if now_s - one.proved_s > max(every_s, PROVED_S):
                stuck.append(f"partition {number}: no time proved for {now_s - one.proved_s:.0f} s")
            if now_s - one.written_s > max(every_s, WRITTEN_S):
                stuck.append(f"partition {number}: no checkpoint for {now_s - one.written_s:.0f} s")
        return stuck


class Watch:
    """A companion of the worker: looks every interval, and pings if all moved.

    `url` is the address, None where only Alertmanagers are told, through `carrier`; `stuck` tells
    what else does not move, as `Delivery.obstacles`.
    """

    def __init__(
        self,
        settings: Watchdog,
        url: str | None,
        pulse: Pulse,
        carrier: Carrier,
        stuck: Callable[[], Sequence[str]],
        receivers: Iterable[Alertmanager] = (),
    ) -> None:
        self._settings = settings
        self._url = url
        self._pulse = pulse
        self._carrier = carrier
        self._stuck = stuck
        self._receivers = tuple(receivers) if settings.alertmanagers else ()
        self._was_stuck = False

    async def run(self, config: Config, engine: Engine, stopping: asyncio.Event) -> None:
        """Until `stopping` is set."""
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        async with aiohttp.ClientSession(trust_env=True, timeout=timeout) as session:
            if self._url is not None and self._settings.start:
                await self._ping(session, self._settings.start, stopping)
            while not stopping.is_set():
                await _either(stopping, self._settings.every_s)
                if not stopping.is_set():
                    await self.look(session, stopping)

    async def look(self, session: aiohttp.ClientSession, stopping: asyncio.Event) -> None:
        """One interval is over: say that all moved, or that it did not."""
        if not self._pulse.is_there:
            return
        stuck = [*self._pulse.obstacles(self._settings.every_s), *self._stuck()]
        if stuck and not self._was_stuck:
            log.warning("the watchdog is not told that all is well: %s", "; ".join(stuck[:5]))
        self._was_stuck = bool(stuck)
        if not stuck:
            await asyncio.gather(*(self._fire(one) for one in self._receivers))
        suffix = self._settings.fail if stuck else ""
        if self._url is not None and (not stuck or suffix):
            await self._ping(session, suffix, stopping)

    async def _ping(
        self, session: aiohttp.ClientSession, suffix: str, stopping: asyncio.Event
    ) -> None:
        why = ""
        for _ in range(TRIES):
            try:
                async with session.post(f"{self._url}{suffix}", allow_redirects=False) as answer:
                    if answer.status < 300:
                        return
                    why = f"http_{answer.status}"
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                why = type(error).__name__
            await _either(stopping, _PAUSE_S)
            if stopping.is_set():
                return
        log.warning("the watchdog was not reached: %s", why)

    async def _fire(self, receiver: Alertmanager) -> None:
        """An alert that ends by itself soon after the last that was sent."""
        now_us = time.time_ns() // 1_000
        request = watchdog_alert(receiver, now_us, self._settings.every_s)
        result: Result = Retry("error")
        try:
            result = await self._carrier.send(receiver, request)
        finally:
            if not isinstance(result, Sent):
                log.warning("%s did not take the watchdog's alert: %s", receiver.name, result.why)


def watchdog_alert(receiver: Alertmanager, now_us: int, every_s: float) -> Request:
    """The alert that always fires: its absence is what its own route is to tell."""
    lasts_us = seconds_to_us(every_s) * _HOLDS
    alert = {
        "labels": {"alertname": "Watchdog", "monitor": "radvigil", "severity": "none"},
        "annotations": {"summary": "radvigil moves. When this alert is missing, it does not."},
        "endsAt": from_us(now_us + lasts_us - now_us % 1_000_000).isoformat(),
    }
    url = f"{receiver.url.rstrip('/')}/api/v2/alerts"
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return Request("POST", url, headers, msgspec.json.encode([alert]), step="watchdog")


async def _either(stopping: asyncio.Event, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), timeout_s)
    except TimeoutError:
        return
