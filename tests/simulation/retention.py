"""What retention takes before it was read: the records go, and in their place stands a loss.

Of a log the oldest records go first. So a loss is of one feed, from the first record that is
neither handled nor in the reader's memory; by when they had come, what is left tells. Of the source
of a re-keyed feed one partition loses records, and those of others stay between them.
"""

from collections.abc import Sequence
from random import Random

from msgspec import Struct

from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from tests.simulation.delivery import Delivery, Loss

_FEEDS = (Study, Prediction, Report)
_BEHIND_S = (60, 3600, 36_000)  # what is kept begins so long after the reader's place, at most
_FETCHED_N = (0, 0, 3)


class Retention(Struct, frozen=True):
    """Deletes what one shard has not read."""

    rng: Random
    rekeyed: bool

    def takes(
        self, log: Sequence[Delivery], offset: int, *, crashed: bool = False
    ) -> list[Delivery]:
        """The log with less in it from `offset` on, where the reader is; the same if it is lucky.

        A reader that has crashed has nothing in its memory.
        """
        rng, feed = self.rng, self.rng.choice(_FEEDS)
        places = [n for n in range(offset, len(log)) if _is_of(feed, log[n])]
        until_us = log[offset].arrived_us + round(rng.choice(_BEHIND_S) * rng.random() * 1e6)
        fetched_n = 0 if crashed else rng.choice(_FETCHED_N)
        gone = [n for n in places[fetched_n:] if log[n].arrived_us <= until_us]
        if self.rekeyed:
            gone = [n for n in gone if rng.random() < 0.5]
        if not gone:
            return list(log)
        begin = places[fetched_n - 1] + 1 if fetched_n else offset
        left = [log[n].arrived_us for n in places if n > gone[-1]]
        told = self._loss(feed, log[:begin], [log[n] for n in gone], left)
        at_us = log[begin - 1].arrived_us if begin else log[begin].arrived_us
        kept = [log[n] for n in range(begin, len(log)) if n not in set(gone)]
        return [*log[:begin], Delivery(told, at_us), *kept]

    def _loss(
        self,
        feed: type,
        before: Sequence[Delivery],
        gone: Sequence[Delivery],
        left: Sequence[int],
    ) -> Loss:
        """Found when something is left already, or before that."""
        since = [one.arrived_us for one in before if isinstance(one.event, feed)]
        lost_n = sum(one.event.n if isinstance(one.event, Loss) else 1 for one in gone)
        last_us = max(
            one.event.until_us if isinstance(one.event, Loss) else one.arrived_us for one in gone
        )
        until_us = left[0] if left else last_us + 3_600_000_000
        if self.rng.random() < 0.5:
            until_us = self.rng.randint(last_us, max(last_us, until_us))
        since_us = -1 if self.rekeyed or not since else since[-1]
        return Loss(feed, lost_n, since_us, max(last_us, until_us), self.rekeyed)


def _is_of(feed: type, delivery: Delivery) -> bool:
    event = delivery.event
    return event.feed is feed if isinstance(event, Loss) else isinstance(event, feed)
