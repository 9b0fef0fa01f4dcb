"""The links of `radvigil ingest`, exchanged with the other services of the site while it runs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schemas.config_file import ConfigError
from schemas.ingest import IngestSettings
from streams.ingest.link_file import LinkFile
from streams.ingest.links import Links
from streams.ingest.settings import link_file_of

log = logging.getLogger("radvigil.ingest")

EXCHANGE_S = 1.0


@asynccontextmanager
async def shared_links(settings: IngestSettings, links: Links) -> AsyncIterator[None]:
    """Where `ingest.links_file` is named. Raises ConfigError where it cannot be used."""
    shared = link_file_of(settings, links)
    if shared is None:
        yield
        return
    try:
        shared.exchange()
    except OSError as error:
        told = f"{settings.links_file}: {error.strerror or error}"
        raise ConfigError("ingest.links_file", [told]) from None
    exchanging = asyncio.create_task(_again_and_again(shared))
    try:
        yield
    finally:
        exchanging.cancel()
        _exchanged(shared)


async def _again_and_again(shared: LinkFile) -> None:
    while True:
        await asyncio.sleep(EXCHANGE_S)
        _exchanged(shared)


def _exchanged(shared: LinkFile) -> None:
    try:
        shared.exchange()
    except OSError as error:  # a full disk: what was learnt waits for the next time
        log.warning("links are not shared: %s", error.strerror)
