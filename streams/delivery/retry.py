"""How long to wait before the next try."""

from collections.abc import Callable

BASE_S = 1.0
CAP_S = 300.0
LONGEST_S = 900.0
"""What a receiver may ask for at most: a quarter of an hour."""
_UNKNOWN_S = 300.0
_UNKNOWN_CAP_S = 3_600.0


def wait_s(failed_n: int, least_s: float, draw: Callable[[], float]) -> float:
    """Full jitter: uniform up to 1, 2, 4, ... 300 s after the first, second, third, ... failure.

    M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. `least_s` is what
    was asked for, and `draw` gives numbers from 0 to 1.

    >>> wait_s(3, 0.0, lambda: 0.5), wait_s(3, 40.0, lambda: 0.5)
    (2.0, 40.0)
    """
    jitter_s = draw() * min(CAP_S, BASE_S * 2.0 ** min(failed_n - 1, 30))
    return max(jitter_s, least_s)


def unknown_wait_s(unknown_n: int) -> float:
    """The least wait after so many outcomes that are unknown, each of which may be a duplicate.

    The first repeat goes soon, because a message may be missing; each further one may add a
    duplicate, so they go ever more rarely: 27 in a day at most.

    >>> [unknown_wait_s(n) for n in (1, 2, 3, 9)]
    [0.0, 300.0, 600.0, 3600.0]
    """
    if unknown_n <= 1:
        return 0.0
    return min(_UNKNOWN_CAP_S, _UNKNOWN_S * 2.0 ** min(unknown_n - 2, 10))
