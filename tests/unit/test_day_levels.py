"""Days that have levels of their own: measured, and taken out of scores."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import StateUnreadable
from detectors.day_levels import SUMS_N, DayLevels, are_sums, day_sums, observations_for

PER_DAY = 400


def drawn(days_n: int, levels_sd: float, seed: int = 1, per_day: int = PER_DAY):
    """Scores of days with levels of their own, of variance 1 in all; and their days of the week."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(0, levels_sd, days_n).repeat(per_day)
    noise = rng.normal(0, np.sqrt(1 - levels_sd**2), days_n * per_day)
    return levels + noise, np.arange(days_n).repeat(per_day) % 7


def innovations(levels: DayLevels, scores, weekdays) -> np.ndarray:
    return levels.innovations(scores, weekdays)[0]


def ratio_of_sums(scores: np.ndarray, per_day: int = PER_DAY) -> float:
    """The variance of sums of days, over that of sums of independent scores."""
    sums = scores.reshape(-1, per_day).sum(axis=1)
    return float((sums**2).mean() / per_day)


def test_sums_of_days_vary_as_those_of_independent_scores() -> None:
    """Of 200 days the ratio is known to .1: it must be below 1.3, where it was 17."""
    levels = DayLevels(day_sums(*drawn(60, 0.2), 1.0))

    scores, weekdays = drawn(200, 0.2, seed=2)
    left = innovations(levels, scores, weekdays)

    assert ratio_of_sums(scores) > 10
    assert ratio_of_sums(left) < 1.3
    assert left.std() == pytest.approx(1, abs=0.03)
    assert abs(left.mean()) < 0.02


def test_the_variance_of_levels_is_measured_on_while_scores_come() -> None:
    """Of 200 days to an eighth, and taken as much greater."""
    levels = DayLevels()
    innovations(levels, *drawn(200, 0.2))

    assert levels.variance == pytest.approx(0.04 / 0.96, rel=0.3)
    assert levels.ratio == pytest.approx(1 + PER_DAY * levels.variance, rel=0.05)


def test_of_days_that_are_alike_little_is_taken_for_a_level() -> None:
    """Chance shows one once in six; the median of those is .02 sd."""
    variances = []
    for seed in range(60):
        levels = DayLevels()
        innovations(levels, *drawn(60, 0.0, seed))
        variances.append(levels.variance)

    assert sum(one > 0.0005 for one in variances) <= 18
    assert max(variances) < 0.05**2


def test_the_first_days_are_taken_to_differ_by_a_twentieth() -> None:
    """Until there are days nothing is; the sd is that of scores, not of what they are worth."""
    sums = day_sums(*drawn(2, 0.0), 1.0)
    single, fourfold = DayLevels(sums), DayLevels(sums, variance_ratio=4.0)

    assert DayLevels().variance == 0
    assert 0.7 * 0.05**2 < single.variance < 0.05**2
    assert fourfold.variance == pytest.approx(single.variance / 4)


def test_what_depends_within_a_day_is_no_level_of_its_own() -> None:
    """Four scores a patient are one: with that known, days differ no more than by chance."""
    rng = np.random.default_rng(4)
    scores = rng.normal(size=60 * PER_DAY // 4).repeat(4)
    weekdays = np.arange(60).repeat(PER_DAY) % 7

    known, unknown = (DayLevels(day_sums(scores, weekdays, ratio), ratio) for ratio in (4.0, 1.0))

    assert known.variance < 0.0005 < unknown.variance


def test_a_shift_stands_out_against_the_first_scores_of_a_day_and_in_its_middle() -> None:
    scores, weekdays = drawn(61, 0.1)
    last = slice(60 * PER_DAY, None)
    at_first, in_the_middle = scores.copy(), scores.copy()
    at_first[60 * PER_DAY :] += 1
    in_the_middle[60 * PER_DAY + 200 :] += 1

    usual, one, other = (
        innovations(DayLevels(), moved, weekdays)[last]
        for moved in (scores, at_first, in_the_middle)
    )

    assert (one - usual)[:20].mean() > 0.85
    assert (other - usual)[200:220].mean() > 0.9
    assert (one - usual)[-20:].mean() < 0.3


@given(st.lists(st.integers(1, 150), max_size=12), st.integers(0, 3))
def test_however_scores_are_cut_they_are_the_same_bits(cuts: list[int], seed: int) -> None:
    scores, weekdays = drawn(40, 0.3, seed, per_day=30)
    whole, parts = DayLevels(), DayLevels()

    expected, told, at = innovations(whole, scores, weekdays), [], 0
    for cut in [*cuts, len(scores)]:
        part = slice(at, at + cut)
        told += innovations(parts, scores[part], weekdays[part]).tolist()
        parts, at = DayLevels.restore(json.loads(json.dumps(parts.state()))), at + cut

    assert told == expected.tolist()
    assert parts.state() == whole.state()


def test_a_shift_of_all_days_shows_in_scores_as_much_as_is_said() -> None:
    """Twice the same noise; the difference is the shift, times what each score shows of it."""
    scores, weekdays = drawn(80, 0.2)
    known = day_sums(scores, weekdays, 1.0)

    usual, shown, _ = DayLevels(known).innovations(scores[: 2 * PER_DAY], weekdays[: 2 * PER_DAY])
    moved, _, _ = DayLevels(known).innovations(scores[: 2 * PER_DAY] + 0.5, weekdays[: 2 * PER_DAY])

    assert (moved - usual)[:PER_DAY] == pytest.approx(0.5 * shown[:PER_DAY])
    assert 0 < shown.min() < 0.2 and shown[0] == shown.max() == 1
    worth, variance = (shown[:PER_DAY] ** 2).sum(), DayLevels(known).variance
    assert worth == pytest.approx(PER_DAY * (1 + variance) / (1 + PER_DAY * variance), rel=0.01)


def test_under_another_reference_what_days_have_told_goes_on() -> None:
    scores, weekdays = drawn(60, 0.2)
    levels = DayLevels()
    innovations(levels, scores, weekdays)

    other = levels.held_against([1.0] * SUMS_N, 1.0, 1.0)
    innovations(other, scores[:PER_DAY] + 5, weekdays[:PER_DAY])
    innovations(other, scores[:PER_DAY] + 5, weekdays[:PER_DAY] + 1)

    assert other.variance == pytest.approx(levels.variance, rel=0.1)
    better = [1e9, 1e9, 1e12, 1e9, 1e9, 1e12]
    assert levels.held_against(better, 1.0, 1.0).sums == better


def test_days_of_one_observation_tell_nothing() -> None:
    rng = np.random.default_rng(1)

    assert day_sums(rng.normal(size=50), np.arange(50) % 7, 1.0) == [0] * SUMS_N


def test_days_that_are_constant_are_no_error() -> None:
    levels = DayLevels()

    told = innovations(levels, np.zeros(900), np.arange(9).repeat(100))

    assert np.isfinite(told).all()
    assert levels.sums == [0] * SUMS_N


def test_a_state_of_the_first_format_is_read() -> None:
    """Three sums, the variance of levels, the weekday, n, sum and squares of two days."""
    seen = [50.0, 10.0, 30.0, 0.25, 2.0, 3.0, 1.5, 2.0, 4.0, 0.0, 1.0]
    levels = DayLevels.restore({"format": 1, "ratio": 1.0, "seen": seen})

    told = innovations(levels, np.array([1.0]), np.array([2]))

    assert levels.sums == [50.0, 10.0, 30.0, 0, 0, 0]
    known = 0.25 / (1 + 3 * 0.25)
    assert told[0] == pytest.approx((1 - known * 1.5) / ((1 + known) / 1.25) ** 0.5)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"format": 3},
        {"format": 1, "ratio": 1.0, "seen": [1.0]},
        {"format": 2, "ratio": 1.0, "seen": [0.0] * 11, "spreads": [1.0]},
    ],
)
def test_what_is_no_state_is_said_to_be_unreadable(state: dict[str, object]) -> None:
    with pytest.raises(StateUnreadable):
        DayLevels.restore(state)


@pytest.mark.parametrize(
    ("sums", "sound"),
    [([1.0, 2.0, 3.0] * 2, True), ([1.0, 2.0, 3.0], False), ([-1.0, 2.0, 3.0] * 2, False)],
)
def test_sums_are_six_and_not_negative(sums: list[float], sound: bool) -> None:
    assert are_sums(sums) is sound


def test_a_change_is_found_in_more_observations_the_more_days_differ() -> None:
    alike, little, much = (observations_for(100, 1_000, one) for one in (0.0, 0.001, 0.01))

    assert alike == 100
    assert alike < little < much < 200
    assert observations_for(2_000, 1_000, 0.01) > 19_000
