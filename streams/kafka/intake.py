"""What a consumer asks of the place where its chunks go."""

from typing import Protocol


class Intake(Protocol):
    """Where chunks go to; what the consumer asks of it."""

    def full(self) -> set[tuple[str, int]]:
        """Places not to fetch from now."""

    def wanted(self) -> dict[tuple[str, int], int]:
        """Where to start fetching after an assignment; the rest starts at its committed offset."""

    def committable(self) -> dict[tuple[str, int], int]:
        """What the group may take as read."""

    async def release(self) -> None:
        """Everything was revoked."""
