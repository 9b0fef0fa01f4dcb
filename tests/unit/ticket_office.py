"""A clerk, a tracker and the offset that Kafka keeps, in virtual time; any step may be the last."""

from collections.abc import Sequence
from typing import Any

from schemas.incident import Incident
from schemas.tickets import Tickets
from streams.delivery.http import Met
from streams.delivery.surroundings import Surroundings
from streams.notifiers import Answer, Request, Retry, Unknown
from streams.ticket_desk.clerk import Clerk
from streams.tickets import of
from streams.tickets._ledger import Ledger
from tests.unit.notices import PAGE
from tests.unit.trackers import SECRETS, SERVERS, TRACKERS

BEGAN_US = 1_767_600_000_000_000
# What a request may meet, by whether the tracker does it; the last two kill the process.
NOT_DONE: dict[str, Met] = {
    "429": Answer(429, {"retry-after": "7"}),
    "503": Answer(503),
    "timeout": Unknown("timeout"),
    "unreachable": Retry("unreachable"),
}
NOT_SAID: dict[str, Met] = {"503 done": Answer(503), "lost": Unknown("timeout")}
MOODS = (*NOT_DONE, *NOT_SAID)
DEATHS = ("dies before", "dies after")


class Killed(BaseException):
    """The process is no more."""


class Office:
    """`moods` says how each of the next requests goes, then all goes well."""

    def __init__(self, kind: str, moods: Sequence[str] = (), **changed: Any) -> None:
        self.now_us = BEGAN_US
        self.server = SERVERS[kind](self.clock_us)
        self.settings: Tickets = TRACKERS[kind]
        self.moods = list(moods)
        self.requests: list[Request] = []
        self.offset = 0
        self.metadata = ""
        self.dies_at_write = -1
        self.writes_n = 0
        self.secrets = changed.get("secrets", SECRETS)

    def clock_us(self) -> int:
        return self.now_us

    async def sleep(self, seconds: float) -> None:
        self.now_us += round(seconds * 1e6)

    async def send(self, request: Request) -> Met:
        self.now_us += 50_000
        self.requests.append(request)
        sealed = of(self.settings).seal(request, self.secrets)
        mood = self.moods.pop(0) if self.moods else "well"
        if mood == "dies before":
            raise Killed
        if mood in NOT_DONE:
            return await self._late(NOT_DONE[mood])
        done: Met = self.server.handle(sealed)
        if mood == "dies after":
            raise Killed
        return await self._late(NOT_SAID[mood]) if mood in NOT_SAID else done

    async def _late(self, met: Met) -> Met:
        if met == Unknown("timeout"):
            await self.sleep(30)
        return met

    async def process(self, log: Sequence[Incident]) -> None:
        """One life of the process: from the committed offset to the end, one record a round."""
        clerk = Clerk(
            self.settings,
            Surroundings(self.send, self.clock_us, self.sleep, draw=lambda: 0.5),
            PAGE,
        )
        ledger = clerk.ledger(self.metadata)
        for offset in range(self.offset, len(log)):

            async def write() -> None:
                self._commit(self.offset, ledger)

            await clerk.tell(log[offset], ledger, write)
            self._commit(offset + 1, ledger)

    async def live(self, log: Sequence[Incident]) -> int:
        """Lives until all is told; how many deaths that took."""
        deaths_n = 0
        while True:
            try:
                await self.process(log)
            except Killed:
                deaths_n += 1
                self.now_us += 1_000_000
                continue
            return deaths_n

    def _commit(self, offset: int, ledger: Ledger) -> None:
        self.writes_n += 1
        if self.writes_n == self.dies_at_write:
            raise Killed
        self.metadata = ledger.written(self.now_us)
        assert len(self.metadata) < 4_096
        self.offset = offset
