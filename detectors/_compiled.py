"""Loops over observations and starts, compiled to machine code by Numba when they first run.

A detector has so little to do for each observation that calling numpy for it costs several times
more than the work; a compiled loop over all observations in hand has no such cost, and computes
one number after the other, so the bits do not depend on how observations were cut into calls.
"""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

_HERE = Path(__file__).parent
P = ParamSpec("P")
R = TypeVar("R")


def digest_of(folder: Path) -> str:
    """Of the sources that a loop may be made of: its own file, and those whose loops it calls."""
    digest = blake2b(digest_size=8)
    for source in sorted(folder.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def keep_apart(digest: str) -> None:
    """Keep machine code in a folder of its own for each state of the sources.

    Numba looks at the file of a loop alone: it would go on with what another file held before, and
    fail to read what names a class that is no more.
    """
    settings: Any = numba.config
    folder = Path(settings.CACHE_DIR or _HERE / "__pycache__")
    settings.CACHE_DIR = str(folder / f"loops-{digest}")


keep_apart(digest_of(_HERE))


def compiled(loop: Callable[P, R]) -> Callable[P, R]:
    """The loop as machine code, kept on disk for the next start where a folder can be written."""
    try:
        made = numba.njit(cache=True, error_model="numpy")(loop)
    except RuntimeError:  # neither beside the module nor in the home of the user
        made = numba.njit(error_model="numpy")(loop)
    return cast(Callable[P, R], made)
