"""How busy a site is: by the hour, on weekdays and weekends; and days and shifts that differ."""

from datetime import datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 1, 12, tzinfo=ZONE)  # a Monday; no change of clocks for eleven weeks
_WEEK = (1.05, 1.02, 1.0, 0.98, 0.95, 0.38, 0.32)
_NIGHT, _MORNING = (0.15, 0.12, 0.1, 0.1, 0.12, 0.2), (0.5, 1.1, 1.8, 2.0, 2.0, 1.9)
_AFTERNOON, _EVENING = (1.6, 1.7, 1.8, 1.6, 1.2, 0.8), (0.6, 0.5, 0.45, 0.4, 0.3, 0.2)
HOURS = (*_NIGHT, *_MORNING, *_AFTERNOON, *_EVENING)
_FLATTER = tuple(0.6 + 0.4 * busy for busy in HOURS)
_SHIFTS = 3
_DAY_SD, _SHIFT_SD, _VOLUME_SD = 0.1, 0.1, 0.04


def day_us(day: int) -> int:
    """When the day begins at the hospital."""
    return int((BEGIN + timedelta(days=day)).timestamp()) * 1_000_000


def is_weekend(day: int) -> bool:
    """Saturday or Sunday."""
    return day % 7 >= 5


@cache
def hours_of(weekend: bool) -> tuple[float, ...]:
    """The shares of the hours, added up: a weekend's are more even."""
    busy = _FLATTER if weekend else HOURS
    return tuple(sum(busy[: hour + 1]) / sum(busy) for hour in range(24))


class Day:
    """One day of one site: how busy it is, and how it differs from other days.

    `differs`: 1 as usual, 0 where days and shifts are alike.
    """

    def __init__(self, number: int, random: Random, stations: list[str], differs: float) -> None:
        self.number = number
        self.is_weekend = is_weekend(number)
        self.busy = _WEEK[number % 7] * random.lognormvariate(0, _VOLUME_SD)
        self.cases = differs * random.gauss(0, 1)
        """How much sicker, in units of its own."""
        self._whole = differs * random.gauss(0, _DAY_SD)
        self._shifts = {
            (station, shift): differs * random.gauss(0, _SHIFT_SD)
            for station in stations
            for shift in range(_SHIFTS)
        }

    def level(self, station: str, hour: int) -> float:
        """How far its images are from others, in sd: of the day, the scanner and the shift."""
        return self._whole + self._shifts.get((station, hour * _SHIFTS // 24), 0.0)
