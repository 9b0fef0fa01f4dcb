"""HL7 v2 times (TS, DTM): aware, by their own offset, else the message's, else the site's zone."""

import re
from datetime import datetime, timedelta, timezone, tzinfo

from schemas.fields import EARLIEST_YEAR, LATEST_YEAR

_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})?(\d{2})?(?:\.(\d+))?([+-]\d{4})?")


def moment(written: str, zone: tzinfo) -> datetime | None:
    """A time, aware; None where it is not one: a day alone would be midnight, before its images.

    >>> from datetime import UTC
    >>> moment("20260105081500+0100", UTC).isoformat(), moment("20260105", UTC)
    ('2026-01-05T08:15:00+01:00', None)
    """
    found = _TIME.fullmatch(written)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, told = found.groups()
    own = _zone(told) if told else zone
    if own is None or not EARLIEST_YEAR < int(year) < LATEST_YEAR:
        return None
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        at = datetime(int(year), int(month), int(day), int(hour), int(minute or 0), tzinfo=own)
        return at.replace(second=min(int(second or 0), 59), microsecond=micros)
    except ValueError:
        return None


def offset(written: str) -> tzinfo | None:
    """The offset of a time; in MSH-7 it is that of all times of the message (2.15.9.7)."""
    found = _TIME.fullmatch(written)
    return _zone(found[8]) if found is not None and found[8] else None


def _zone(told: str) -> tzinfo | None:
    shift = timedelta(hours=int(told[1:3]), minutes=int(told[3:5]))
    if shift > timedelta(hours=14):
        return None
    return timezone(-shift if told[0] == "-" else shift)
