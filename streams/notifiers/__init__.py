"""How each kind of receiver is told. Pure; the sockets are in streams/delivery.

The folder is the register: a file here is a kind of receiver, of its name, and one that begins
with `_` is not. `back/` reads what receivers tell us.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from schemas.routing import Receiver
from streams.notifiers._contract import (
    Answer,
    Notifier,
    Occasion,
    Pace,
    Refs,
    Refused,
    Request,
    Result,
    Retry,
    Secrets,
    Sent,
    Unknown,
)

__all__ = [
    "Answer",
    "Notifier",
    "Occasion",
    "Pace",
    "Refs",
    "Refused",
    "Request",
    "Result",
    "Retry",
    "Secrets",
    "Sent",
    "Unknown",
    "kind_of",
    "kinds",
    "of",
]


def kinds() -> list[str]:
    """The names of all kinds, sorted.

    >>> {"slack", "pagerduty", "log"} <= set(kinds())
    True
    """
    return sorted(
        module.name
        for module in iter_modules(__path__)
        if not module.ispkg and not module.name.startswith("_")
    )


def kind_of(receiver: Receiver) -> str:
    """The kind of a receiver, as the configuration calls it.

    >>> from schemas.routing import Log
    >>> kind_of(Log(name="log"))
    'log'
    """
    return str(receiver.__struct_config__.tag)


def of(receiver: Receiver) -> Notifier:
    """The notifier of a receiver's kind."""
    return _module(kind_of(receiver))


@cache
def _module(kind: str) -> Notifier:
    return cast(Notifier, import_module(f"{__name__}.{kind}"))
