"""When studies begin: a Poisson process with the rhythm of the day and of the week."""

import math
from collections.abc import Iterator
from datetime import timedelta
from random import Random

from streams.clock import to_us
from streams.hospital.settings import Hospital

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_MONDAY_US = 4 * _DAY_US  # 5 January 1970
# Studies of each hour of a weekday, from midnight UTC; only their proportions matter.
_HOURS = (3, 2, 2, 2, 3, 5, 12, 24, 40, 46, 46, 42, 34, 36, 40, 38, 32, 24, 16, 12, 10, 8, 6, 4)
_WEEKEND = 0.35


def intensity(us: int) -> float:
    """Studies at this time, relative to a weekday's mean."""
    days, within_us = divmod(us - _MONDAY_US, _DAY_US)
    hour = _HOURS[within_us // _HOUR_US] * len(_HOURS) / sum(_HOURS)
    return hour if days % 7 < 5 else hour * _WEEKEND


def beginnings(hospital: Hospital, rng: Random) -> Iterator[int]:
    """When the studies of one site begin, in whole milliseconds: the peak rate, thinned."""
    peak = max(_HOURS) * len(_HOURS) / sum(_HOURS)
    gap_us = _DAY_US / (hospital.studies_per_day * peak)
    us = float(to_us(hospital.start))
    end_us = to_us(hospital.start + timedelta(days=hospital.days))
    while True:
        us -= gap_us * math.log(1 - rng.random())
        if us >= end_us:
            return
        at_us = int(us) // 1000 * 1000
        if rng.random() * peak < intensity(at_us):
            yield at_us
