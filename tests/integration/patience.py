"""How long tests wait for others: deadlines only bound how long a failure takes to be told."""

import time
from collections.abc import Callable

SLOWER = 4.0
"""A machine that still passes may be so much slower than one of ours when nothing else runs."""
ANSWER_S = 60.0
"""Longer than any broker, server or program takes for one answer on such a machine."""


def wait_until(what: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again; whether it became true in time, `seconds` on a machine of ours."""
    deadline_s = time.monotonic() + seconds * SLOWER
    while not what():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.2)
    return True
