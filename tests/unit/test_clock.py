"""Integers of microseconds, and a watermark that only proof moves."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.clock import Clock, from_us, seconds_to_us, to_us

FIRST, LAST = datetime(1900, 1, 1), datetime(2999, 12, 31)  # noqa: DTZ001, the zone is drawn
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@given(MOMENTS)
def test_a_moment_is_kept_to_the_microsecond(moment: datetime) -> None:
    assert from_us(to_us(moment)) == moment


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_the_offset_does_not_matter(moment: datetime, minutes: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))

    assert to_us(elsewhere) == to_us(moment)


def test_lengths_are_rounded_to_whole_microseconds() -> None:
    assert [seconds_to_us(length) for length in (0.1, 1e-7, 31_536_000)] == [
        100_000,
        0,
        31_536_000_000_000,
    ]


@given(st.lists(st.tuples(st.booleans(), st.integers(-(10**15), 10**15))))
def test_the_watermark_never_goes_back(steps: list[tuple[bool, int]]) -> None:
    clock = Clock(lateness_s=60, max_skew_s=300)
    seen = [clock.watermark_us]

    for arrived, time_us in steps:
        seen.append(clock.arrived(time_us) if arrived else clock.advance(time_us))

    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("ahead_s", "skewed"), [(-1e6, False), (0, False), (300, False), (300.000001, True)]
)
def test_a_stamp_is_wild_when_it_is_further_ahead_than_a_clock_may_be(
    ahead_s: float, skewed: bool
) -> None:
    clock = Clock(lateness_s=60, max_skew_s=300)

    assert clock.is_skewed(seconds_to_us(ahead_s), 0) is skewed


@pytest.mark.parametrize(("now_s", "lag_s"), [(0, 0), (160, 0), (161, 1), (1_060, 900)])
def test_the_lag_is_what_is_missing_from_the_promise(now_s: int, lag_s: int) -> None:
    clock = Clock(lateness_s=60, max_skew_s=300)
    clock.arrived(seconds_to_us(160))

    assert clock.lag_us(seconds_to_us(now_s)) == seconds_to_us(lag_s)
