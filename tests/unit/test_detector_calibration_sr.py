"""Recalibration on a reference, and the bets that a score has come to mean something else."""

import numpy as np
import pytest

from detectors.calibration_sr import (
    SHIFTS,
    WEIGHTS,
    Calibration,
    bin_of,
    calibrated,
    shifted,
)
from detectors.weighted_bet import WeightedBet

DAY_US = 86_400_000_000

Scored = list[tuple[float, bool]]


def drawn(seed: int, n: int, level: float = 0.0, slope: float = 1.0) -> Scored:
    """Scores, and presence with log odds level + slope x log odds of the score."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1.5, 1.5, n)
    present = rng.random(n) < 1 / (1 + np.exp(-(level + slope * log_odds)))
    return list(zip((1 / (1 + np.exp(-log_odds))).tolist(), present.tolist(), strict=True))


def learnt(scored: Scored) -> Calibration:
    histogram: dict[int, tuple[int, int]] = {}
    for score, present in scored:
        n, present_n = histogram.get(bin_of(score), (0, 0))
        histogram[bin_of(score)] = (n + 1, present_n + present)
    return calibrated(histogram)


def alarms(calibration: Calibration, scored: Scored, days: float) -> list[tuple[int, float]]:
    """Number of each alarm at an answer a day, and the shift that explains it best."""
    bet = WeightedBet(days, WEIGHTS, len(SHIFTS))
    found = []
    for number, (score, present) in enumerate(scored):
        expected = calibration.expected(bin_of(score))
        if bet.update(present, expected, shifted(expected), number * DAY_US):
            found.append((number, SHIFTS[bet.strongest]))
    return found


@pytest.mark.parametrize(("level", "slope"), [(0.0, 1.0), (-1.0, 1.0), (0.5, 0.4), (0.0, 2.0)])
def test_a_score_that_is_off_is_recalibrated_on_the_reference(level: float, slope: float) -> None:
    found = learnt(drawn(3, 20_000, level, slope))

    assert found.slope == pytest.approx(slope, abs=4 * found.slope_se)
    assert found.level - found.slope * found.centre == pytest.approx(level, abs=0.15)


def test_the_mean_of_what_is_expected_is_what_was_observed() -> None:
    scored = drawn(4, 3_000, 0.3, 0.8)
    calibration = learnt(scored)
    middle = len(WEIGHTS) // 2

    expected = [calibration.expected(bin_of(score))[middle] for score, _ in scored]

    assert np.mean(expected) == pytest.approx(np.mean([present for _, present in scored]), abs=1e-4)


def test_the_errors_are_those_of_repeated_references() -> None:
    levels, errors = [], []
    for seed in range(80):
        found = learnt(drawn(seed, 1_500))
        levels.append(found.level - found.centre * found.slope)
        errors.append(np.hypot(found.level_se, found.centre * found.slope_se))

    assert np.std(levels) == pytest.approx(np.mean(errors), rel=0.25)


def test_in_control_the_promise_is_kept_on_average_over_the_references() -> None:
    """40 references of 500, each watched for the promised 500 days."""
    counts = [
        len(alarms(learnt(drawn(seed, 500, -0.5, 0.7)), drawn(99_000 + seed, 500, -0.5, 0.7), 500))
        for seed in range(40)
    ]

    assert np.mean(counts) <= 1 + 3 * np.std(counts) / np.sqrt(len(counts))


@pytest.mark.parametrize("shift", [-1.0, 1.0])
def test_a_shift_of_the_log_odds_is_found_and_its_direction_told(shift: float) -> None:
    calibration = learnt(drawn(7, 4_000))

    found = alarms(calibration, drawn(8, 500, level=shift), 2_000)

    assert found[0][0] < 400
    assert found[0][1] * shift > 0


def test_more_of_the_same_scores_is_no_shift() -> None:
    """Other scores than before, each still meaning what it meant: prevalence, not calibration."""
    counts = []
    for seed in range(15):
        calibration = learnt(drawn(seed, 2_000))
        high = [one for one in drawn(900 + seed, 2_000) if one[0] > 0.2]
        counts.append(len(alarms(calibration, high[:600], 600)))

    assert np.mean(counts) <= 1 + 3 * np.std(counts) / np.sqrt(len(counts))


@pytest.mark.parametrize(
    ("score", "bin_"), [(0.0, -40), (1.0, 40), (0.5, 0), (1e-9, -40), (1 - 1e-9, 40)]
)
def test_every_score_has_a_bin(score: float, bin_: int) -> None:
    assert bin_of(score) == bin_


@pytest.mark.parametrize("present_n", [0, 10])
def test_a_finding_that_is_never_or_always_present_calibrates_nothing(present_n: int) -> None:
    with pytest.raises(ValueError, match="present"):
        calibrated({0: (10, present_n)})


def test_scores_that_are_all_alike_are_a_reference() -> None:
    found = calibrated({4: (100, 25)})

    assert found.expected(4)[len(WEIGHTS) // 2] == pytest.approx(0.25, abs=0.01)


def test_scores_that_part_perfectly_are_a_reference() -> None:
    found = calibrated({-8: (100, 0), 8: (100, 100)})

    assert all(0 < p < 1 for p in found.expected(8))
    assert found.expected(8)[len(WEIGHTS) // 2] > 0.9
