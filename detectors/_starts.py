"""The moments at which a change may have begun: how much each weighs, and which are kept.

A Shiryaev-Roberts statistic M is the sum, over all starts, of weight x likelihood ratio since the
start. A start weighs the days that have gone by since the start before it, so M less the days
gone by is a martingale whatever the pace, and an alarm at M >= A means that on average A days have
gone by (Pollak 1985, "Optimal detection of a change in distribution"; the weights are ours).

Starts are 8 observations apart. At the end of each 128 observations they are thinned to 16, the
denser the younger: what goes is the start that lies closest to the one before it for its age. It
hands its evidence to that one, which leaves M as it is and a martingale. Which starts there are
depends on how many observations there were, on nothing that was observed.
"""

import numpy as np

from detectors._contract import Floats, Ints

EVERY_N = 8
CHUNK_N = 128
KEPT_N = 16
ROOM_N = KEPT_N + CHUNK_N // EVERY_N
NOT_BORN = 1e15
_SILENCE_SHARE = 0.01


def due(before_n: int) -> int:
    """The place, after `before_n` observations, of the first one before which a start is due."""
    return -before_n % EVERY_N


def until(elapsed: float, days: Floats) -> Floats:
    """The time gone by until each observation, summed one by one: the same bits in any cut."""
    summed = np.empty(len(days) + 1)
    summed[0], summed[1:] = elapsed, days
    return np.add.accumulate(summed, out=summed)[1:]


def weights(at: Floats, newest: float, threshold: float) -> Floats:
    """Days since the start before, for starts `at` these times; `newest` is the one before them.

    None weighs more than a hundredth of the threshold: a long silence is no evidence of a change.
    Smaller weights only make alarms rarer.

    >>> weights(np.array([1.0, 4.0]), 0.0, 1e3)
    array([1., 3.])
    """
    since = at.copy()
    since[0] -= newest
    since[1:] -= at[:-1]
    return np.minimum(since, threshold * _SILENCE_SHARE)


def kept(began: Floats, n: int) -> Ints:
    """Which of the starts, oldest first, are kept after n observations."""
    left = np.ones(len(began), dtype=np.bool_)
    added_age = (began[1:] - began[:-1]) / (n - began[:-1])
    left[1 + added_age.argsort(kind="stable")[: max(len(began) - KEPT_N, 0)]] = False
    return np.flatnonzero(left)


def handed(evidence: Floats, kept: Ints) -> Floats:
    """The evidence of the kept starts (last axis) with that of the dropped ones after each.

    >>> handed(np.array([1.0, 2.0, 4.0, 8.0]), np.array([0, 3]))
    array([7., 8.])
    """
    return np.add.reduceat(evidence, kept, axis=-1)
