"""Loops over observations and starts, compiled to machine code by Numba when they first run.

A detector has so little to do for each observation that calling numpy for it costs several times
more than the work; a compiled loop over all observations in hand has no such cost, and computes
one number after the other, so the bits do not depend on how observations were cut into calls.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(loop: Callable[P, R]) -> Callable[P, R]:
    """The loop as machine code, kept on disk for the next start where a folder can be written."""
    try:
        made = numba.njit(cache=True, error_model="numpy")(loop)
    except RuntimeError:  # neither beside the module nor in the home of the user
        made = numba.njit(error_model="numpy")(loop)
    return cast(Callable[P, R], made)
