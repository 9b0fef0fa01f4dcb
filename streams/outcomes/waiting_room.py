"""What waits for its other half: bounded in number and in time, at each site by itself.

What has waited longest goes first; of what came at one moment the first by name, so that it is the
same after a restart as without.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Generic, Protocol, TypeVar

Key = tuple[str, ...]


class Waiting(Protocol):
    """One that waits, since `arrived_us` by the broker's time."""

    site: str
    arrived_us: int

    @property
    def key(self) -> Key:
        """Its name, site first."""


W = TypeVar("W", bound=Waiting)


class WaitingRoom(Generic[W]):
    """Those that wait at the sites of one shard; `dropped` counts whom a bound has put out.

    It counts them by `who` they are: `<who>_overflow`, `<who>_in_vain`.
    """

    def __init__(self, who: str, kept_us: int, per_site: int, dropped: Counter[str]) -> None:
        self._overflow, self._in_vain = f"{who}_overflow", f"{who}_in_vain"
        self._kept_us = kept_us
        self._per_site = per_site
        self._dropped = dropped
        self._sites: dict[str, dict[Key, W]] = {}
        self._dirty: dict[Key, None] = {}
        self._n = 0

    def find(self, key: Key, now_us: int) -> W | None:
        """Who waits under this key at `now_us`, a time of arrival."""
        room = self._sites.get(key[0])
        if room is None:
            return None
        self._put_out_stale(room, now_us)
        return room.get(key)

    def wait(self, one: W) -> None:
        """Let one wait whose time of arrival is now."""
        room = self._sites.setdefault(one.site, {})
        self._put_out_stale(room, one.arrived_us)
        if len(room) >= self._per_site:
            self._dropped[self._overflow] += 1
            self._leave(room, _longest(room))
        room[one.key] = one
        self._n += 1
        self._dirty[one.key] = None

    def touch(self, one: W) -> None:
        """It has changed while it waits."""
        self._dirty[one.key] = None

    def leave(self, one: W) -> None:
        """It waits no more."""
        self._leave(self._sites[one.site], one.key)

    def changes(self) -> Iterator[tuple[Key, W | None]]:
        """Who came, changed or left since the last call; None for those who left."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield key, self._sites[key[0]].get(key)

    def restore(self, waiting: Iterable[W]) -> None:
        """Take up those of a checkpoint, in any order."""
        for one in sorted(waiting, key=lambda one: one.arrived_us):
            self._sites.setdefault(one.site, {})[one.key] = one
            self._n += 1

    def __len__(self) -> int:
        return self._n

    def _put_out_stale(self, room: dict[Key, W], now_us: int) -> None:
        while room:
            key = next(iter(room))
            if room[key].arrived_us + self._kept_us > now_us:
                return
            self._dropped[self._in_vain] += 1
            self._leave(room, key)

    def _leave(self, room: dict[Key, W], key: Key) -> None:
        del room[key]
        self._n -= 1
        self._dirty[key] = None


def _longest(room: dict[Key, W]) -> Key:
    first = next(iter(room.values()))
    ties = takewhile(lambda one: one.arrived_us == first.arrived_us, room.values())
    return min(one.key for one in ties)
