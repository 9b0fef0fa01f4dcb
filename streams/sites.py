"""Which sites a shard takes events of: those that are configured, and a bounded number of others.

Everything that is remembered is bounded per site, so the number of sites must be bounded too: one
producer that writes a different site with each message would fill the memory of a worker. A site
that was taken once is taken for good, so that what is refused does not depend on what is forgotten.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from schemas.config import Config
from schemas.refusal import Refused
from streams.partitioner import partition_of


class Admitted(Struct):
    """A site that is not configured and was taken all the same."""

    site: str


class Sites:
    """The sites of one shard, or in a replay of all of them: counted by partition either way."""

    def __init__(self, config: Config) -> None:
        self._most = config.bounds.sites
        self._partitions = config.kafka.partitions
        self._configured = frozenset(site.name for site in config.sites)
        self._admitted: set[str] = set()
        self._admitted_n: Counter[int] = Counter()
        self._dirty: dict[str, None] = {}
        self.dropped: Counter[str] = Counter()

    def refuse(self, site: str) -> Refused | None:
        """What is wrong with an event of this site; None, if it is to be handled."""
        if site in self._admitted or site in self._configured:
            return None
        if self._admitted_n[partition_of(site, self._partitions)] >= self._most:
            self.dropped["site_overflow"] += 1
            expected = f"a configured site, or one of the first {self._most} others"
            return Refused(path="$.site", reason="too_many", expected=expected, site=site)
        self._admit(site)
        self._dirty[site] = None
        return None

    def changes(self) -> Iterator[Admitted]:
        """Sites that were taken for the first time since the last call."""
        dirty, self._dirty = self._dirty, {}
        for site in dirty:
            yield Admitted(site)

    def restore(self, records: Iterable[Admitted]) -> None:
        """Take up the records of a checkpoint; a site that was configured since takes no place."""
        for record in records:
            if record.site not in self._configured:
                self._admit(record.site)

    def __len__(self) -> int:
        return len(self._admitted)

    def _admit(self, site: str) -> None:
        self._admitted.add(site)
        self._admitted_n[partition_of(site, self._partitions)] += 1
