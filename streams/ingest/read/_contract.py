"""What every reader promises: it can go on from a position, and does no I/O but what it is given.

A position is remembered after the sink has what came before it. So a reader that is killed reads
some things twice and none never; the events are upserts.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from streams.ingest._contract import Ingest, Translated

Position = dict[str, Any]
"""Where a reader is, as JSON; its own matter. It holds keys and numbers, nothing of patients."""


class Away(Exception):
    """The server does not answer at present, or says later: try again."""


class Gone(Exception):
    """The server is well and has not this one thing, or cannot show it."""


class Refused(Exception):
    """Trying again is of no use: wrong password, wrong address, not this kind of server."""


class Get(Protocol):
    """Asks the server; raises Away, Gone or Refused."""

    async def __call__(self, path: str, accept: str = "application/json") -> bytes:
        """The content of a path below the server's address."""


class Batch(NamedTuple):
    """Some of what is new, and where to go on once it is safe."""

    translated: list[Translated]
    position: Position


class Reader(Protocol):
    """One kind of server. `stable_s` is how long a study must be quiet to be complete."""

    def __init__(
        self, ingest: Ingest, get: Get, now: Callable[[], datetime], stable_s: float
    ) -> None: ...

    def unread(self, position: Position | None) -> AsyncIterator[Batch]:
        """All that is new since the position, in order; None is the beginning."""

    async def end(self) -> Position:
        """The position after all that there is now."""
