"""What a reference of less than a week is not to be trusted with, as its notes tell.

Days and hours are those of the working week (streams/site_time.py): the last two are the weekend.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.seasons import SATURDAY
from detectors.weekend_spread import LEAST_N
from schemas.series import Note

_WEEKDAYS: Note = "weekdays_only"
_WEEKENDS: Note = "weekends_only"
PART_OF_A_DAY: Note = "part_of_a_day"


class UsualDays(NamedTuple):
    """Which observations came on the kind of day that most came on; the note says which kind."""

    mine: NDArray[np.bool_]
    note: Note


def is_of_usual_days(notes: Sequence[Note]) -> bool:
    """Whether a reference with these notes knows weekdays alone, or weekends."""
    return _WEEKDAYS in notes or _WEEKENDS in notes


def is_short(notes: Sequence[Note]) -> bool:
    """Whether a reference with these notes is to be replaced by one of more days."""
    return PART_OF_A_DAY in notes or is_of_usual_days(notes)


def is_weekend(weekdays: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of each local day of the week; the first working day is 0."""
    return weekdays >= SATURDAY


def stretch(notes: Sequence[Note], weekhours: NDArray[np.uint8]) -> tuple[int, bool]:
    """How many of the next observations are on days that the reference knows, or are not; which.

    At least one; `weekhours` are local hours of the week, from the first working day's first.
    """
    if not is_of_usual_days(notes):
        return len(weekhours), True
    known = (weekhours >= SATURDAY * 24) == (_WEEKENDS in notes)
    return alike_n(known), bool(known[0])


def alike_n(known: NDArray[np.bool_]) -> int:
    """How many are as the first one; at least one is given."""
    others = np.flatnonzero(known != known[0])
    return int(others[0]) if len(others) else len(known)


def usual_days(weekdays: NDArray[np.int64]) -> UsualDays | None:
    """None where days are not known, or too few came on either kind to be a reference."""
    if (weekdays < 0).any():
        return None
    weekend = is_weekend(weekdays)
    mostly = bool(2 * np.count_nonzero(weekend) > len(weekend))
    mine = weekend == mostly
    if np.count_nonzero(mine) < LEAST_N:
        return None
    return UsualDays(mine, _WEEKENDS if mostly else _WEEKDAYS)
