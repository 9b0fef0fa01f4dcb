"""Kafka's default partitioner, so that every client agrees where a site belongs."""

from functools import lru_cache

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The hash of Kafka's default partitioner, as an unsigned 32-bit number.

    >>> murmur2(b"north") & 0x7FFFFFFF
    1127278850
    """
    value = _SEED ^ len(key)
    whole = len(key) & ~3
    for i in range(0, whole, 4):
        word = int.from_bytes(key[i : i + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ word >> 24) * _MULTIPLIER & _MASK
        value = value * _MULTIPLIER & _MASK ^ word
    if rest := key[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _MASK
    value = (value ^ value >> 13) * _MULTIPLIER & _MASK
    return value ^ value >> 15


@lru_cache(maxsize=65_536)
def partition_of(site: str, partitions: int) -> int:
    """The partition of a site, as every Kafka client with the default partitioner computes it."""
    return (murmur2(site.encode()) & 0x7FFFFFFF) % partitions
