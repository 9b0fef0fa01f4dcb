"""The hour of the week where a site is: hospitals follow local days, and no two days are alike.

Series are held against hours of the working week: counted from the first working day, so that the
last two days are the weekend, wherever the site is. They keep what they have learnt of working days
and weekends when another weekend is set. Silence knows each hour of the calendar's week by itself,
and asks for no weekend.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from schemas.config import Config
from schemas.site import Weekend

WEEK_HOURS = 168
_FIRST_WORKING_DAY: dict[Weekend, int] = {  # Monday is 0
    "saturday-sunday": 0,
    "friday-saturday": 6,
    "thursday-friday": 5,
}
_QUARTER_US = 900_000_000
_QUARTERS_KEPT = 10_000


class SiteTime:
    """Hours of the week of one zone, 0 for the first day from midnight to one; Monday is day 0."""

    def __init__(self, zone: str, first_day: int = 0) -> None:
        self._zone = ZoneInfo(zone)
        self._first_day = first_day
        self._of_quarter: dict[int, int] = {}

    def weekhour(self, at_us: int) -> int:
        """The hour of the week of a moment. Zones change at whole quarters of an hour.

        >>> SiteTime("Europe/Berlin").weekhour(0)  # Thursday, one in the morning
        73
        """
        quarter = at_us // _QUARTER_US
        known = self._of_quarter.get(quarter)
        return self._look_up(quarter) if known is None else known

    def _look_up(self, quarter: int) -> int:
        if len(self._of_quarter) >= _QUARTERS_KEPT:
            self._of_quarter.clear()
        local = datetime.fromtimestamp(quarter * 900, UTC).astimezone(self._zone)
        weekhour = (local.weekday() - self._first_day) % 7 * 24 + local.hour
        self._of_quarter[quarter] = weekhour
        return weekhour


class SiteTimes:
    """The time of every site: its own zone and weekend, or else those of the deployment."""

    def __init__(self, config: Config) -> None:
        self._zones = {site.name: site.timezone for site in config.sites if site.timezone}
        self._weekends = {site.name: site.weekend for site in config.sites if site.weekend}
        self._default, self._default_weekend = config.timezone, config.weekend
        self._times: dict[tuple[str, int], SiteTime] = {}

    def of(self, site: str) -> SiteTime:
        """The calendar's week of a site, known by configuration or not: from Monday."""
        return self._time(site, 0)

    def working(self, site: str) -> SiteTime:
        """The working week of a site: from its first working day, the weekend last."""
        weekend = self._weekends.get(site, self._default_weekend)
        return self._time(site, _FIRST_WORKING_DAY[weekend])

    def _time(self, site: str, first_day: int) -> SiteTime:
        key = self._zones.get(site, self._default), first_day
        return self._times.get(key) or self._times.setdefault(key, SiteTime(*key))
