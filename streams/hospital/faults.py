"""What goes wrong in a simulated hospital, from when and for how long.

A fault changes or removes events, it never draws a random number: the same seed with and without
a fault gives the same hospital but for what the fault touches.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Generic, Literal, NamedTuple, TypeVar

from msgspec import Struct

from streams.clock import to_us

Feed = Literal["studies", "predictions", "reports"]
Status = Literal["failed", "rejected", "incomplete"]


class Outage(Struct, frozen=True):
    """The model answers nothing at the site; `catches_up` answers all of it when it is over."""

    site: str
    model: str
    at: datetime
    length: timedelta
    catches_up: bool = False


class Silence(Struct, frozen=True):
    """A feed delivers nothing; `catches_up` delivers it, in order, when the silence is over."""

    site: str
    feed: Feed
    at: datetime
    length: timedelta
    catches_up: bool = False


class Failure(Struct, frozen=True):
    """A share of the model's answers is `failed`, `rejected`, or lacks a finding (`incomplete`)."""

    site: str
    model: str
    at: datetime
    length: timedelta
    status: Status = "failed"
    share: float = 1.0


class Shift(Struct, frozen=True):
    """From `at` on a series is different: moved `by` a number, or set `to` a value.

    `series` is `acquisition.NAME`, `patient.age_years`, `scanner.software`, `turnaround_s`,
    `FINDING.score` (moved on the logit scale) or `FINDING.present` (the prevalence). `site`,
    `station` and `length` narrow it; None means every one, and for good.
    """

    series: str
    at: datetime
    by: float = 0.0
    to: float | str | None = None
    site: str | None = None
    station: str | None = None
    length: timedelta | None = None

    def number(self, value: float) -> float:
        """The shifted value.

        >>> Shift("patient.age_years", datetime(2026, 1, 5), by=2.0).number(60.0)
        62.0
        """
        return (value if self.to is None else float(self.to)) + self.by


Fault = Outage | Silence | Failure | Shift
F = TypeVar("F", bound=Fault)


class Window(NamedTuple, Generic[F]):
    """A fault and its time, from `from_us` until before `until_us`."""

    from_us: int
    until_us: int
    fault: F

    def caught_up_us(self, us: int) -> int:
        """When work of `us` is done if all of it waits for the end: in order, 100 times as fast."""
        return self.until_us + (us - self.from_us) // 100


def windows(faults: Iterable[F]) -> list[Window[F]]:
    """The faults with their times in microseconds."""
    return [Window(to_us(fault.at), _until_us(fault), fault) for fault in faults]


def active(candidates: list[Window[F]], us: int) -> Window[F] | None:
    """The first of the faults that is on at `us`."""
    for window in candidates:
        if window.from_us <= us < window.until_us:
            return window
    return None


class Shifts:
    """The shifts of one site, by the part of a study that they change."""

    def __init__(self, faults: Iterable[Fault], site: str) -> None:
        self._windows = windows(
            fault for fault in faults if isinstance(fault, Shift) and fault.site in (None, site)
        )

    def on(self, us: int, station: str) -> list[Shift]:
        """Those that are on at `us` for this station."""
        return [
            window.fault
            for window in self._windows
            if window.from_us <= us < window.until_us and window.fault.station in (None, station)
        ]


def _until_us(fault: Fault) -> int:
    return 2**62 if fault.length is None else to_us(fault.at + fault.length)
