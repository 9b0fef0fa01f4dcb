"""Receivers: thin servers that hand what comes to a translator and acknowledge what is safe.

The folder is the register: a file with a class `Listener` serves the kind of its name.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from streams.ingest.listen._contract import Acknowledge, Listener, Settings

__all__ = ["Acknowledge", "Listener", "Settings", "kinds", "listener"]


def kinds() -> list[str]:
    """The kinds that can be listened for, sorted."""
    return sorted(_classes())


def listener(kind: str) -> type[Listener]:
    """The listener of a kind; ValueError where there is none."""
    try:
        return _classes()[kind]
    except KeyError:
        raise ValueError(f"no listener for {kind!r}; there are: {', '.join(kinds())}") from None


@cache
def _classes() -> dict[str, type[Listener]]:
    names = (module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    modules = {name: import_module(f"{__name__}.{name}") for name in names}
    return {name: module.Listener for name, module in modules.items()}
