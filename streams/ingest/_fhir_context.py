"""One message being translated: its resources, whose data, and what must not get out of it."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from msgspec import Struct

from streams.ingest._contract import Ingest
from streams.ingest._fhir_bundle import Resources
from streams.ingest._fhir_json import Tree, moment, tree_at, trees, word
from streams.ingest._model import Declared
from streams.ingest.guard import Guard

MOST_DEVICES = 10_000
_PEOPLE = ("Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person")
_TELLING = ("id", "text", "family", "given", "value", "line", "city", "postalCode", "birthDate")
_MOST_WORDS = 2_000
_REFERENCES = ("subject", "patient", "performer", "resultsInterpreter", "interpreter", "referrer")


class Devices:
    """The devices and algorithms heard of, by `Device/id`: what they are called, no more."""

    def __init__(self, dropped: Counter[str]) -> None:
        self._known: OrderedDict[str, Declared] = OrderedDict()
        self._dropped = dropped

    def learn(self, name: str, told: Declared) -> None:
        """Remember the latest; the one longest untold is forgotten and counted."""
        self._known[name] = told
        self._known.move_to_end(name)
        if len(self._known) > MOST_DEVICES:
            self._known.popitem(last=False)
            self._dropped["device_overflow"] += 1

    def find(self, name: str) -> Declared | None:
        """Name and version."""
        return self._known.get(name)


class Context(Struct, frozen=True):
    """What the parts of the translation share while one message lasts."""

    ingest: Ingest
    resources: Resources
    guard: Guard
    devices: Devices
    received_at: datetime
    zone: tzinfo
    dropped: Counter[str]
    study_keys: dict[int, str | None] = {}
    """Of the studies of this message that were looked up, by `id`."""

    def at(self, resource: Tree, *names: str) -> datetime:
        """The first of these times that is told; for old files then the server's, or arrival.

        A day alone would be its midnight: it is taken where nothing else is told.
        """
        written = [word(resource, name) for name in names]
        if self.ingest.stamps == "header":
            written.append(word(tree_at(resource, "meta"), "lastUpdated"))
        written.sort(key=lambda one: one is None or "T" not in one)  # stable: else in their order
        told = (moment(one, self.zone) for one in written)
        return next(filter(None, told), self.received_at)


class Remembering(Guard):
    """The same texts come again and again in a message: names of models, units."""

    def __init__(self, told: list[str], dropped: Counter[str]) -> None:
        super().__init__(told, dropped)
        self._passed: set[str] = set()

    def passes(self, text: str | None) -> str | None:
        """See Guard."""
        if text in self._passed:
            return text
        passed = super().passes(text)
        if passed is not None:
            self._passed.add(passed)
        return passed


def guard_of(resources: Resources, dropped: Counter[str]) -> Guard:
    """Knows the people of a message: their names, numbers and dates, and what references show."""
    told: list[str] = []
    for resource in resources.all:
        for one in (resource, *trees(resource, "contained")):
            if one.get("resourceType") in _PEOPLE:
                told += _words(one)
            told += _shown(one)
    return Remembering(told[:_MOST_WORDS], dropped)


def _shown(resource: Tree) -> Iterator[str]:
    for identifier in trees(resource, "identifier", most=20):
        yield word(identifier, "value") or ""
    for reference in trees(resource, *_REFERENCES, most=20):
        yield word(reference, "display") or ""
        yield word(tree_at(reference, "identifier"), "value") or ""


def _words(person: Tree) -> Iterator[str]:
    """The strings below the telling names; what is deeper than any resource is cut."""
    pending: list[tuple[str, Any, int]] = [("", person, 0)]
    while pending:
        name, value, level = pending.pop()
        if isinstance(value, str) and name in _TELLING:
            yield value[:256]
        elif isinstance(value, dict) and level < 8:
            pending += [(key, inner, level + 1) for key, inner in value.items()]
        elif isinstance(value, list) and level < 8:
            pending += [(name, inner, level + 1) for inner in value[:100]]
