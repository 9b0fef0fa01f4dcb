"""Days with a level of their own are seen, and few others."""

import numpy as np
import pytest

from detectors.day_levels import ratio_of_days
from detectors.standard import Standard

DAYS_N = 8


def ratios(own: float, per_day: int, n: int = 100) -> np.ndarray:
    rng = np.random.default_rng([8, per_day])
    hours = np.arange(DAYS_N * per_day) * 24 // per_day
    levels = own * rng.normal(size=(n, DAYS_N))
    noises = rng.normal(size=(n, len(hours)))
    told = [
        ratio_of_days(noise + level[hours // 24], hours % 168)
        for noise, level in zip(noises, levels, strict=True)
    ]
    return np.array(told)


def test_days_alike_show_nothing_but_once_in_ten() -> None:
    assert (ratios(0.0, 1_000) > 1).mean() <= 0.15
    assert ratios(0.0, 1_000).mean() < 1.4


@pytest.mark.parametrize(("own", "per_day"), [(0.1, 1_000), (0.2, 250)])
def test_days_of_their_own_show_and_are_taken_no_smaller_than_they_are(
    own: float, per_day: int
) -> None:
    told = ratios(own, per_day)

    assert (told > 1).mean() > 0.95
    assert told.mean() > 1 + per_day * own**2


def test_too_few_days_tell_nothing() -> None:
    hours = np.repeat([10, 34], 1_000)
    values = np.random.default_rng(1).normal(size=2_000) + 0.3 * (hours > 24)

    assert ratio_of_days(values, hours, 1.25) == 1.25


def test_shifts_of_a_day_are_seen_as_well() -> None:
    rng = np.random.default_rng(2)
    hours = np.arange(DAYS_N * 600) * 24 // 600
    shifts = 0.2 * rng.normal(size=4 * DAYS_N)[hours // 6]

    assert ratio_of_days(rng.normal(size=len(hours)) + shifts, hours % 168) > 5


def test_scores_are_worth_as_much_as_their_days() -> None:
    """The means of later days, of scores, spread as those of independent ones would, or less."""
    rng = np.random.default_rng(3)
    hours = np.arange(60 * 500) * 24 // 500
    values = rng.normal(size=len(hours)) + 0.15 * rng.normal(size=60)[hours // 24]
    draws, known_n = rng.random(len(hours)), DAYS_N * 500
    weekhours = hours % 168

    standard = Standard.learn(values[:known_n], draws[:known_n], weekhours[:known_n])
    scores = standard.scores(values[known_n:], draws[known_n:], weekhours[known_n:])

    assert scores.reshape(-1, 500).mean(axis=1).var() * 500 < 1.5
