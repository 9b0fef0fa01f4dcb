"""How much there was to do, against what is usual at that hour. Pure."""

from typing import NamedTuple

from streams.web.view_outcomes import HOUR_US, Outcomes


class Volume(NamedTuple):
    """Results that were due at a site in the last whole hour, and in that hour of other days."""

    site: str
    now_n: int
    usual: tuple[int, int] | None
    days_n: int
    word: str


def volumes(outcomes: Outcomes, sites: list[str], now_us: int) -> list[Volume]:
    """Each site's last whole hour against the same hour of other days."""
    return [_volume(outcomes, site, now_us) for site in sites]


def _volume(outcomes: Outcomes, site: str, now_us: int) -> Volume:
    due = outcomes.due_by_hour(site)
    hour = now_us // HOUR_US - 1
    first = min(due, default=hour)
    weekly = [due.get(hour - 168 * week, 0) for week in range(1, 5) if hour - 168 * week >= first]
    daily = [due.get(hour - 24 * day, 0) for day in range(1, 15) if hour - 24 * day >= first]
    before = weekly if len(weekly) >= 3 else daily
    now_n = due.get(hour, 0)
    if len(before) < 3:
        return Volume(site, now_n, None, len(before), "usual not known yet")
    low, high = min(before), max(before)
    word = "fewer than usual" if now_n < low else "more than usual" if now_n > high else "as usual"
    return Volume(site, now_n, (low, high), len(before), word)
