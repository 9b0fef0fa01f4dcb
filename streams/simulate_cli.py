"""`radvigil simulate`: its arguments, and the hospital that they describe.

A fault is written `WHERE@TIME+LENGTH`. TIME and LENGTH are like `36h` or `1d12h`, from the start;
TIME may also be RFC 3339.
"""

import math
import re
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import msgspec

from schemas.fields import EARLIEST_YEAR, LATEST_YEAR, Site
from streams.hospital.faults import Failure, Fault, Feed, Outage, Shift, Silence, Status
from streams.hospital.settings import Hospital

_EXAMPLES = """examples:
  radvigil simulate --seed 7 --days 2 > events.jsonl
  radvigil simulate --outage north/ptx@9h+2h --shift north/DX1/acquisition.pixel_mm@12h=0.139
  radvigil simulate --stall south/predictions@10h+45m | radvigil replay --config hospital.toml -
"""
_HELP = {
    "outage": ("SITE/MODEL@TIME+LENGTH", "the model answers nothing"),
    "burst": ("SITE/MODEL@TIME+LENGTH", "... and then all of it at once"),
    "silence": ("SITE/FEED@TIME+LENGTH", "studies, predictions or reports do not arrive"),
    "stall": ("SITE/FEED@TIME+LENGTH", "... and then all of them at once"),
    "failure": (
        "SITE/MODEL@TIME+LENGTH=STATUS[:SHARE]",
        "STATUS is failed, rejected or incomplete; SHARE of the answers, 1 if left out",
    ),
    "shift": (
        "[SITE/[STATION/]]SERIES@TIME=VALUE",
        "= sets, += and -= move; SERIES is acquisition.NAME, patient.age_years, "
        "scanner.software, turnaround_s, FINDING.score or FINDING.present",
    ),
}
_LENGTH = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_LONGEST_DAYS = 3660.0
_MOST_PER_DAY = 1_000_000.0
_SHIFT = re.compile(r"(?P<where>[^@]+)@(?P<at>.+?)(?P<how>\+=|-=|=)(?P<value>.+)")


def add_arguments(parser: ArgumentParser) -> None:
    """Everything that a hospital depends on, and the seed."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLES
    add = parser.add_argument
    add("--seed", type=int, default=0, help="the same seed gives the same events (default 0)")
    add("--start", default="2026-01-05T00:00:00Z", help="the first moment (default %(default)s)")
    add("--days", type=float, default=1.0, help="length in days (default 1)")
    add("--sites", default="north,south", help="names, or how many (default %(default)s)")
    add("--studies-per-day", type=float, default=200.0, help="of a site on a weekday (default 200)")
    faults = parser.add_argument_group("what goes wrong; each may be given several times")
    for name, (form, meaning) in _HELP.items():
        faults.add_argument(f"--{name}", action="append", default=[], metavar=form, help=meaning)


def hospital_from(arguments: Namespace) -> Hospital:
    """The hospital of the arguments; a ValueError names the one that is wrong."""
    healthy = Hospital(
        sites=_sites(arguments.sites),
        start=_start(arguments.start),
        days=_between("--days", arguments.days, _LONGEST_DAYS),
        studies_per_day=_between("--studies-per-day", arguments.studies_per_day, _MOST_PER_DAY),
    )
    faults: list[Fault] = []
    for name in _HELP:
        for written in getattr(arguments, name):
            try:
                faults.append(_fault(name, written, healthy))
            except OverflowError:
                raise ValueError(f"--{name} {written}: too far away") from None
            except ValueError as error:
                raise ValueError(f"--{name} {written}: {error}") from None
    return msgspec.structs.replace(healthy, faults=tuple(faults))


class _Written(NamedTuple):
    """`SITE/WHAT@TIME+LENGTH[=HOW]`, taken apart."""

    site: str
    what: str
    at: datetime
    length: timedelta
    how: str


def _fault(name: str, written: str, hospital: Hospital) -> Fault:
    if name == "shift":
        return _shift(written, hospital)
    site, what, at, length, how = _parts(written, hospital)
    if name in ("silence", "stall"):
        _known(what, ("studies", "predictions", "reports"))
        return Silence(site, cast(Feed, what), at, length, catches_up=name == "stall")
    _known(what, [model.name for model in hospital.models])
    if name != "failure":
        return Outage(site, what, at, length, catches_up=name == "burst")
    status, _, share = how.partition(":")
    _known(status, ("failed", "rejected", "incomplete"))
    of_all = _between("the share", _number(share or "1"), 1.0)
    return Failure(site, what, at, length, cast(Status, status), of_all)


def _parts(written: str, hospital: Hospital) -> _Written:
    where, _, when = written.partition("@")
    when, _, how = when.partition("=")
    site, _, what = where.partition("/")
    at, _, length = when.rpartition("+")
    _known(site, hospital.sites)
    if not (lasts := _length(length)):
        raise ValueError("lasts no time at all")
    return _Written(site, what, _moment(at, hospital), lasts, how)


def _shift(written: str, hospital: Hospital) -> Shift:
    parts = _SHIFT.fullmatch(written)
    if parts is None:
        raise ValueError(f"is not like {_HELP['shift'][0]}")
    where, _, series = parts["where"].rpartition("/")
    site, _, station = where.partition("/")
    if site:
        _known(site, hospital.sites)
    if station:
        _known(station, [each.station for each in hospital.stations])
    _known(series, _series_of(hospital))
    at, value = _moment(parts["at"], hospital), parts["value"]
    if series == "scanner.software":
        if parts["how"] != "=":
            raise ValueError("scanner.software is no number: it can only be set, by =")
        return Shift(series, at, to=value, site=site or None, station=station or None)
    if parts["how"] == "=":
        return Shift(series, at, to=_number(value), site=site or None, station=station or None)
    by = _number(parts["how"][0] + value)
    return Shift(series, at, by=by, site=site or None, station=station or None)


def _series_of(hospital: Hospital) -> list[str]:
    """What can be shifted, of any station and model of the hospital."""
    acquisition = {name: None for station in hospital.stations for name in station.acquisition}
    findings = {finding: None for model in hospital.models for finding in model.findings}
    return [
        *(f"acquisition.{name}" for name in acquisition),
        "patient.age_years",
        "scanner.software",
        "turnaround_s",
        *(f"{finding}.{what}" for finding in findings for what in ("score", "present")),
    ]


def _sites(written: str) -> tuple[str, ...]:
    if written.isascii() and written.isdecimal():
        number_n = int(_between("--sites", float(written), 1000.0))
        return tuple(f"site-{number}" for number in range(1, number_n + 1))
    names = tuple(written.split(","))
    try:
        msgspec.convert(names, tuple[Site, ...])
    except msgspec.ValidationError:
        raise ValueError("--sites: names of 1 to 32 of a-z, 0-9 and -, or how many") from None
    if len(set(names)) < len(names):
        raise ValueError("--sites: a name stands there twice")
    return names


def _between(what: str, number: float, most: float) -> float:
    if not 0 < number <= most:
        raise ValueError(f"{what}: expected a number above 0, at most {most:g}")
    return number


def _number(written: str) -> float:
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{written!r} is no number")
    return number


def _known(value: str, values: Collection[str]) -> None:
    if value not in values:
        raise ValueError(f"{value!r} is none of {', '.join(values)}")


def _moment(written: str, hospital: Hospital) -> datetime:
    return _time(written) if "T" in written else hospital.start + _length(written)


def _start(written: str) -> datetime:
    moment = _time(written)
    if not EARLIEST_YEAR <= moment.year < LATEST_YEAR - _LONGEST_DAYS / 365:
        raise ValueError(f"--start: too far from {EARLIEST_YEAR} to {LATEST_YEAR} for an event")
    return moment


def _time(written: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"{written!r} is not a time like 2026-01-05T12:00:00Z") from None
    if moment.tzinfo is None:
        day = written if "T" in written else f"{written}T00:00:00"
        raise ValueError(f"{written} has no offset; write {day}Z")
    return moment


def _length(written: str) -> timedelta:
    """A length in days, hours, minutes and seconds.

    >>> _length("1d12h")
    datetime.timedelta(days=1, seconds=43200)
    """
    parts = _LENGTH.fullmatch(written)
    if not written or parts is None:
        raise ValueError(f"{written!r} is not a length like 90m or 1d12h")
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
