"""The hour of the week where a site is: hospitals follow local days, and no two days are alike."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from schemas.config import Config

WEEK_HOURS = 168
_QUARTER_US = 900_000_000
_QUARTERS_KEPT = 10_000


class SiteTime:
    """Hours of the week of one zone, 0 for Monday from midnight to one."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
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
        weekhour = local.weekday() * 24 + local.hour
        self._of_quarter[quarter] = weekhour
        return weekhour


class SiteTimes:
    """The time of every site: its own zone, or else that of the deployment."""

    def __init__(self, config: Config) -> None:
        self._zones = {site.name: site.timezone for site in config.sites if site.timezone}
        self._default = config.timezone
        self._times: dict[str, SiteTime] = {}

    def of(self, site: str) -> SiteTime:
        """The time of a site, known by configuration or not."""
        zone = self._zones.get(site, self._default)
        return self._times.get(zone) or self._times.setdefault(zone, SiteTime(zone))
