"""Which routes an incident takes, and who stands at their end."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from schemas.config import Config
from schemas.incident import Incident
from schemas.routing import Recipient, Route
from streams.routing.severity import graver

LOG = "log"
_WILD = frozenset("*?[")


class Target(NamedTuple):
    """A receiver, and the first route that leads to it."""

    route: int
    receiver: str


def mismatch(match: Mapping[str, Sequence[str]], incident: Incident) -> str | None:
    """The first field of an incident that does not match, or None where all do.

    A value is exact or a pattern as in a shell; a field that the incident does not have is empty.
    """
    for field, wanted in match.items():
        value = value_of(incident, field)
        if not any(fits(value, pattern) for pattern in wanted):
            return field
    return None


def value_of(incident: Incident, field: str) -> str:
    """The value of a field to be matched, empty where the incident has none."""
    return getattr(incident, field, None) or ""


def fits(value: str, pattern: str) -> bool:
    """Whether a value is what is wanted. Exact ones are spared the search for wildcards.

    >>> fits("input_drift", "*_drift"), fits("input_drift", "drift")
    (True, False)
    """
    return value == pattern or (not _WILD.isdisjoint(pattern) and fnmatchcase(value, pattern))


class Routes:
    """The routes of a configuration; behind them all one to the log."""

    def __init__(self, config: Config) -> None:
        self._configured = config.routes
        self._all = [*config.routes, Route(receivers=[LOG])]
        self._recipients: dict[str, Recipient] = {each.name: each for each in config.receivers}

    def __getitem__(self, index: int) -> Route:
        """The route of that place; behind the last is the one to the log."""
        return self._all[min(index, len(self._configured))]

    def taken(self, incident: Incident) -> Iterator[int]:
        """The places of the routes that an incident takes, in order; at least one."""
        matched = False
        for index, route in enumerate(self._configured):
            if mismatch(route.match, incident) is None:
                yield index
                matched = True
                if not route.continue_:
                    return
        if not matched:
            yield len(self._configured)

    def targets(self, incident: Incident) -> Iterator[Target]:
        """Whom an incident is for, each receiver once."""
        seen = set()
        for index in self.taken(incident):
            for receiver in self._all[index].receivers:
                if receiver not in seen and self.hears(receiver, incident):
                    seen.add(receiver)
                    yield Target(index, receiver)

    def hears(self, receiver: str, incident: Incident) -> bool:
        """Whether an incident is severe enough for a receiver."""
        recipient = self._recipients.get(receiver)
        return recipient is None or not graver(recipient.min_severity, incident.severity)

    def knows(self, receiver: str) -> bool:
        """Whether there is such a receiver."""
        return receiver == LOG or receiver in self._recipients

    def sends_resolved(self, receiver: str) -> bool:
        """Whether a receiver is told that an incident is over."""
        recipient = self._recipients.get(receiver)
        return recipient is None or recipient.send_resolved
