"""Where a command has to go: to its site's partition, or, about the monitor itself, to each.

What a shard says of itself (`monitor_stale`) has the site `radvigil` and lies in the shard that it
is about, not where that name hashes to. Every shard takes such a command, and all but the one that
knows the incident answer that they do not.
"""

from streams.finding import MONITOR_SITE
from streams.partitioner import partition_of


def homes(site: str, partitions: int) -> tuple[int, ...]:
    """The partitions of a command's topic that get it.

    >>> len(homes("north", 6)), homes("radvigil", 3)
    (1, (0, 1, 2))
    """
    if site == MONITOR_SITE:
        return tuple(range(partitions))
    return (partition_of(site, partitions),)
