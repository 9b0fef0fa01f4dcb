"""Which commands were taken: each acts once, however often the log delivers it.

Remembered per site and not per incident: a command with matchers that is delivered again must not
reach what has opened since.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from schemas.command import Command

_KEPT = 256  # the last of a site


class Taken(Struct):
    """The ids of the last commands of a site, oldest first."""

    site: str
    ids: list[str] = field(default_factory=list)


class Commands:
    """The commands of one shard."""

    def __init__(self) -> None:
        self._taken: dict[str, Taken] = {}
        self._dirty: dict[str, None] = {}

    def is_new(self, command: Command) -> bool:
        """Whether this command was not taken before; from now on it was."""
        taken = self._taken.setdefault(command.site, Taken(command.site))
        if command.command_id in taken.ids:
            return False
        taken.ids = [*taken.ids[1 - _KEPT :], command.command_id]
        self._dirty[command.site] = None
        return True

    def changes(self) -> Iterator[Taken]:
        """What has changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for site in dirty:
            yield self._taken[site]

    def restore(self, records: Iterable[Taken]) -> None:
        """Take up the records of a checkpoint."""
        self._taken.update((taken.site, taken) for taken in records)
