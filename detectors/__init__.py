"""Numbers in, findings out: the detectors, and the reference that gives thresholds a meaning.

The folder is the register. A file here that defines a class `Detector` (the protocol below, on
normal scores) is a kind of its name; a file that begins with `_` is never looked at. Detectors of
other inputs stand here too: `cat_sr.CategoryDetector` takes cells, `bet_sr.raised` yes or no.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from detectors._contract import (
    IN_FULL,
    INDEPENDENT,
    MIN_ARL,
    MIN_REFERENCE_N,
    Dependence,
    Detector,
    Promise,
    State,
    StateUnreadable,
)

__all__ = [
    "INDEPENDENT",
    "IN_FULL",
    "MIN_ARL",
    "MIN_REFERENCE_N",
    "Dependence",
    "Detector",
    "Promise",
    "State",
    "StateUnreadable",
    "kinds",
    "make",
    "restore",
]


def kinds() -> list[str]:
    """The names of all score detectors, sorted.

    >>> {"adwin", "page_hinkley"} <= set(kinds())
    True
    """
    return sorted(_classes())


def make(
    kind: str, promise: Promise, reference_n: int, dependence: Dependence = INDEPENDENT
) -> Detector:
    """A new detector; ValueError for an unknown kind or a setting out of range."""
    return _class(kind)(promise, reference_n, dependence)


def restore(
    kind: str,
    promise: Promise,
    reference_n: int,
    state: State,
    dependence: Dependence = INDEPENDENT,
) -> Detector:
    """A detector that goes on where `state` was taken; StateUnreadable if it cannot be read."""
    return _class(kind).restore(promise, reference_n, state, dependence)


def _class(kind: str) -> type[Detector]:
    try:
        return _classes()[kind]
    except KeyError:
        raise ValueError(f"no detector {kind!r}; there are: {', '.join(kinds())}") from None


@cache
def _classes() -> dict[str, type[Detector]]:
    names = (module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    modules = {name: import_module(f"{__name__}.{name}") for name in names}
    return {
        name: module.Detector for name, module in modules.items() if hasattr(module, "Detector")
    }
