"""An MLLP receiver (HL7 v2, transport appendix C): acknowledged when the sink has it.

Original mode (MSH-15 and MSH-16 empty): AA when the sink has the events, AE when it has not, so
that the sender tries again, AR for kinds of message that we do not take. Enhanced mode: CA, CE, CR
as the accept acknowledgement that MSH-15 asks for. A message that cannot be read is counted and
acknowledged with AA: else it would come again and block the feed for ever.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Self
from uuid import uuid4

from streams.ingest._contract import Ingest, Translated, Untranslated
from streams.ingest._hl7_message import LARGEST_BYTES, Message, NotHl7, Segment, parse
from streams.ingest.hl7 import Translator
from streams.ingest.listen._contract import Acknowledge, Settings

log = logging.getLogger("radvigil.ingest")

START, END = b"\x0b", b"\x1c\r"
IDLE_S = 3600.0
MOST_CONNECTIONS = 64
_REJECTED = frozenset({"not_of_this_kind", "unsupported"})
_NO_HEADER = Segment(Message([], "|", "^", "~", "&"), ["MSH"])
_ENHANCED = {"AA": "CA", "AE": "CE", "AR": "CR"}


class Listener:
    """See streams.ingest.listen.Listener."""

    def __init__(self, settings: Settings, ingest: Ingest, safe: Acknowledge) -> None:
        self.port = settings.port
        self._settings = settings
        self._translator = Translator(ingest)
        self._safe = safe
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected,
            self._settings.host,
            self._settings.port,
            limit=LARGEST_BYTES + 1024,
            ssl=self._settings.tls,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) <= MOST_CONNECTIONS:
                await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            log.info("an HL7 sender has gone")  # between messages or within one: it sends again
        except asyncio.LimitOverrunError:
            await self._safe([Untranslated("too_large", "message")])
            log.warning("an HL7 sender was cut off: a message of more than %d bytes", LARGEST_BYTES)
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One message after the other, so that the order is kept."""
        while True:
            frame = await asyncio.wait_for(reader.readuntil(END), IDLE_S)
            content = frame[:-2].rpartition(START)[2]
            answer = await self._answer(content)
            if answer is not None:
                writer.write(START + answer + END)
                await writer.drain()

    async def _answer(self, content: bytes) -> bytes | None:
        now = datetime.now(UTC)  # noqa: TID251, the edge has a clock
        translated = list(self._translator.translate(content, now))  # a frame may hold a batch
        try:
            async with asyncio.timeout(self._settings.answer_s):
                await self._safe(translated)
        except Exception as error:  # whatever the sink has: the sender keeps the message
            log.warning("a message was not taken: %r", error)
            return acknowledgement(content, "AE", now)
        return acknowledgement(content, _code(translated), now)


def _code(translated: Sequence[Translated]) -> str:
    """Rejected is what nothing was taken of."""
    refused = [isinstance(one, Untranslated) and one.reason in _REJECTED for one in translated]
    return "AR" if refused and all(refused) else "AA"


def acknowledgement(content: bytes, code: str, now: datetime) -> bytes | None:
    """The ACK for a message, or None where MSH-15 does not want one."""
    try:
        header = parse(content).first("MSH")
    except NotHl7:
        header = _NO_HEADER
    told = header.text
    if told(15) or told(16):
        code = _ENHANCED[code]
        wanted = {"AL": True, "NE": False, "SU": code == "CA", "ER": code != "CA"}
        if not wanted.get(told(15), True):
            return None
    stamp = now.strftime("%Y%m%d%H%M%S") + "+0000"
    receiver = f"{_plain(told(5))}|{_plain(told(6))}|{_plain(told(3))}|{_plain(told(4))}"
    segments = [
        f"MSH|^~\\&|{receiver}|{stamp}||ACK|{uuid4().hex[:20]}|{told(11)[:1] or 'P'}|"
        f"{_plain(told(12)) or '2.5'}",
        f"MSA|{code}|{_plain(told(10))}",
    ]
    return ("\r".join(segments) + "\r").encode("ascii", "replace")


def _plain(text: str) -> str:
    """Names of systems and message numbers, without what would end a field."""
    return "".join(letter for letter in text if letter.isprintable() and letter not in "|^~\\&")[
        :64
    ]
