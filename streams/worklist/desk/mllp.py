"""One HL7 v2 message over MLLP (transport appendix C), and its acknowledgement.

The connection is kept between messages, with one in flight. An acknowledgement of another message,
one that came after we gave up on it, is passed over.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Self

from streams.delivery.http import Met
from streams.notifiers import Answer, Request, Retry, Unknown
from streams.worklist.hl7 import answers

START, END = b"\x0b", b"\x1c\r"
CONNECT_S = 10.0
_LONGEST_ANSWER = 65_536


class Mllp:
    """A connection that is opened when it is needed, and closed with its context."""

    def __init__(self, host: str, port: int, timeout_s: float, trust: ssl.SSLContext | None):
        self._host, self._port = host, port
        self._timeout_s = timeout_s
        self._trust = trust
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def send(self, request: Request) -> Met:
        """Send it and wait. Unknown: perhaps it arrived."""
        try:
            reader, writer = self._streams = self._streams or await self._opened()
        except ssl.SSLError:
            return Retry("certificate")
        except (OSError, TimeoutError):
            return Retry("unreachable")
        try:
            async with asyncio.timeout(self._timeout_s):
                writer.write(START + request.body + END)
                await writer.drain()
                return Answer(0, {}, await _acknowledgement(reader, request))
        except TimeoutError:
            await self.close()
            return Unknown("timeout")
        except (OSError, EOFError, asyncio.LimitOverrunError):
            await self.close()
            return Unknown("disconnected")

    async def close(self) -> None:
        """Hang up; the next message opens it anew."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(streams[1].wait_closed(), 1.0)

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        opening = asyncio.open_connection(
            self._host, self._port, ssl=self._trust, limit=_LONGEST_ANSWER
        )
        return await asyncio.wait_for(opening, CONNECT_S)


async def _acknowledgement(reader: asyncio.StreamReader, request: Request) -> bytes:
    while True:
        frame = (await reader.readuntil(END))[: -len(END)].rpartition(START)[2]
        if answers(request, frame):
            return frame
