"""DICOM dates and times (PS3.5, DA, TM, DT): as written, with the offset that belongs to them."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{2})(\d{2})?(\d{2})?(?:\.(\d{1,6}))?")
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})")


def moment(date: str | None, time: str | None, zone: tzinfo) -> datetime | None:
    """An aware time; None where it is not written, or is not one.

    >>> moment("20260105", "0815", UTC).isoformat()
    '2026-01-05T08:15:00+00:00'
    """
    day = _DATE.fullmatch(date or "")
    clock = _TIME.fullmatch(time or "")
    if day is None or clock is None:
        return None
    hour, minute, second, fraction = clock.groups()
    micros = int((fraction or "0").ljust(6, "0"))
    year, month, of_month = map(int, day.groups())
    try:
        return datetime(
            year,
            month,
            of_month,
            int(hour),
            int(minute or 0),
            min(int(second or 0), 59),  # 60 is a leap second
            micros,
            tzinfo=zone,
        )
    except ValueError:
        return None


def combined(written: str | None, zone: tzinfo) -> datetime | None:
    """A DT value: date, time and perhaps an offset in one.

    >>> combined("20260105081500.5+0100", UTC).isoformat()
    '2026-01-05T08:15:00.500000+01:00'
    """
    value = written or ""
    bare, sign, rest = value.partition("+") if "+" in value else value.partition("-")
    own = offset(sign + rest)
    return moment(bare[:8], bare[8:], own or zone)


def offset(written: str | None) -> tzinfo | None:
    """`+0100` as a zone; None where it is not one."""
    found = _OFFSET.fullmatch(written or "")
    if found is None:
        return None
    sign, hours, minutes = found.groups()
    shift = timedelta(hours=int(hours), minutes=int(minutes))
    if shift > timedelta(hours=14):
        return None
    return timezone(-shift if sign == "-" else shift) if shift else UTC
