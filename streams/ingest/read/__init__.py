"""Readers: what a server of the hospital has, asked for again and again.

The folder is the register: a file with a class `Reader` reads from servers of the kind of its name.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from streams.ingest.read._contract import Away, Batch, Gone, Position, Reader, Refused

__all__ = ["Away", "Batch", "Gone", "Position", "Reader", "Refused", "kinds", "reader"]


def kinds() -> list[str]:
    """The kinds of servers that can be read, sorted.

    >>> "orthanc" in kinds()
    True
    """
    return sorted(_classes())


def reader(kind: str) -> type[Reader]:
    """The reader of a kind; ValueError where there is none."""
    try:
        return _classes()[kind]
    except KeyError:
        raise ValueError(f"no reader for {kind!r}; there are: {', '.join(kinds())}") from None


@cache
def _classes() -> dict[str, type[Reader]]:
    names = (module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    modules = {name: import_module(f"{__name__}.{name}") for name in names}
    return {name: module.Reader for name, module in modules.items() if hasattr(module, "Reader")}
