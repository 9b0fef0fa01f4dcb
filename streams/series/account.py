"""What one series has of the false-alarm promise, how far it is, and how long it takes to see.

The words of docs/OPERATIONS.md, "The account of the promise", are made from this.
"""

from collections.abc import Iterable, Iterator
from math import log
from typing import Literal

from msgspec import Struct

from detectors.votes import VOTES
from schemas.config import Config
from schemas.series import Note
from streams.pace import DAY_US, Pace
from streams.series.seen import SeriesId
from streams.series.watched import Series

Standing = Literal["learning", "watching", "away"]
SHIFTS_SD = (0.5, 1.0)
SLOWEST_N = 5
_PACE_US = 7 * DAY_US
_START_N = 8  # a change is dated to one of the starts, which are so far apart


class Delay(Struct, frozen=True):
    """About how long a shift of so many sd of the reference takes to be found."""

    shift_sd: float
    observations: float
    hours: float  # at today's pace


class SeriesAccount(Struct, frozen=True):
    """One series. `days`: what it is granted from one false alarm to the next; None: none yet.

    `part` is what that means in false incidents of the period, 0 where nothing is promised.
    `needed_n` and `ready_in_days` are of a series that learns its first reference; no `delays`: no
    threshold, or it is of no numbers.
    """

    site: str
    model: str | None
    subject: str
    standing: Standing
    per_day: float | None
    reference_n: int
    needed_n: int | None = None
    ready_in_days: float | None = None
    days: float | None = None
    part: float = 0.0
    delays: tuple[Delay, ...] = ()
    notes: tuple[Note, ...] = ()


def series_account(config: Config, key: SeriesId, series: Series, proved_us: int) -> SeriesAccount:
    """What is to be told of one series when its shard has proved time until then."""
    site, model, subject = key
    per_day = _pace(series, proved_us)
    learning = series.phase == "learning"
    days = series.share.days
    standing: Standing = "learning" if learning else "away" if series.is_away else "watching"
    return SeriesAccount(
        site=site,
        model=model or None,
        subject=subject,
        standing=standing,
        per_day=per_day,
        reference_n=series.reference.n if series.reference else series.learning.sample.n,
        needed_n=series.learning.settings.observations if learning else None,
        ready_in_days=_ready_in_days(series, per_day, proved_us) if learning else None,
        days=days,
        part=config.budget.per_days / days if days and series.share.given else 0.0,
        delays=tuple(_delays(series, per_day)),
        notes=series.notes,
    )


def slowest(series: Iterable[SeriesAccount]) -> list[SeriesAccount]:
    """Those that find half a sd last, slowest first."""
    watched = [one for one in series if one.delays]
    return sorted(watched, key=lambda one: -one.delays[0].hours)[:SLOWEST_N]


def delay_n(arl: float, shift_sd: float) -> float:
    """About how many observations a detector of this average run length needs for a shift.

    ln(A) / KL with KL = shift^2 / 2 for a normal score (Lorden 1971, to first order), and
    half of the 8 observations from one start to the next. Of the mean delays measured with a
    reference of 2,000 (section 2, docs/DETECTION.md; A from 1e5 to 3e8) none is longer by more
    than a tenth; half a sd at 1e5 is found sooner, after 75 to 85. With a reference of fewer
    than 500, or values that depend on each other, it takes longer than this says.

    >>> round(delay_n(1e5, 0.5)), round(delay_n(1e5, 1.0)), round(delay_n(3e8, 0.5))
    (96, 27, 160)
    """
    return log(max(arl, 1.0)) / (shift_sd**2 / 2) + _START_N / 2


def _delays(series: Series, per_day: float | None) -> Iterator[Delay]:
    """Those of the vote with the greatest part, whose threshold is its days at today's pace.

    Observations that depend on each other say less, by the variance ratio of the reference, and
    those of one day together no more than their day.
    """
    days, reference, strongest = series.share.days, series.reference, max(VOTES.values())
    if days is None or reference is None or not per_day or not VOTES.keys() <= series.votes.keys():
        return
    for shift_sd in SHIFTS_SD:
        n = delay_n(days * per_day / strongest, shift_sd) * reference.ratio
        if series.levels is not None:
            n = series.levels.observations_for(n, per_day)
        yield Delay(shift_sd, n, n / per_day * 24)


def _pace(series: Series, proved_us: int) -> float | None:
    """Observations a day in the last week, or since the last block before; None: not yet known.

    Counted from the newest stamp of a block, which one ancient stamp does not move.
    """
    blocks = [*series.blocks.full, *([series.blocks.filling] if series.blocks.filling else [])]
    if not blocks:
        return None
    until_us = max(proved_us, *(block.at_us for block in blocks))
    older = [i for i, block in enumerate(blocks[:-1]) if block.at_us < until_us - _PACE_US]
    first = older[-1] if older else 0
    alone = len(blocks) == 1
    start_us = blocks[0].since_us if alone else blocks[first].at_us
    n = blocks[0].n - 1 if alone else sum(block.n for block in blocks[first + 1 :])
    return n / ((until_us - start_us) / DAY_US) if n and until_us > start_us else None


def _ready_in_days(series: Series, per_day: float | None, proved_us: int) -> float | None:
    """Until the reference is frozen, by number or by age; None where there is no pace."""
    if not per_day:
        return None
    needs = series.learning.settings
    n = series.learning.sample.n
    age_us = _age_us(series.learning.pace, proved_us)
    by_age = max((needs.max_us - age_us) / DAY_US, (needs.least_n - n) / per_day, 0.0)
    return min(max((needs.observations - n) / per_day, 0.0), by_age)


def _age_us(pace: Pace, proved_us: int) -> int:
    return pace.elapsed_us + max(0, proved_us - pace.newest_us)
