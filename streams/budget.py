"""The false-alarm promise, split so that no two shards have to talk.

Every site has an equal share of the promise, and within a site the series get theirs in the order
in which they begin to be watched. A series' share never changes while its evidence runs, and all
shares of a site add up to at most one however many series come: block b holds 16 * 2^b of them and
has 1 / ((b + 1)(b + 2)) of the site's share, and those fractions add up to 1. What a vanished
series had is not given to another. Expected false alarms add up under any dependence, so the sum
over all sites is the promise (docs/DETECTION.md has the argument and its price).
"""

from collections.abc import Iterable, Iterator
from math import inf

from msgspec import Struct

from schemas.config import Config

_FIRST_BLOCK = 16


class Account(Struct):
    """How many shares a site has given away."""

    site: str
    shares_given: int = 0


class Budget:
    """The shares of the sites of one shard."""

    def __init__(self, config: Config) -> None:
        self.sites = config.budget.sites or len(config.sites) or config.kafka.partitions
        self.per_site_day = config.budget.false_incidents / config.budget.per_days / self.sites
        self._accounts: dict[str, Account] = {}
        self._dirty: dict[str, None] = {}

    def grant(self, site: str, per_day: float) -> float:
        """The average run length, in observations, for the site's next series.

        `per_day` is how many observations the series has a day. An alarm every so many
        observations is then an alarm every so many days as its share of the promise allows.
        """
        account = self._accounts.setdefault(site, Account(site=site))
        share = share_of(account.shares_given)
        account.shares_given += 1
        self._dirty[site] = None
        return per_day / (self.per_site_day * share) if per_day > 0 else inf

    def changes(self) -> Iterator[Account]:
        """Accounts changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for site in dirty:
            yield self._accounts[site]

    def restore(self, accounts: Iterable[Account]) -> None:
        """Take up the accounts of a checkpoint."""
        self._accounts.update((account.site, account) for account in accounts)


def share_of(place: int) -> float:
    """The part of a site's share for the series that came `place`-th, from 0.

    >>> [round(1 / share_of(place)) for place in (0, 15, 16, 47, 48)]
    [32, 32, 192, 192, 768]
    """
    block, size = 0, _FIRST_BLOCK
    while place >= size:
        place, block, size = place - size, block + 1, size * 2
    return 1 / ((block + 1) * (block + 2) * size)
