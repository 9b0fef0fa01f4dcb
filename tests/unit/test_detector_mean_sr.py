"""MeanSR is the statistic its docstring says: Bayes factors of a shift, summed over its starts."""

import json
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

from detectors import Dependence, Promise, make, restore

GOLDEN = Path(__file__).parents[1] / "golden" / "detectors"
M = 200
NEVER = Promise(1e12, 1.0)
SHIFTS = {0.125: 0.05, 0.25: 0.2, 0.5: 0.55, 1.0: 0.15, 2.0: 0.05}
SPREADS = {1.2: 0.3, 1.5: 0.2, 1 / 1.2: 0.3, 1 / 1.5: 0.2}


def level_factor(scores: np.ndarray, began: int, shown: np.ndarray | None = None) -> float:
    """From the density of the difference of two means, given each shift to either side.

    Means are those of what each score says of the level, weighed by how much it says.
    """
    parts = np.ones(len(scores)) if shown is None else shown
    said, worth = parts * scores, parts**2
    since_worth, before_worth = worth[began:].sum(), M + worth[:began].sum()
    difference = said[began:].sum() / since_worth - said[:began].sum() / before_worth
    variance = 1 / since_worth + 1 / before_worth

    def density(shift: float) -> float:
        return exp(-((difference - shift) ** 2) / (2 * variance))

    shifted = sum(w * (density(d) + density(-d)) / 2 for d, w in SHIFTS.items())
    return shifted / density(0)


def spread_factor(scores: np.ndarray, began: int) -> float:
    """From the density of the ratio of the two sums of squares, an F, given each spread."""
    before, since = M + (scores[:began] ** 2).sum(), (scores[began:] ** 2).sum()
    s, b = len(scores) - began, M + began

    def log_density(ratio: float) -> float:
        return (s / 2 - 1) * log(ratio) - (s + b) / 2 * log(1 + ratio)

    ratio = since / before
    return sum(
        w * exp(log_density(ratio / sd**2) - log(sd**2) - log_density(ratio))
        for sd, w in SPREADS.items()
    )


def evidence(scores: np.ndarray, began: int, shown: np.ndarray | None = None) -> float:
    return 0.9 * level_factor(scores, began, shown) + 0.1 * spread_factor(scores, began)


def fading(n: int) -> np.ndarray:
    """What a score shows of a shift, ever less in the course of each day of 50."""
    return 1 / (1 + 0.1 * (np.arange(n) % 50))


@pytest.mark.parametrize("shown", [np.ones(24 * 8), fading(24 * 8)], ids=["all", "parts"])
def test_it_sums_the_bayes_factors_of_all_starts_weighed_by_the_days_before_them(
    shown: np.ndarray,
) -> None:
    rng = np.random.default_rng(5)
    scores, days = rng.normal(0.2, 1.3, size=24 * 8), rng.exponential(size=24 * 8)
    detector = make("mean_sr", NEVER, M)

    assert detector.run(scores, days, shown) is None

    expected, newest = 0.0, 0.0
    for began in range(0, len(scores), 8):
        weight, newest = days[: began + 1].sum() - newest, days[: began + 1].sum()
        expected += weight * evidence(scores, began, shown)
    assert detector.statistic == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shown", [np.ones(1_200), fading(1_200)], ids=["all", "parts"])
@pytest.mark.parametrize("seed", range(6))
def test_it_alarms_at_the_first_observation_at_which_the_threshold_is_reached(
    seed: int, shown: np.ndarray
) -> None:
    """Though the evidence is seldom looked at: as one does that looks at it each time."""
    rng = np.random.default_rng([seed, 6])
    scores, days = rng.normal(size=1_200), rng.uniform(size=1_200)
    scores[600:] *= 1 + seed % 2 / 2
    scores[700:] += 0.3 * (seed % 3 - 1)
    scores[::97] = 5
    threshold = Promise(1_000.0, 1.0)
    asked, expected = make("mean_sr", NEVER, M), []
    for place in range(len(scores)):
        asked.run(*(column[place : place + 1] for column in (scores, days, shown)))
        if asked.statistic >= threshold.days:
            expected.append(place)
            asked = make("mean_sr", NEVER, M)

    detector, found, at = make("mean_sr", threshold, M), [], 0
    while (index := detector.run(scores[at:], days[at:], shown[at:])) is not None:
        at += index + 1
        found.append(at - 1)

    assert found == expected != []


def test_what_shows_all_of_a_shift_is_the_same_bits_as_what_says_nothing_of_it() -> None:
    scores = np.random.default_rng(9).normal(0.1, 1, size=700)
    silent, told = make("mean_sr", NEVER, M), make("mean_sr", NEVER, M)

    silent.run(scores, np.ones(700))
    told.run(scores, np.ones(700), np.ones(700))

    assert silent.state() == told.state()


def test_a_reference_that_is_worth_less_makes_a_small_shift_later_to_believe() -> None:
    scores, found = np.random.default_rng(9).normal(0.4, 1, size=4_000), []
    for effective_n in (2_000.0, 200.0):
        dependence = Dependence(1.0, 1, effective_n, promised=True)
        detector = make("mean_sr", Promise(1e4, 1.0), 2_000, dependence)
        found.append(detector.run(scores, np.ones(4_000)))

    few, many = found[1], found[0]
    assert few is not None and many is not None and few > many


def test_what_is_certain_to_have_no_evidence_is_left_out() -> None:
    """Long ago begun and long in control: factors too small to be divided by."""
    scores = np.random.default_rng(1).normal(size=40_000)
    scores[39_900:] += 1
    detector = make("mean_sr", Promise(1e6, 1.0), 2_000)

    alarm = detector.run(scores, np.ones(40_000))

    assert alarm is not None and 39_900 < alarm < 39_960
    assert np.isfinite(detector.statistic)


@pytest.mark.parametrize(
    ("pace", "shown"), [(0.1, np.ones(34)), (7.0, np.ones(34)), (1.0, fading(54)[20:])]
)
def test_in_control_the_evidence_is_worth_the_days_gone_by(pace: float, shown: np.ndarray) -> None:
    """E[M] over 3,000 unshifted streams of 34 scores: the last start has 33 days before it.

    Level and spread of the scores are as uncertain as the reference.
    """
    rng = np.random.default_rng(8)
    worth = []
    for _ in range(3_000):
        detector = make("mean_sr", NEVER, M)
        mean, sd = rng.normal(scale=1 / M**0.5), (M / rng.chisquare(M)) ** 0.5
        scores = shown * mean + sd * rng.normal(size=34)
        assert detector.run(scores, np.full(34, pace), shown) is None
        worth.append(detector.statistic / pace)

    error = np.std(worth) / 3_000**0.5
    assert np.mean(worth) == pytest.approx(33, abs=3 * error)
    assert error < 2


def test_starts_that_had_to_go_leave_their_evidence() -> None:
    """After 500 scores a third of the starts is gone; the sum over all of them is hardly less."""
    rng = np.random.default_rng(12)
    shares = []
    for _ in range(4):
        scores = rng.normal(0.1, 1, size=500)
        detector = make("mean_sr", NEVER, M)
        assert detector.run(scores, np.ones(500)) is None
        of_all = sum((8 if began else 1) * evidence(scores, began) for began in range(0, 500, 8))
        shares.append(detector.statistic / of_all)

    assert len(detector.state()["began"]) <= 32 < 500 / 8
    assert 0.7 < min(shares) <= max(shares) < 1.4


def test_more_scores_a_day_are_not_more_alarms_a_day_than_promised() -> None:
    """The promise is one of days: 40 times the pace, measured in the same days."""
    found = 0
    rng = np.random.default_rng(9)
    for _ in range(40):
        detector, scores = make("mean_sr", Promise(100.0, 1.0), 500), rng.normal(size=4_000)
        scores += rng.normal(scale=1 / 500**0.5)
        at = 0
        while (index := detector.run(scores[at:], np.full(4_000 - at, 1 / 40))) is not None:
            at, found = at + index + 1, found + 1

    assert found <= 40


def test_silence_alone_is_no_alarm() -> None:
    detector = make("mean_sr", Promise(30.0, 100.0), 500)
    scores = np.random.default_rng(2).normal(size=64)

    assert detector.run(scores[:32], np.full(32, 0.01)) is None
    assert detector.run(scores[32:], np.array([90.0, *[0.01] * 31])) is None
    assert detector.statistic < 15


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_a_change_of_spread_is_found(factor: float) -> None:
    found = []
    for seed in range(10):
        scores = np.random.default_rng([seed, 4]).normal(size=1_000)
        scores[300:] *= factor
        detector = make("mean_sr", Promise(1e5, 1.0), 2_000)
        found.append(detector.run(scores, np.ones(1_000)))

    assert 300 < min(found) <= max(found) < 500


def test_dependence_shrinks_the_scores_and_not_what_is_said_of_their_spread() -> None:
    """Four observations that are worth one each: a spread score is one of what was not shrunk."""
    dependence = Dependence(4.0, block_n=8, effective_n=500.0, promised=True, spread_ratio=4.0)
    detector = make("mean_sr", Promise(1e4, 1.0), 2_000, dependence)
    scores = np.repeat(np.random.default_rng(3).normal(size=1_000), 4) / 2

    assert detector.run(scores, np.ones(4_000)) is None


def test_a_spread_that_does_not_depend_is_seen_behind_a_level_that_does() -> None:
    """Nine values in a row, all beyond the reference, where the level wanders slowly."""
    scores = np.random.default_rng(7).normal(size=400)
    scores[391:] = np.where(np.arange(9) % 2, 3.2, -3.2)
    found = []
    for spread_ratio in (1.0, 40.0):
        dependence = Dependence(40.0, 256, 50.0, promised=False, spread_ratio=spread_ratio)
        detector = make("mean_sr", Promise(1e4, 288.0), 2_000, dependence)
        found.append(detector.run(scores / 40**0.5, np.full(400, 1 / 288)))

    assert found[0] is not None and found[0] > 391
    assert found[1] is None


@pytest.mark.parametrize(("form", "spread"), [(2, 1.0), (3, 1.5), (4, 1.5)])
def test_a_state_of_an_older_format_goes_on_with_all_its_evidence(form: int, spread: float) -> None:
    """And alarms no later. Of format 2 an observation was kept apart."""
    scores = np.random.default_rng(31).normal(size=500)
    scores[280:] *= spread
    scores[400:] += 1
    golden = json.loads((GOLDEN / f"mean_sr-{form}.json").read_text())

    detector = restore("mean_sr", Promise(1e5, 1.0), 2_000, golden["state"])
    evidence_then = detector.statistic
    alarm = detector.run(scores[301:], np.ones(199))

    assert evidence_then == pytest.approx(golden["evidence"], rel=0.1 if form == 2 else 1e-9)
    assert alarm is not None and alarm <= golden["alarm"] + 2
