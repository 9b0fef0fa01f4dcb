"""A DICOM storage receiver (C-ECHO, C-STORE) that keeps no pixels: images and results alike.

An object is acknowledged with success when the sink has what it meant, with "out of resources"
when the sink has not, so that the sender tries again; one that cannot be translated is acknowledged
and counted, since it would come again for ever.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from schemas.study import Study
from streams.ingest import sr
from streams.ingest._contract import Ingest, Translated
from streams.ingest.assembly import Assembly
from streams.ingest.dicom import Instance, Translator
from streams.ingest.listen._contract import Acknowledge, Settings

log = logging.getLogger("radvigil.ingest")
# The network library tells associations and their identifiers at levels that we do not need.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
KEPT = timedelta(days=1)
_ANY_TRANSFER_SYNTAX = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.5",
]


class Listener:
    """See streams.ingest.listen.Listener."""

    def __init__(self, settings: Settings, ingest: Ingest, safe: Acknowledge) -> None:
        self.port = settings.port
        self._settings = settings
        self._images = Translator(ingest)
        self._results = sr.Translator(ingest)
        self._assembly = Assembly(settings.stable_s)
        self._safe = safe
        self._untold: list[Translated] = []
        self._server: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        entity = AE(ae_title=self._settings.aet)
        entity.require_called_aet = True  # what is meant for another is not ours to acknowledge
        entity.add_supported_context(Verification)
        for context in AllStoragePresentationContexts:
            assert context.abstract_syntax is not None
            entity.add_supported_context(context.abstract_syntax, _ANY_TRANSFER_SYNTAX)
        self._server = entity.start_server(
            (self._settings.host, self._settings.port),
            block=False,
            evt_handlers=[(evt.EVT_C_STORE, self._stored), (evt.EVT_REJECTED, self._refused)],
            ssl_context=self._settings.tls,
        )
        self.port = self._server.server_address[1]
        self._sweeping = asyncio.create_task(self._sweep())
        return self

    async def __aexit__(self, *error: object) -> None:
        await asyncio.to_thread(self._server.shutdown)
        assert self._sweeping is not None
        self._sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeping
        await self._safe([*self._untold, *self._assembly.finish()])

    def _refused(self, event: Any) -> None:
        called: str = event.assoc.requestor.primitive.called_ae_title
        is_ours = called.strip() == self._settings.aet.strip()
        why = "too many send at once" if is_ours else "it calls another title than ours (--aet)"
        log.warning("a sender was refused: %s", why)

    def _stored(self, event: Any) -> int:
        """On a thread of the network library, one for each association."""
        assert self._loop is not None
        content = event.encoded_dataset()
        return asyncio.run_coroutine_threadsafe(self._take(content), self._loop).result()

    async def _take(self, content: bytes) -> int:
        now = datetime.now(UTC)  # noqa: TID251, the edge has a clock
        translated = self._translated(content, now)
        try:
            async with asyncio.timeout(self._settings.answer_s):
                await self._safe(translated)
        except Exception as error:  # whatever the sink has: the sender keeps the object
            log.warning("an object was not taken: %r", error)
            for one in translated:
                if isinstance(one, Study):
                    self._assembly.unsay(one.study)
            return OUT_OF_RESOURCES
        return SUCCESS

    def _translated(self, content: bytes, now: datetime) -> list[Translated]:
        found = self._images.instance(content, now)
        if isinstance(found, Instance):
            return list(self._assembly.add(found, now))
        if found.reason == "not_of_this_kind":
            return list(self._results.translate(content, now))
        return [found]

    async def _sweep(self) -> None:
        """Tell the studies that have become complete."""
        while True:
            await asyncio.sleep(min(1.0, self._settings.stable_s / 4))
            now = datetime.now(UTC)  # noqa: TID251, the edge has a clock
            self._untold += self._assembly.due(now)
            try:
                await self._safe(self._untold)
                self._untold = []
            except Exception as error:  # whatever the sink has: they are told the next time
                log.warning("%d complete studies were not taken: %r", len(self._untold), error)
            self._assembly.forget(now - KEPT)
