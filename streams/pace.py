"""How fast observations come, by their stamps; one wild stamp decides nothing."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

DAY_US = 86_400_000_000
_SECOND_US = 1_000_000


class Pace(Struct, omit_defaults=True):
    """How long a sample has been growing: from its first observation to the newest."""

    first_us: int | None = None
    newest_us: int = 0

    @property
    def elapsed_us(self) -> int:
        """From the first observation to the newest."""
        return self.newest_us - (self.first_us or 0)

    def stays_under(self, ats_us: NDArray[np.int64], limit_us: int) -> bool:
        """Go on to the last of these if the elapsed time stays below a limit: the usual case."""
        first_us = int(ats_us[0]) if self.first_us is None else self.first_us
        newest_us = int(ats_us.max())
        if self.first_us is not None:
            newest_us = max(newest_us, self.newest_us)
        if newest_us - first_us >= limit_us:
            return False
        self.first_us, self.newest_us = first_us, newest_us
        return True

    def elapsed_with(self, ats_us: NDArray[np.int64], gap_max_us: int) -> NDArray[np.int64]:
        """The elapsed time after each further observation; a gap longer than allowed is none."""
        newest_us = int(ats_us[0]) if self.first_us is None else self.newest_us
        gaps_us = gaps(newest_us, ats_us)
        counted_us = np.where(gaps_us <= gap_max_us, gaps_us, 0)
        elapsed_us: NDArray[np.int64] = self.elapsed_us + np.cumsum(counted_us)
        return elapsed_us

    def take(self, ats_us: NDArray[np.int64], elapsed_us: int) -> None:
        """Go on to the last of these, after which so much has elapsed."""
        newest_us = int(ats_us.max())
        self.newest_us = newest_us if self.first_us is None else max(self.newest_us, newest_us)
        self.first_us = self.newest_us - elapsed_us

    def per_day(self, n: int) -> float:
        """Observations a day, if so many came in the elapsed time."""
        return n / (max(self.elapsed_us, _SECOND_US) / DAY_US)


def days_before(
    newest_us: int | None, ats_us: NDArray[np.int64]
) -> tuple[NDArray[np.float64], int]:
    """The days from the newest stamp before each observation to that with it; and the newest."""
    running_us = _running(int(ats_us[0]) if newest_us is None else newest_us, ats_us)
    return (running_us[1:] - running_us[:-1]) / DAY_US, int(running_us[-1])


def gaps(newest_us: int, ats_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """How far each stamp lies beyond all before it, 0 for one that does not."""
    running_us = _running(newest_us, ats_us)
    return running_us[1:] - running_us[:-1]


def _running(newest_us: int, ats_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """The newest stamp before these, and then after each of them."""
    running_us = np.empty(len(ats_us) + 1, np.int64)
    running_us[0], running_us[1:] = newest_us, ats_us
    return np.maximum.accumulate(running_us)
