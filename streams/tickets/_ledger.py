"""The tickets that were created lately: what a search may not know yet.

It lies in the group's committed offset, as its metadata: it says before a creation that there will
be one, so that after a crash nothing is created again before a search must know of the first. Kafka
keeps 4,096 bytes there, so the entries are bounded: then creating waits for the oldest to settle.
"""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

MOST = 36
_LONGEST_ID = 40


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """When it was tried, and the id of the ticket once that is known."""

    at_us: int
    ticket: str = ""


_decode = msgspec.json.Decoder(dict[str, Entry]).decode


class Ledger:
    """The latest creations of one partition. `settle_us` includes the time a request may take."""

    def __init__(self, settle_us: int, written: str = "") -> None:
        self._settle_us = settle_us
        self._entries = _read(written)

    def ticket(self, incident: str) -> str | None:
        """The id of a ticket that was created lately."""
        entry = self._entries.get(_key(incident))
        return entry.ticket if entry and entry.ticket else None

    def blocked_us(self, incident: str, now_us: int) -> int:
        """How long until a ticket may be created for this incident; 0: now.

        Time that went backwards counts as none: the wait is never longer than the settling.
        """
        self._forget(now_us)
        entry = self._entries.get(_key(incident))
        if entry is None and len(self._entries) >= MOST:
            entry = min(self._entries.values(), key=lambda one: one.at_us)
        if entry is None:
            return 0
        return max(0, min(entry.at_us + self._settle_us - now_us, self._settle_us))

    def intend(self, incident: str, now_us: int) -> None:
        """One is about to be created. To be written down before it is."""
        self._entries[_key(incident)] = Entry(now_us)

    def failed(self, incident: str) -> None:
        """It certainly was not, or is not there any more."""
        self._entries.pop(_key(incident), None)

    def created(self, incident: str, ticket: str) -> None:
        """It was, with this id."""
        entry = self._entries.get(_key(incident))
        if entry is not None and len(ticket) <= _LONGEST_ID:
            self._entries[_key(incident)] = Entry(entry.at_us, ticket)

    def written(self, now_us: int) -> str:
        """As text, for `Ledger(..., written)`.

        >>> ledger = Ledger(60_000_000)
        >>> ledger.intend("i1", 1_000_000)
        >>> ledger.written(2_000_000)
        '{"i1":[1000000,""]}'
        """
        self._forget(now_us)
        return msgspec.json.encode(self._entries).decode() if self._entries else ""

    def _forget(self, now_us: int) -> None:
        settled = [
            incident
            for incident, entry in self._entries.items()
            if entry.at_us + self._settle_us <= now_us
        ]
        for incident in settled:
            del self._entries[incident]


def _key(incident: str) -> str:
    fits = len(incident) <= _LONGEST_ID and incident.isascii()
    return incident if fits else sha256(incident.encode()).hexdigest()[:_LONGEST_ID]


def _read(written: str) -> dict[str, Entry]:
    """Metadata of somebody else says nothing."""
    try:
        known: Mapping[str, Entry] = _decode(written) if written else {}
    except msgspec.DecodeError:
        return {}
    return dict(known)
