"""The two detectors from River decide as River does, and say why in River's own terms."""

from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.drift import ADWIN, PageHinkley
from river.stats import Mean

from detectors import (
    Dependence,
    Detector,
    Promise,
    StateUnreadable,
    _river_window,
    adwin,
    make,
    page_hinkley,
    restore,
)

PROMISE = Promise(days=500.0, per_day=200.0)


def drawn(seed: int, n: int, shift: float = 0.0) -> list[float]:
    return (np.random.default_rng(seed).normal(size=n) + shift).tolist()


def run(detector: Detector, scores: list[float]) -> int | None:
    return detector.run(np.array(scores), np.zeros(len(scores)))


def first_alarm_of_river(detector: Any, scores: list[float]) -> int | None:
    for index, score in enumerate(scores):
        detector.update(score)
        if detector.drift_detected:
            return index
    return None


@pytest.mark.parametrize("seed", range(5))
def test_adwin_alarms_where_river_does(seed: int) -> None:
    """River's public class, fed the same stand-in for the reference and the same scores."""
    scores = drawn(seed, 200) + drawn(100 + seed, 400, 0.6)
    river = ADWIN(delta=300 / 1e5, clock=8)
    assert adwin._adwin(adwin._reference_window(500)).get_width() == 500
    river._helper.__setstate__(
        _river_window.with_settings(adwin._reference_window(500), 300 / 1e5, 8)
    )

    expected = first_alarm_of_river(river, [10 * score for score in scores])

    assert expected is not None
    assert run(make("adwin", PROMISE, 500), scores) == expected


def test_the_stand_in_for_a_reference_has_its_mean_and_variance_and_no_change_in_it() -> None:
    for n in (50, 500, 2000):
        window = adwin._reference_window(n)
        river = ADWIN()
        river._helper.__setstate__(window)

        assert abs(river.estimation) < 0.1 * 10 / sqrt(n)
        assert 0.94 < river.variance / n / 100 < 1.01
        strict = _river_window.with_settings(window, 0.3, 8)
        assert _river_window.strongest_cut(strict).ratio < 0.3


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(1, 60), shift=st.sampled_from([0.0, 1.5]))
def test_the_strongest_cut_is_beyond_chance_exactly_when_river_cuts(
    seed: int, n: int, shift: float
) -> None:
    values = [10 * score for score in drawn(seed, 40) + drawn(seed + 1, n, shift)]
    unchecked = ADWIN(delta=0.01, clock=_river_window.NEVER)
    checked = ADWIN(delta=0.01, clock=len(values))
    for value in values:
        unchecked.update(value)
        checked.update(value)

    ratio, _ = _river_window.strongest_cut(unchecked._helper.__getstate__())

    # River may cut once more than theory: it looks again after each bucket it drops.
    assert checked.drift_detected == (ratio > 1)


def test_a_window_of_another_river_is_unreadable() -> None:
    state = make("adwin", PROMISE, 500).state()

    for changed in ({"river": "0.0.1"}, {"window": b"short"}, {"window": state["window"] + b"\0"}):
        with pytest.raises(StateUnreadable):
            restore("adwin", PROMISE, 500, {**state, **changed})


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [0.7, -0.7])
def test_page_hinkley_is_the_test_of_the_textbook(seed: int, shift: float) -> None:
    """Sums of deviations from a running mean that knows m scores of mean 0."""
    scores = drawn(seed, 200) + drawn(100 + seed, 400, shift)
    tolerance, threshold = 0.25 + 1.64 / sqrt(500), page_hinkley.siegmund_threshold(1e5, 0.25)
    total, n, up, down, expected = 0.0, 500, 0.0, 0.0, None
    for index, score in enumerate(scores):
        n, total = n + 1, total + score
        deviation = score - total / n
        up, down = max(0.0, up + deviation - tolerance), max(0.0, down - deviation - tolerance)
        if max(up, down) > threshold:
            expected = index
            break

    detector = make("page_hinkley", PROMISE, 500)

    assert expected is not None
    assert run(detector, scores) == expected
    assert detector.statistic == pytest.approx(max(up, down))


@pytest.mark.parametrize(
    ("arl", "threshold"), [(1e4, 14.5), (1e5, 19.1), (1e6, 23.7), (1e7, 28.3), (1e8, 32.9)]
)
def test_thresholds_are_those_of_siegmund(arl: float, threshold: float) -> None:
    assert page_hinkley.siegmund_threshold(arl, 0.25) == pytest.approx(threshold, abs=0.06)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [-0.7, 0.6])
def test_page_hinkley_has_the_bits_of_river(seed: int, shift: float) -> None:
    scores = drawn(seed, 300) + drawn(100 + seed, 400, shift)
    river: Any = PageHinkley(
        delta=0.25 + 1.64 / sqrt(500),
        threshold=page_hinkley.siegmund_threshold(1e5, 0.25),
        alpha=1.0,
    )
    river._x_mean = Mean()
    river._x_mean.n = 500.0
    river._min_increase = river._max_decrease = 0.0
    detector = make("page_hinkley", PROMISE, 500)

    for place, score in enumerate(scores):
        river.update(score)
        assert (run(detector, [score]) is not None) == river.drift_detected
        if river.drift_detected:
            assert place > 300
            return
        state = detector.state()
        assert state["mean"] == [river._x_mean.n, river._x_mean.get()]
        assert state["increase"] == [river._sum_increase, river._min_increase]
        assert state["decrease"] == [river._sum_decrease, river._max_decrease]
    pytest.fail("no alarm")


@pytest.mark.parametrize("kind", ["adwin", "page_hinkley"])
def test_a_run_length_shorter_than_was_measured_becomes_the_shortest_that_was(kind: str) -> None:
    scores = drawn(3, 100) + drawn(4, 200, 1.0)

    expected = run(make(kind, Promise(10.0, 100.0), 500), scores)

    assert expected is not None
    assert run(make(kind, Promise(1.0, 10.0), 500), scores) == expected


def test_adwin_abstains_where_values_depend_on_each_other() -> None:
    dependence = Dependence(ratio=1.5, block_n=8, effective_n=333.0, promised=True)
    scores = drawn(8, 150) + drawn(9, 300, 3.0)
    detector = make("adwin", PROMISE, 500, dependence)

    assert run(detector, scores) is None
    assert detector.statistic < detector.threshold
