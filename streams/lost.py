"""Results that were deleted before we read them, and what may therefore not be called missing.

Retention can delete records of the predictions topic while all workers are away. A study whose
result may have lain there did not get none: nobody knows. Nothing is concluded of it.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

_KEPT = 16


class Lost(Struct):
    """Results that the broker appended from then until then may have been deleted unread."""

    from_us: int
    until_us: int


class LostResults:
    """The losses of one shard, the newest ones: those before are of studies long over."""

    def __init__(self) -> None:
        self._losses: list[Lost] = []
        self._dirty: dict[int, None] = {}

    def add(self, from_us: int, until_us: int) -> None:
        """Note a loss; one that begins where a noted one began extends it."""
        known = next((loss for loss in self._losses if loss.from_us == from_us), None)
        if known is None:
            self._losses.append(Lost(from_us, until_us))
        else:
            known.until_us = max(known.until_us, until_us)
        self._dirty[from_us] = None
        if len(self._losses) > _KEPT:
            oldest = min(self._losses, key=lambda loss: loss.until_us)
            self._losses.remove(oldest)
            self._dirty[oldest.from_us] = None

    def touches(self, from_us: int, until_us: int) -> bool:
        """Whether a result that was appended in this time may be lost."""
        return any(loss.from_us <= until_us and from_us <= loss.until_us for loss in self._losses)

    def changes(self) -> Iterator[tuple[tuple[str], Lost | None]]:
        """Losses noted or given up since the last call; None for those given up."""
        dirty, self._dirty = self._dirty, {}
        known = {loss.from_us: loss for loss in self._losses}
        for from_us in dirty:
            yield (str(from_us),), known.get(from_us)

    def restore(self, losses: Iterable[Lost]) -> None:
        """Take up the records of a checkpoint."""
        self._losses = sorted(losses, key=lambda loss: loss.from_us)
