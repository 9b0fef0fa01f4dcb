"""Up to where a partition is done with."""


class Offsets:
    """Offsets that were read, and those among them that somebody still holds."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._held: dict[int, int] = {}  # by how many; oldest first, because they are read in order

    def read(self, offset: int) -> None:
        """It was read."""
        self._next = max(self._next or 0, offset + 1)

    def hold(self, offset: int) -> None:
        """It is not done with."""
        self._held[offset] = self._held.get(offset, 0) + 1

    def release(self, offset: int) -> None:
        """One of those that held it is done with it."""
        self._held[offset] -= 1
        if not self._held[offset]:
            del self._held[offset]

    def committable(self) -> int | None:
        """The first that is not done with; None before anything was read.

        >>> offsets = Offsets()
        >>> for offset in (3, 4):
        ...     offsets.read(offset), offsets.hold(offset)
        (None, None)
        (None, None)
        >>> offsets.release(4), offsets.committable()
        (None, 3)
        >>> offsets.release(3), offsets.committable()
        (None, 5)
        """
        return next(iter(self._held), self._next)
