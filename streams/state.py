"""The shard's state as records of a compacted log: versioned, small, readable for ever.

A key is a JSON array that begins with the kind and its version, a value is MessagePack. Neither
names a Python path. A new version of a record is a new kind here, and the old one stays readable.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from streams.budget import Account
from streams.incidents.commands import Taken
from streams.incidents.stage import Case
from streams.lost import Lost
from streams.observations.patients import Known
from streams.observations.slicing import SiteLabels
from streams.outcomes.outage_episode import Episode
from streams.outcomes.study_record import StudyRecord
from streams.routing.stage import Routing
from streams.self_watch import Skew
from streams.series.record import SeriesRecord
from streams.series.record_1 import SeriesRecord1
from streams.sites import Admitted
from streams.stages import record_kinds

Record = tuple[bytes, bytes | None]


class Now(Struct):
    """How far the shard's time is proved."""

    watermark_us: int


_KINDS: dict[str, type[Struct]] = {
    "now/1": Now,
    "site/1": Admitted,
    "lost/1": Lost,
    "study/1": StudyRecord,
    "patient/1": Known,
    "episode/1": Episode,
    "case/1": Case,
    "commands/1": Taken,
    "skew/1": Skew,
    "account/1": Account,
    "series/1": SeriesRecord1,
    "series/2": SeriesRecord,
    "labels/1": SiteLabels,
    **record_kinds(),
    **Routing.kinds,
}
BULK = "bulk/1"
_decoders = {kind: msgspec.msgpack.Decoder(struct) for kind, struct in _KINDS.items()}
_encoder = msgspec.msgpack.Encoder()
_json = msgspec.json.Encoder()
_key = msgspec.json.Decoder(list[str])


class UnreadableState(Exception):
    """A record of a kind that this version does not know."""


def write(kind: str, key: Iterable[str], value: Struct | None) -> Record:
    """One record; None is a tombstone."""
    return _json.encode([kind, *key]), None if value is None else _encoder.encode(value)


def write_bulk(key: Iterable[str], value: bytes | None) -> Record:
    """One record of bytes that are their own format."""
    return _json.encode([BULK, *key]), value


def read(records: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[list[str], Any]]:
    """The records' keys, kind first, and values.

    Raises UnreadableState for a kind from a later version: to guess would be to lose.
    """
    for raw_key, raw in records:
        key = _key.decode(raw_key)
        if key[0] == BULK:
            yield key, raw
        elif key[0] in _decoders:
            yield key, _decoders[key[0]].decode(raw)
        else:
            raise UnreadableState(
                f"the state holds records of kind {key[0]!r}, which this version does not know; "
                "run the version that wrote them, or a later one"
            )
