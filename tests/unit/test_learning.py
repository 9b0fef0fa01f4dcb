"""When a reference is complete: by number, not before a weekend is in it, by age, or by room."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning import Learning, Settings
from streams.pace import DAY_US
from streams.seen import Seen
from streams.series_number import NumberSample

HOUR_US = DAY_US // 24
BUSY = Settings(observations=100, max_us=60 * DAY_US, least_n=50, min_us=8 * DAY_US, most_n=1_000)


def seen(ats_us: list[int]) -> Seen:
    n = len(ats_us)
    hours = np.zeros(n, np.uint8)
    return Seen(np.arange(n, dtype=float), np.full(n, 0.5), np.array(ats_us, np.int64), hours)


def completed_at(
    settings: Settings, ats_us: list[int], cuts: list[int] | None = None
) -> int | None:
    """How many observations it took, however they were cut; None if they were too few."""
    learning, took = Learning(settings, NumberSample), 0
    edges = [0, *sorted({cut % (len(ats_us) + 1) for cut in cuts or ()}), len(ats_us)]
    for start, stop in pairwise(edges):
        if start < stop:
            taken, complete = learning.take(seen(ats_us[start:stop]))
            took += taken
            if complete:
                return took
    return None


def every(step_us: int, n: int = 1_500) -> list[int]:
    return [number * step_us for number in range(n)]


@pytest.mark.parametrize(
    ("per_day", "n"),
    [(10, 100), (12.5, 101), (24, 193), (100, 801), (120, 961), (130, 100)],
    ids=["slow", "just", "busier", "busy", "very busy", "too busy to wait"],
)
def test_a_busy_series_waits_until_it_has_seen_eight_days(per_day: float, n: int) -> None:
    assert completed_at(BUSY, every(round(DAY_US / per_day))) == n


def test_unless_told_otherwise_the_number_alone_decides() -> None:
    assert completed_at(Settings(observations=100, max_us=60 * DAY_US), every(1)) == 100


def test_a_slow_series_is_complete_by_its_age() -> None:
    assert completed_at(BUSY, every(DAY_US)) == 61


@given(
    gaps_h=st.lists(st.integers(-5, 60), min_size=120, max_size=300),
    cuts=st.lists(st.integers(0, 300), max_size=8),
)
def test_however_it_is_cut_it_is_complete_at_the_same_observation(
    gaps_h: list[int], cuts: list[int]
) -> None:
    ats_us = np.cumsum(gaps_h).astype(int) * HOUR_US
    told = [int(at_us) for at_us in ats_us]

    assert completed_at(BUSY, told, cuts) == completed_at(BUSY, told, list(range(300)))


@given(gaps_h=st.lists(st.integers(0, 30), min_size=150, max_size=250))
def test_it_is_never_complete_before_it_said_it_might_be(gaps_h: list[int]) -> None:
    learning, at_us, looked_at = Learning(BUSY, NumberSample), 0, 0
    missing_n, stamp_us = learning.missing
    for number, gap_h in enumerate(gaps_h, start=1):
        at_us += gap_h * HOUR_US
        may_be = number - looked_at >= missing_n or at_us >= stamp_us
        _, complete = learning.take(seen([at_us]))
        assert may_be or not complete
        if complete:
            return
        if may_be:
            looked_at = number
            missing_n, stamp_us = learning.missing
