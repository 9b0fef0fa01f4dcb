"""The false-alarm promise, split so that no two shards have to talk, and kept in days.

Every site has an equal share of the promise, and within a site the series get theirs in the order
in which they begin to be watched. A series' share never changes while its evidence runs, and all
shares of a site add up to at most one however many series come: block b holds 16 * 2^b of them and
has 1 / ((b + 1)(b + 2)) of the site's share, and those fractions add up to 1. What a vanished
series had is not given to another. Expected false alarms add up under any dependence, so the sum
over all sites is the promise (docs/DETECTION.md has the argument and its price).

A share is a time: the days between two false alarms. So no change of pace overspends it:

- A Shiryaev-Roberts vote counts days itself. Each start weighs the days since the one before, so
  what it expects to have gathered in control grows by one a day, at any pace, and its threshold is
  the days. A pause adds days and evidence alike; nothing is converted.
- A vote that counts observations is held to days x pace of them. It is armed at `AHEAD` times the
  pace at which the reference was learnt, and armed again, keeping its evidence, when a whole day of
  the series was faster than that (streams/series/share.py). So its rate of false alarms, in days,
  is at most the share at every pace up to the armed one. Beyond it the share is exceeded for a day,
  until the pace is known, once for every doubling of the fastest pace that there ever was: a finite
  number of expected alarms, and no rate. The armed pace is lowered by a new reference only.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from schemas.config import Config

AHEAD = 2.0
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

    def grant(self, site: str) -> float:
        """The days between two false alarms that the site's next series or monitor is allowed."""
        account = self._accounts.setdefault(site, Account(site=site))
        days = self._days(account)
        account.shares_given += 1
        self._dirty[site] = None
        return days

    def unpromised(self, site: str) -> float:
        """The days that the next one would be allowed, for one that can promise nothing.

        Its alarms disturb nobody, so they are no part of the promise: no share is used up.
        """
        return self._days(self._accounts.get(site) or Account(site=site))

    def changes(self) -> Iterator[Account]:
        """Accounts changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for site in dirty:
            yield self._accounts[site]

    def restore(self, accounts: Iterable[Account]) -> None:
        """Take up the accounts of a checkpoint."""
        self._accounts.update((account.site, account) for account in accounts)

    def _days(self, account: Account) -> float:
        return 1 / (self.per_site_day * share_of(account.shares_given))


def share_of(place: int) -> float:
    """The part of a site's share for the series that came `place`-th, from 0.

    >>> [round(1 / share_of(place)) for place in (0, 15, 16, 47, 48)]
    [32, 32, 192, 192, 768]
    """
    block, size = 0, _FIRST_BLOCK
    while place >= size:
        place, block, size = place - size, block + 1, size * 2
    return 1 / ((block + 1) * (block + 2) * size)


def promise(config: Config) -> str:
    """The promise in words.

    >>> promise(Config())
    'at most 1 false incident in 30 days, shared by 6 sites'
    """
    n, days, sites = config.budget.false_incidents, config.budget.per_days, Budget(config).sites
    return (
        f"at most {n:g} false incident{'' if n == 1 else 's'} in {days:g} "
        f"day{'' if days == 1 else 's'}, shared by {sites} site{'' if sites == 1 else 's'}"
    )
