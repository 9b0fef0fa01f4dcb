"""What was deleted before we read it, and what may therefore not be concluded.

Retention can delete records while all workers are away, or are further behind than it reaches, of
an input or of the source of a re-keyed one, of which all partitions of its copy are told
(streams/loss_marker.py). It is found where reading goes on (streams/kafka/retention.py), after a
restart or in the midst of work, and told in the place of what is gone. A study whose result may
have lain among them did not get none: nobody knows. Nothing is concluded of it, no feed is taken
for silent over that time, and an incident says what the monitor has not seen. Only a live worker
can lose records: a replay of what is left does not know of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from schemas.incident import Evidence
from streams.clock import NEVER_US, from_us
from streams.finding import MONITOR_SITE, Finding, Signal

RESULTS = "predictions"
_KEPT = 16  # of each feed
_HOLD_US = 3_600_000_000  # so long it is shown once records are read again


class Lost(Struct, omit_defaults=True):
    """Records that the broker appended from then until then may have been deleted unread.

    `n` of them at most, by their offsets; 0 where the monitor had not begun to read the feed, which
    is told to nobody. `from_us` is below 0 where nothing of the feed had been handled before.
    `heard`: its records are read again. `rekeyed`: some were lost before they were re-keyed, and
    may have belonged to any partition.
    """

    from_us: int
    until_us: int
    feed: str = RESULTS
    n: int = 0
    heard: bool = False
    rekeyed: bool = False


class Gap(NamedTuple):
    """In the merge, what stands in the place of records that are gone: one like any other.

    From `offset` on, `n` at most; 0 where the monitor had not begun. They came after `from_us`,
    when the last record before them was appended, and by `until_us`. Its time is that of the record
    before it, so it comes before all that was not lost.
    """

    offset: int
    n: int
    from_us: int
    until_us: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Losses:
    """The losses of one shard."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._losses: dict[tuple[str, int], Lost] = {}
        self._dirty: dict[tuple[str, int], None] = {}
        self.unheard: dict[str, Lost] = {}
        self._ended_us = NEVER_US

    def end(self, at_us: int) -> None:
        """A recording ends here: of no feed it is known what came then. Results never come."""
        self._ended_us = at_us

    def add(
        self, feed: str, n: int, from_us: int, until_us: int, *, rekeyed: bool = False
    ) -> Iterator[Finding]:
        """Note a loss, and tell of it; one that begins where a noted one began extends it."""
        key = (feed, from_us)
        loss = self._losses.setdefault(key, Lost(from_us, until_us, feed))
        loss.until_us = max(loss.until_us, until_us)
        loss.n += n
        loss.rekeyed |= rekeyed
        self._dirty[key] = None
        self._bound(feed)
        if loss.n:
            loss.heard = False
            self._await(loss)
            yield self._finding(loss, "holds", loss.until_us)

    def _bound(self, feed: str) -> None:
        """Of too many the two oldest become one, as if what came between were lost as well."""
        losses = sorted(
            (loss for loss in self._losses.values() if loss.feed == feed),
            key=lambda loss: (loss.until_us, loss.from_us),
        )
        if len(losses) > _KEPT:
            kept, given_up = sorted(losses[:2], key=lambda loss: loss.from_us)
            kept.until_us = losses[1].until_us
            kept.n += given_up.n
            kept.heard &= given_up.heard
            kept.rekeyed |= given_up.rekeyed
            del self._losses[feed, given_up.from_us]
            self._dirty[feed, kept.from_us] = self._dirty[feed, given_up.from_us] = None

    def _await(self, loss: Lost) -> None:
        """Of all losses of a feed the one that ends last: records from after it were not lost."""
        known = self.unheard.setdefault(loss.feed, loss)
        if (loss.until_us, loss.from_us) > (known.until_us, known.from_us):
            self.unheard[loss.feed] = loss

    def heard(self, feed: str, arrived_us: int) -> Iterator[Finding]:
        """A record of the feed was read: asked only for feeds in `unheard`.

        Of a source, another partition's records may come that are older than the end of the loss.
        """
        if arrived_us < self.unheard[feed].until_us:
            return
        for key, loss in self._losses.items():
            if loss.feed == feed and not loss.heard:
                loss.heard = True
                self._dirty[key] = None
        yield self._finding(self.unheard.pop(feed), "eased", arrived_us)

    def touches(self, feed: str, from_us: int, until_us: int) -> bool:
        """Whether a record of the feed that was appended in this time may be lost."""
        if not self._losses:
            return False
        return any(
            loss.feed == feed and loss.from_us <= until_us and from_us <= loss.until_us
            for loss in self._losses.values()
        )

    def is_past_end(self, at_us: int) -> bool:
        """Whether the recording has ended by then."""
        return at_us > self._ended_us

    def until_us(self, feed: str) -> int:
        """When the last known loss of the feed ended; -NEVER_US without any.

        Never, where the recording has ended.
        """
        if self._ended_us < NEVER_US:
            return NEVER_US
        if not self._losses:
            return -NEVER_US
        ends = [loss.until_us for loss in self._losses.values() if loss.feed == feed]
        return max(ends, default=-NEVER_US)

    def changes(self) -> Iterator[tuple[tuple[str, str], Lost | None]]:
        """Losses changed or given up since the last call; None for those given up."""
        dirty, self._dirty = self._dirty, {}
        for feed, from_us_ in dirty:
            yield (feed, str(from_us_)), self._losses.get((feed, from_us_))

    def restore(self, losses: Iterable[Lost]) -> None:
        """Take up the records of a checkpoint."""
        for loss in losses:
            self._losses[loss.feed, loss.from_us] = loss
            if loss.n and not loss.heard:
                self._await(loss)

    def _finding(self, loss: Lost, signal: Signal, at_us: int) -> Finding:
        since_us = loss.from_us if loss.from_us >= 0 else None
        since = "" if since_us is None else f"from {from_us(since_us):%Y-%m-%d %H:%M} "
        where = f"on partition {self._partition} were deleted by retention before they were read;"
        if loss.rekeyed:
            where = (
                "were deleted by retention before they were re-keyed, some perhaps of partition "
                f"{self._partition};"
            )
        unsaid = "no result is called missing" if loss.feed == RESULTS else "nothing is known"
        return Finding(
            signal=signal,
            kind="data_quality",
            site=MONITOR_SITE,
            subject=f"partition-{self._partition} {loss.feed}",
            at_us=at_us,
            since_us=since_us,
            title=f"{loss.n} {loss.feed} {where} {since}until "
            f"{from_us(loss.until_us):%Y-%m-%d %H:%M} UTC {unsaid} there",
            severity="error",
            evidence=Evidence(detector="retention", statistic=float(loss.n), threshold=0.0),
            hold_us=_HOLD_US,
        )
