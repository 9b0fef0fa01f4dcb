"""The bytes in which River keeps an ADWIN window: read the cuts, set the settings.

Little-endian and unpadded: the settings, the sums, one record for each size of bucket (level k
holds buckets of 2**k values, oldest first), and the settings once more. `river==0.26.1` is pinned;
the contract suite fails if another version writes them otherwise.
"""

from collections.abc import Iterator
from math import log, sqrt
from struct import Struct
from typing import NamedTuple

MAX_BUCKETS = 5
MIN_PART = 5
GRACE = 10
NEVER = 2**31 - 1

_SETTINGS = Struct("<di")
_HEAD = Struct("<diQdd4d4iQ")
_LEVEL = Struct("<QQQ6dQ6d")
_TAIL = Struct("<diQii")


class Cut(NamedTuple):
    """A place to part the window: `ratio` > 1 is a change; `newer_n` values lie after it."""

    ratio: float
    newer_n: int


def with_settings(window: bytes, delta: float, check_every: int) -> bytes:
    """The same window, to be looked at with another significance or as often as said."""
    changed = bytearray(window)
    _SETTINGS.pack_into(changed, 0, delta, check_every)
    _SETTINGS.pack_into(changed, len(changed) - _TAIL.size, delta, check_every)
    return bytes(changed)


def is_window(window: bytes) -> bool:
    """Whether the bytes have the length and the settings of a window of ours."""
    if len(window) < _HEAD.size + _LEVEL.size + _TAIL.size:
        return False
    head = _HEAD.unpack_from(window)
    tail = _TAIL.unpack_from(window, len(window) - _TAIL.size)
    fixed = (MAX_BUCKETS, MIN_PART, GRACE)
    length = _HEAD.size + head[-1] * _LEVEL.size + _TAIL.size
    return head[2:5] == fixed and tail[2:] == fixed and len(window) == length


def values_read(window: bytes) -> int:
    """How many values it has been given; cuts are looked at when this is a multiple."""
    return int(_HEAD.unpack_from(window)[11])


def strongest_cut(window: bytes) -> Cut:
    """The cut with the most evidence, by ADWIN's bound.

    Bifet & Gavalda 2007, "Learning from time-changing data with adaptive windowing", theorem 3.1,
    with the corrections that River makes for the shortest part.
    """
    head = _HEAD.unpack_from(window)
    delta, (total, variance, width) = head[0], head[5:8]
    strongest = Cut(0.0, 0)
    if width <= GRACE:
        return strongest
    doubt = log(2 * log(width) / delta)
    older_n, older_total, newer_n, newer_total = 0, 0.0, int(width), total
    for size, bucket_total in _buckets(window, levels=head[-1]):
        older_n, older_total = older_n + size, older_total + bucket_total
        newer_n, newer_total = newer_n - size, newer_total - bucket_total
        if older_n < MIN_PART or newer_n < MIN_PART:
            continue
        parts = 1 / (older_n - MIN_PART + 1) + 1 / (newer_n - MIN_PART + 1)
        chance = sqrt(2 * parts * (variance / width) * doubt) + 2 / 3 * doubt * parts
        ratio = abs(older_total / older_n - newer_total / newer_n) / chance
        if ratio > strongest.ratio:
            strongest = Cut(ratio, newer_n)
    return strongest


def _buckets(window: bytes, levels: int) -> Iterator[tuple[int, float]]:
    """Size and sum of each bucket, oldest first."""
    for level in reversed(range(levels)):
        record = _LEVEL.unpack_from(window, _HEAD.size + level * _LEVEL.size)
        for bucket_total in record[3 : 3 + record[1]]:
            yield 2**level, bucket_total
