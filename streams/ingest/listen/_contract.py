"""What every listener promises: nothing is acknowledged before the sink has it."""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self

from msgspec import Struct

from streams.ingest._contract import Ingest, Translated

Acknowledge = Callable[[Sequence[Translated]], Awaitable[None]]
"""Takes what was translated; returns when the sink has the events. Raises when it has not."""


class Settings(Struct, frozen=True):
    """Where to listen, and as whom."""

    host: str
    port: int
    stable_s: float = 60.0
    aet: str = "RADVIGIL"
    tls: ssl.SSLContext | None = None
    answer_s: float = 20.0
    """Senders give up after 30 s or so, and do not know then what became of it."""


class Listener(Protocol):
    """An asynchronous context: serves from entry to exit."""

    port: int
    """The port that it got, where 0 was asked for."""

    def __init__(self, settings: Settings, ingest: Ingest, safe: Acknowledge) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *error: object) -> None: ...
