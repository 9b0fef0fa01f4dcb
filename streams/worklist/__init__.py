"""How each kind of worklist is told what became of a result. Pure; sockets are in `desk`.

The folder is the register: a file here is a kind, of its name, and one that begins with `_` is not.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from schemas.worklist import Worklist
from streams.worklist._contract import Kind, Named, Notice

__all__ = ["Kind", "Named", "Notice", "kinds", "of"]


def kinds() -> list[str]:
    """The names of all kinds, sorted.

    >>> kinds()
    ['fhir', 'hl7']
    """
    return sorted(
        module.name
        for module in iter_modules(__path__)
        if not module.name.startswith("_") and not module.ispkg
    )


def of(settings: Worklist) -> Kind:
    """The kind of a worklist."""
    return _module(str(settings.__struct_config__.tag))


@cache
def _module(kind: str) -> Kind:
    return cast(Kind, import_module(f"{__name__}.{kind}"))
