"""What the edge tells about itself: a protocol for metrics to implement."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from schemas.messages import Effect


class Telemetry(Protocol):
    """Called on the event loop, often: implementations only count. No study key passes here."""

    def handled(self, counts: dict[str, int]) -> None:
        """Records handled: events by type (study, prediction, ...), dead letters by reason."""

    def published(self, effects: Sequence[Effect]) -> None:
        """Effects that a checkpoint has made visible."""

    def checkpointed(self, partition: int, seconds: float, records: int) -> None:
        """A transaction of so many records took so long."""

    def restored(self, partition: int, seconds: float, records: int) -> None:
        """A partition's state was read back."""

    def released(self, partition: int) -> None:
        """A partition is no longer ours."""

    def behind(self, partition: int, events: int, lag_s: float, watermark_us: int) -> None:
        """So many events wait, and event time is so far behind what is promised."""

    def sizes(self, partition: int, sizes: dict[str, int], size_bytes: int) -> None:
        """How much the pipeline holds (studies, pending, ...), and how large it is as written."""

    def live(self, partition: int, live: Mapping[tuple[str, str], int]) -> None:
        """How many incidents live, by kind and state."""

    def noticed(self, what: str, n: int) -> None:
        """Rare things: misplaced, lost (to retention), skipped, repeated, proof_failed."""


class Silent:
    """Telemetry that nobody reads."""

    def handled(self, counts: dict[str, int]) -> None:
        """Nothing."""

    def published(self, effects: Sequence[Effect]) -> None:
        """Nothing."""

    def checkpointed(self, partition: int, seconds: float, records: int) -> None:
        """Nothing."""

    def restored(self, partition: int, seconds: float, records: int) -> None:
        """Nothing."""

    def released(self, partition: int) -> None:
        """Nothing."""

    def behind(self, partition: int, events: int, lag_s: float, watermark_us: int) -> None:
        """Nothing."""

    def sizes(self, partition: int, sizes: dict[str, int], size_bytes: int) -> None:
        """Nothing."""

    def live(self, partition: int, live: Mapping[tuple[str, str], int]) -> None:
        """Nothing."""

    def noticed(self, what: str, n: int) -> None:
        """Nothing."""
