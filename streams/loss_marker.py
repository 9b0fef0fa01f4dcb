"""The loss marker: what the re-keyer writes into a copy where records of the source are gone.

Retention can delete records of a source before they are copied, and nobody can say any more which
sites they were of. So every partition of the copy is told, in the place where the records would
have been. The marker is no event. A header that the re-keyer alone can set says what it is, and its
body has a type of its own: a reader that does not know it finds an unknown type, as a worker did
that is older than markers: it makes a dead letter of it and goes on.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from schemas.fields import Count, Name, Positive, Time
from streams.merge import Record

HEADER = "radvigil-control"
VERSION = b"loss/1"
CONTENT_TYPE = ("content-type", b"application/vnd.radvigil.loss+json")


class SourceLoss(Struct, frozen=True, kw_only=True, tag_field="type", tag="radvigil.loss.v1"):
    """Records of a source that were deleted before they were copied."""

    topic: Name
    """The source."""
    partition: Count
    """Its partition."""
    offset: Count
    """The first of the offsets that are gone."""
    lost_n: Positive
    """How many offsets: as many records at most."""
    until: Time
    """They were appended by then, by the broker's clock."""


class Marker(NamedTuple):
    """A marker in the place of the records that are gone: for the merge a record like any other.

    Its time is that of the record before it, so it comes before all that was not lost.
    """

    offset: int
    value: bytes
    timestamp: int = 0
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = (CONTENT_TYPE, (HEADER, VERSION))


_decoder = msgspec.json.Decoder(SourceLoss)


def marker(loss: SourceLoss) -> Marker:
    """The marker that says it."""
    return Marker(loss.offset, msgspec.json.encode(loss))


def loss_of(record: Record) -> SourceLoss | None:
    """What a record of a copy says was lost; None where it is no marker, or not of this version."""
    if (HEADER, VERSION) not in record.headers or record.value is None:
        return None
    try:
        return _decoder.decode(record.value)
    except msgspec.DecodeError:
        return None
