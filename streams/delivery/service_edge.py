"""What the service asks of the broker and tells of itself: protocols, so tests can stand in."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from schemas.config import Config
from schemas.topics import INPUTS, NOTIFIED, OUTPUTS
from streams.row import Row

Place = tuple[str, int]
Rows = Mapping[Place, Sequence[Row]]


class Topics(NamedTuple):
    """Full names of the topics that delivery reads and writes; all have as many partitions."""

    outbox: str
    log: str
    incidents: str
    deadletters: str
    commands: str
    replies: str
    partitions: int


def topics_for(config: Config) -> Topics:
    """The names of a deployment.

    >>> topics_for(Config()).log
    'radvigil.notified.v1'
    """
    names = {spec.stem: spec.name(config.prefix) for spec in (*INPUTS, *OUTPUTS, NOTIFIED)}
    return Topics(
        outbox=names["notifications"],
        log=names["notified"],
        incidents=names["incidents"],
        deadletters=names["deadletters"],
        commands=names["commands"],
        replies=names["replies"],
        partitions=config.kafka.partitions,
    )


class Writer(Protocol):
    """What one partition writes, by a producer that shuts out whoever held it before."""

    async def write(self, rows: Rows) -> None:
        """All of it or nothing; raises where the broker refuses or is away."""

    async def commit(self, offset: int) -> None:
        """Everything below is done with. A hint: where it fails, a later one will do."""

    async def close(self) -> None:
        """Let go."""


class Arrival(NamedTuple):
    """A record of the outbox or of the commands; `value` is None for a tombstone."""

    partition: int
    offset: int
    value: bytes | None


class Opened(NamedTuple):
    """A partition taken over: its writer, the last values of its log, where the outbox ends now.

    `acts_at` is from where its commands are read.
    """

    writer: Writer
    log: Mapping[bytes, bytes]
    end: int
    acts_at: int = 0


class TakenAway(Exception):
    """A partition went to somebody else while it was being opened."""


class Broker(Protocol):
    """One membership in the group of delivery."""

    def given(self) -> Collection[int]:
        """The partitions that are ours at present."""

    async def open(self, partition: int) -> Opened:
        """Shut out the former owner, read the log, and go to where the outbox is done with.

        Raises TakenAway.
        """

    async def fetch(self, partitions: Collection[int], wait_s: float) -> list[Arrival]:
        """What came in these partitions, waiting at most so long."""

    async def acts(self) -> list[Arrival]:
        """Commands that came in the opened partitions; does not wait."""

    async def position(self, partition: int) -> int:
        """Up to where it was fetched."""


class Telemetry(Protocol):
    """Called on the event loop: implementations only count. Receivers are a closed set."""

    def told(self, receiver: str, why: str, delay_s: float) -> None:
        """A receiver took a request, so long after it became due."""

    def failed(self, receiver: str, how: str) -> None:
        """It did not: retry, unknown or refused."""

    def died(self, receiver: str) -> None:
        """A notification was given up."""

    def stand(self, receiver: str, waiting_n: int, oldest_s: float, *, is_open: bool) -> None:
        """How many wait, for how long the oldest does, and whether the breaker is open."""

    def called_back(self, origin: str, outcome: str) -> None:
        """A receiver told us something: command, or why it was none."""


class Silent:
    """Telemetry that nobody reads."""

    def told(self, receiver: str, why: str, delay_s: float) -> None:
        """Nothing."""

    def failed(self, receiver: str, how: str) -> None:
        """Nothing."""

    def died(self, receiver: str) -> None:
        """Nothing."""

    def stand(self, receiver: str, waiting_n: int, oldest_s: float, *, is_open: bool) -> None:
        """Nothing."""

    def called_back(self, origin: str, outcome: str) -> None:
        """Nothing."""
