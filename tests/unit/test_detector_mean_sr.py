"""MeanSR is the statistic its docstring says: Bayes factors of a shift, summed over its starts."""

from math import exp, pi, sqrt

import numpy as np
import pytest

from detectors import make

M = 200


def bayes_factor(scores: list[float], began: int) -> float:
    """By numerical integration over the shift, from the difference of the two means."""
    before, since = scores[:began], scores[began:]
    difference = sum(since) / len(since) - sum(before) / (M + began)
    variance = 1 / len(since) + 1 / (M + began)
    shifts = np.linspace(-6, 6, 24_001)
    likelihood = np.exp(-((difference - shifts) ** 2) / (2 * variance))
    prior = np.exp(-((shifts / 0.5) ** 2) / 2) / (0.5 * sqrt(2 * pi))
    shifted = float((likelihood * prior).sum() * (shifts[1] - shifts[0]))
    return shifted / exp(-(difference**2) / (2 * variance))


def test_it_sums_the_bayes_factors_of_all_starts_while_none_had_to_go() -> None:
    scores = np.random.default_rng(5).normal(0.2, 1, size=24 * 8).tolist()
    detector = make("mean_sr", 1e9, M)

    assert detector.run(scores) is None

    expected = sum(8 * bayes_factor(scores, began) for began in range(0, len(scores), 8))
    assert detector.statistic == pytest.approx(expected, rel=1e-6)


def test_starts_that_had_to_go_leave_their_evidence() -> None:
    """Each of 400 unshifted streams has E[M] = 400 after 400 scores: half the starts are gone."""
    rng = np.random.default_rng(8)
    evidence = []
    for _ in range(400):
        detector = make("mean_sr", 1e12, M)
        level = rng.normal(scale=1 / sqrt(M))
        assert detector.run((level + rng.normal(size=400)).tolist()) is None
        evidence.append(detector.statistic)

    assert len(detector.state()["starts"][0]) == 24
    error = np.std(evidence) / 20
    assert abs(np.mean(evidence) - 400) < 3 * error
    assert error < 60
