"""How each kind of tracker is told of an incident. Pure; the sockets are in streams/ticket_desk.

The folder is the register: a file here is a kind of tracker, of its name, and one that begins with
`_` is not.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from schemas.tickets import Tickets
from streams.tickets._contract import Tracker


def kinds() -> list[str]:
    """The names of all kinds, sorted.

    >>> kinds()
    ['jira', 'servicenow']
    """
    return sorted(
        module.name for module in iter_modules(__path__) if not module.name.startswith("_")
    )


def kind_of(settings: Tickets) -> str:
    """The kind of a tracker, as the configuration calls it."""
    return str(settings.__struct_config__.tag)


def of(settings: Tickets) -> Tracker:
    """The tracker of a kind."""
    return _module(kind_of(settings))


@cache
def _module(kind: str) -> Tracker:
    return cast(Tracker, import_module(f"{__name__}.{kind}"))
