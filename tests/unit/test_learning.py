"""When a reference is complete: by number or by age; and when it holds a whole week."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.pace import DAY_US
from streams.series.learning import Goal, Learning, Settings
from streams.series.number import NumberSample
from streams.series.seen import Seen

HOUR_US = DAY_US // 24
BUSY = Settings(observations=100, max_us=60 * DAY_US, week_us=8 * DAY_US, most_n=1_000)
GOALS = [BUSY.first, BUSY.week, Goal(150)]


def seen(ats_us: list[int]) -> Seen:
    n = len(ats_us)
    hours = np.zeros(n, np.uint8)
    return Seen(np.arange(n, dtype=float), np.full(n, 0.5), np.array(ats_us, np.int64), hours)


def completed_at(goal: Goal, ats_us: list[int], cuts: list[int] | None = None) -> int | None:
    """How many observations it took, however they were cut; None if they were too few."""
    learning, took = Learning(BUSY, NumberSample), 0
    edges = [0, *sorted({cut % (len(ats_us) + 1) for cut in cuts or ()}), len(ats_us)]
    for start, stop in pairwise(edges):
        if start < stop:
            taken, complete = learning.take(seen(ats_us[start:stop]), goal)
            took += taken
            if complete:
                return took
    return None


def every(step_us: int, n: int = 1_500) -> list[int]:
    return [number * step_us for number in range(n)]


@pytest.mark.parametrize("per_day", [2, 10, 1_000])
def test_the_first_is_complete_by_its_number(per_day: int) -> None:
    assert completed_at(BUSY.first, every(DAY_US // per_day)) == 100


def test_that_of_a_slow_series_by_its_age() -> None:
    assert completed_at(BUSY.first, every(DAY_US)) == 61


@pytest.mark.parametrize(("per_day", "n"), [(24, 193), (120, 961), (130, 1_000)])
def test_a_whole_week_is_eight_days_or_as_many_as_there_is_room_for(per_day: int, n: int) -> None:
    assert completed_at(BUSY.week, every(round(DAY_US / per_day))) == n


@pytest.mark.parametrize(
    ("per_day", "holds"),
    [(10, True), (12.3, True), (13, False), (120, False), (130, True)],
    ids=["slow", "just", "busy", "very busy", "too busy to wait"],
)
def test_the_first_holds_a_week_if_it_took_one_or_if_none_can_be_had(
    per_day: float, holds: bool
) -> None:
    learning = Learning(BUSY, NumberSample)
    learning.take(seen(every(round(DAY_US / per_day), 100)), BUSY.first)

    assert learning.holds_week is holds


def test_a_new_sample_has_a_pace_of_its_own() -> None:
    learning = Learning(BUSY, NumberSample)
    learning.take(seen(every(DAY_US, 50)), BUSY.first)

    learning.begin()
    learning.take(seen([100 * DAY_US, 101 * DAY_US]), BUSY.first)

    assert learning.pace.elapsed_us == DAY_US


@given(
    goal=st.sampled_from(GOALS),
    gaps_h=st.lists(st.one_of(st.integers(-5, 60), st.just(1_500)), min_size=120, max_size=300),
    cuts=st.lists(st.integers(0, 300), max_size=8),
)
def test_however_it_is_cut_it_is_complete_at_the_same_observation(
    goal: Goal, gaps_h: list[int], cuts: list[int]
) -> None:
    ats_us = np.cumsum(gaps_h).astype(int) * HOUR_US
    told = [int(at_us) for at_us in ats_us]

    assert completed_at(goal, told, cuts) == completed_at(goal, told, list(range(300)))


@given(goal=st.sampled_from(GOALS), gaps_h=st.lists(st.integers(0, 30), min_size=150, max_size=250))
def test_it_is_never_complete_before_it_said_it_might_be(goal: Goal, gaps_h: list[int]) -> None:
    learning, at_us, looked_at = Learning(BUSY, NumberSample), 0, 0
    missing_n, stamp_us = learning.missing(goal)
    for number, gap_h in enumerate(gaps_h, start=1):
        at_us += gap_h * HOUR_US
        may_be = number - looked_at >= missing_n or at_us >= stamp_us
        _, complete = learning.take(seen([at_us]), goal)
        assert may_be or not complete
        if complete:
            return
        if may_be:
            looked_at = number
            missing_n, stamp_us = learning.missing(goal)
