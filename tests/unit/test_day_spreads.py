"""Days that spread as no other does are measured, and squares believed as far as they tell."""

import numpy as np
import pytest

from detectors import Promise, make
from detectors.day_levels import DayLevels, day_sums

PER_DAY = 200


def drawn(days_n: int, own: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Scores of days whose sd differs by so much in the logarithm, and their hours of the week.

    Of variance 1 in all, as scores are.
    """
    rng = np.random.default_rng(seed)
    spreads = np.exp(rng.normal(0, own, days_n) - own**2).repeat(PER_DAY)
    weekhours = np.arange(days_n * PER_DAY) * 24 // PER_DAY % 168
    return rng.normal(size=days_n * PER_DAY) * spreads, weekhours


def ratio_of(scores: np.ndarray, weekhours: np.ndarray) -> float:
    """What the spreads of these days tell."""
    levels = DayLevels()
    levels.innovations(scores, weekhours)
    return levels.spread_ratio


@pytest.mark.parametrize("own", [0.1, 0.2, 0.4])
def test_the_ratio_is_that_of_the_days(own: float) -> None:
    """The mean square of a day varies by 2 / n, and its logarithm by 4 own^2 more."""
    assert ratio_of(*drawn(300, own)) == pytest.approx(
        1 + 2 * own**2 * PER_DAY, rel=0.35
    )  # and an error more


def test_where_days_are_alike_nearly_all_is_believed() -> None:
    """Chance shows something once in six; of twenty then fewer than eight, 99 % of the time."""
    ratios = [ratio_of(*drawn(60, 0.0, seed)) for seed in range(20)]

    assert sum(ratio > 1.2 for ratio in ratios) < 8
    assert max(ratios) < 2.5


def test_before_days_tell_anything_a_little_is_assumed_from_the_second_on() -> None:
    told = DayLevels().innovations(*drawn(3, 0.0)).drawn.reshape(3, -1).min(axis=1).tolist()

    assert told[:2] == [1.0, 1.0]
    assert 0.7 < told[2] < 1.0


def test_a_change_of_the_spread_is_not_taken_for_days() -> None:
    """It comes between two days, and counts as one of many pairs."""
    scores, weekhours = drawn(60, 0.0)
    scores[30 * PER_DAY :] *= 1.5

    assert (
        ratio_of(scores, weekhours) < 12 < 1 + 2 * 0.2**2 * PER_DAY
    )  # of days that differ by half as much


def test_days_of_their_own_alarm_without_it_and_not_with_it() -> None:
    """A promise of 200 days, 200 days; one alarm is allowed, three are not more than chance."""
    scores, weekhours = drawn(200, 0.15, seed=5)
    known = day_sums(*drawn(60, 0.15, seed=6))
    innovations = DayLevels(known).innovations(scores, weekhours)
    days = np.full(len(scores), 1 / PER_DAY)
    alarms = {}
    for name, believed in (("all", np.ones(0)), ("drawn", innovations.drawn)):
        detector, at, alarms[name] = make("mean_sr", Promise(200.0, PER_DAY), 2_000), 0, 0
        while at < len(scores):
            found = detector.run(scores[at:], days[at:], drawn=believed[at:])
            at = len(scores) if found is None else at + found + 1
            alarms[name] += found is not None

    assert alarms["all"] >= 10
    assert alarms["drawn"] <= 3


def test_a_spread_that_changes_for_good_is_found_all_the_same() -> None:
    scores, weekhours = drawn(60, 0.1)
    scores[40 * PER_DAY :] *= 1.5
    detector = make("mean_sr", Promise(200.0, PER_DAY), 2_000)

    known = day_sums(*drawn(60, 0.1, seed=2))
    believed = DayLevels(known).innovations(scores, weekhours).drawn
    found = detector.run(scores, np.full(len(scores), 1 / PER_DAY), drawn=believed)

    assert found is not None
    assert 0 < found - 40 * PER_DAY < 5 * PER_DAY


def test_constant_and_single_scores_tell_nothing() -> None:
    assert ratio_of(np.zeros(900), np.arange(900) * 24 // 100 % 168) == 1
    assert ratio_of(np.ones(50), np.arange(50) * 24 % 168) == 1
