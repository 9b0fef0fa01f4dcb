"""One telemetry for several readers."""

from collections.abc import Mapping, Sequence

from schemas.messages import Effect
from streams.telemetry import Telemetry


class FanOut:
    """Tells everything to each of the readers, in order."""

    def __init__(self, *readers: Telemetry) -> None:
        self._readers = readers

    def handled(self, counts: dict[str, int]) -> None:
        """Pass it on."""
        for reader in self._readers:
            reader.handled(counts)

    def published(self, effects: Sequence[Effect]) -> None:
        """Pass it on."""
        for reader in self._readers:
            reader.published(effects)

    def checkpointed(self, partition: int, seconds: float, records: int) -> None:
        """Pass it on."""
        for reader in self._readers:
            reader.checkpointed(partition, seconds, records)

    def restored(self, partition: int, seconds: float, records: int) -> None:
        """Pass it on."""
        for reader in self._readers:
            reader.restored(partition, seconds, records)

    def released(self, partition: int) -> None:
        """Pass it on."""
        for reader in self._readers:
            reader.released(partition)

    def behind(self, partition: int, events: int, lag_s: float, watermark_us: int) -> None:
        """Pass it on."""
        for reader in self._readers:
            reader.behind(partition, events, lag_s, watermark_us)

    def sizes(self, partition: int, sizes: dict[str, int], size_bytes: int) -> None:
        """Pass it on."""
        for reader in self._readers:
            reader.sizes(partition, sizes, size_bytes)

    def live(self, partition: int, live: Mapping[tuple[str, str], int]) -> None:
        """Pass it on."""
        for reader in self._readers:
            reader.live(partition, live)

    def noticed(self, what: str, n: int) -> None:
        """Pass it on."""
        for reader in self._readers:
            reader.noticed(what, n)
