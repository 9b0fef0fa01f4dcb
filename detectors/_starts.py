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

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from detectors._compiled import compiled
from detectors._contract import Floats

EVERY_N = 8
CHUNK_N = 128
KEPT_N = 16
ROOM_N = KEPT_N + CHUNK_N // EVERY_N
N, ELAPSED, NEWEST, BORN_N = range(4)
_SILENCE_SHARE = 0.01


class Starts(NamedTuple):
    """A column for each start, oldest first; the first `clock[BORN_N]` are in use."""

    clock: Floats
    """Observations so far, the days they took, those at the newest start, how many starts."""
    began: Floats
    """After how many observations."""
    totals_then: Floats
    """What was summed up before it, a row for each sum."""
    held: Floats
    """What it holds of M, a row for each form: weight or evidence."""

    @property
    def n(self) -> int:
        """Observations so far."""
        return int(self.clock[N])

    def columns(self) -> tuple[Floats, Floats, Floats]:
        """`began`, `totals_then` and `held` of the starts in use."""
        used = slice(int(self.clock[BORN_N]))
        return self.began[used], self.totals_then[:, used], self.held[:, used]


def no_starts(sums_n: int, forms_n: int) -> Starts:
    """Before the first observation, with so many rows."""
    rows = np.zeros((sums_n, ROOM_N)), np.zeros((forms_n, ROOM_N))
    return Starts(np.zeros(4), np.zeros(ROOM_N), *rows)


def restored(
    n: int, times: ArrayLike, began: ArrayLike, totals_then: ArrayLike, held: ArrayLike
) -> Starts:
    """The starts of a record; `times` are the days elapsed, and those at the newest start."""
    rows = np.array(totals_then, dtype=np.float64), np.array(held, dtype=np.float64)
    starts = no_starts(len(rows[0]), len(rows[1]))
    born_n = np.size(began)
    starts.clock[:] = n, *np.asarray(times), born_n
    starts.began[:born_n] = began
    starts.totals_then[:, :born_n], starts.held[:, :born_n] = rows
    return starts


@compiled
def wait(starts: Starts, days: float, totals: Floats, parts: Floats, threshold: float) -> None:
    """So much time goes by up to the next observation; before it a start may be due.

    Its weight is divided in `parts` among the forms. None weighs more than a hundredth of the
    threshold: a long silence is no evidence of a change. Smaller weights only make alarms rarer.
    """
    clock = starts.clock
    clock[ELAPSED] += days
    if clock[N] % EVERY_N:
        return
    new, since = int(clock[BORN_N]), clock[ELAPSED] - clock[NEWEST]
    starts.began[new] = clock[N]
    starts.totals_then[:, new] = totals
    starts.held[:, new] = parts * min(since, threshold * _SILENCE_SHARE)
    clock[NEWEST] = clock[ELAPSED]
    clock[BORN_N] = new + 1


@compiled
def thin(starts: Starts) -> None:
    """Keep 16 of the starts; `held` must be their evidence, and each takes that of the gone."""
    clock, began = starts.clock, starts.began
    born_n = int(clock[BORN_N])
    age = np.full(born_n, np.inf)  # added to that of the start before, as a share of it
    for start in range(1, born_n):
        before = began[start - 1]
        age[start] = (began[start] - before) / (clock[N] - before)
    is_kept = np.ones(born_n, dtype=np.bool_)
    for _ in range(born_n - KEPT_N):
        gone = age.argmin()  # the oldest of equals
        age[gone], is_kept[gone] = np.inf, False
    last = -1
    for start in range(born_n):
        if is_kept[start]:
            last += 1
            began[last] = began[start]
            starts.totals_then[:, last] = starts.totals_then[:, start]
            starts.held[:, last] = starts.held[:, start]
        else:
            starts.held[:, last] += starts.held[:, start]
    clock[BORN_N] = last + 1
