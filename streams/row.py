"""A record to be written, before anything of Kafka touches it."""

from typing import NamedTuple


class Row(NamedTuple):
    """Key, value and headers; a value of None is a tombstone."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = []
