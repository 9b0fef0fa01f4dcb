"""What a hospital already sends, as events: one file for each standard.

The folder is the register. A file here with a class `Translator` (streams/ingest/_contract.py) is a
kind of its name; a file that begins with `_` is never looked at.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from streams.ingest._contract import Ingest, Translated, Translator, Untranslated

__all__ = ["Ingest", "Translated", "Translator", "Untranslated", "kinds", "make"]


def kinds() -> list[str]:
    """The names of all kinds, sorted.

    >>> "dicom" in kinds()
    True
    """
    return sorted(_classes())


def make(kind: str, ingest: Ingest) -> Translator:
    """A new translator; ValueError for an unknown kind."""
    try:
        return _classes()[kind](ingest)
    except KeyError:
        raise ValueError(f"no kind {kind!r}; there are: {', '.join(kinds())}") from None


@cache
def _classes() -> dict[str, type[Translator]]:
    names = (module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    modules = {name: import_module(f"{__name__}.{name}") for name in names}
    own = {name: vars(module).get("Translator") for name, module in modules.items()}
    return {
        name: found  # not what a module only imports
        for name, found in own.items()
        if found is not None and found.__module__ == f"{__name__}.{name}"
    }
