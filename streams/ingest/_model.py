"""A model as results declare it, and as events name it: of any standard."""

from typing import NamedTuple

from schemas.ingest import Models
from streams.ingest.guard import Guard

UNKNOWN_VERSION = "unknown"


class Declared(NamedTuple):
    """A model as a result declares it."""

    name: str
    version: str | None
    manufacturer: str | None


class Model(NamedTuple):
    """A model as events name it."""

    name: str
    version: str


def model_of(declared: Declared, models: Models, guard: Guard) -> Model | None:
    """By the site's name where it has one; else None where a patient's name seems to be in it."""
    row = models.find(declared.name, declared.manufacturer)
    version = guard.passes(declared.version)
    if row is not None:
        return Model(row.name, version or row.version or UNKNOWN_VERSION)
    name = models.configured(declared.name) or guard.passes(declared.name)
    return Model(name, version or UNKNOWN_VERSION) if name else None
