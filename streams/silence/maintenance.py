"""Hours in which a site's maintenance by the calendar runs: nothing is expected, nothing learnt."""

from zoneinfo import ZoneInfo

from schemas.config import Config
from streams.clock import seconds_to_us
from streams.routing.mute import last_start_us
from streams.silence.feed import HOUR_US

_KEPT = 10_000


class MaintenanceHours:
    """The windows of every site, in whole hours."""

    def __init__(self, config: Config) -> None:
        self._windows = {
            site.name: [
                (window.cron, seconds_to_us(60 * window.minutes), zone)
                for zone in [ZoneInfo(site.timezone or config.timezone)]
                for window in site.maintenance
            ]
            for site in config.sites
        }
        self._known: dict[tuple[str, int], bool] = {}

    def touches(self, site: str, hour: int) -> bool:
        """Whether a window is open at any time of this hour since the epoch."""
        if not self._windows.get(site):
            return False
        known = self._known.get((site, hour))
        return self._look_up(site, hour) if known is None else known

    def _look_up(self, site: str, hour: int) -> bool:
        if len(self._known) >= _KEPT:
            self._known.clear()
        begin_us = hour * HOUR_US
        last_us = begin_us + HOUR_US - 1
        touches = any(
            last_start_us(cron, zone, last_us) + length_us > begin_us
            for cron, length_us, zone in self._windows[site]
        )
        self._known[site, hour] = touches
        return touches
