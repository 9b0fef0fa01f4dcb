"""How much more the shares of blocks differ than chance explains, as it is measured on the way."""

import numpy as np
import pytest

from detectors.overdispersion import (
    frequent_shares,
    more_of,
    nothing_seen,
    overdispersion_of,
    ratio_of,
    ratio_told,
    together,
)

PER_DAY = 100


def ratio(cells: np.ndarray, weekdays: np.ndarray | None = None, per_day: float = 0.0) -> float:
    days = np.zeros(len(cells), dtype=np.int64) if weekdays is None else weekdays
    cells_n = int(cells.max()) + 1
    shares = frequent_shares(np.bincount(cells))
    return float(
        ratio_of(nothing_seen(cells_n, overdispersion_of(cells * 1, days)), shares, per_day)
    )


def weekdays(n: int) -> np.ndarray:
    return np.arange(n) // PER_DAY % 7


@pytest.mark.parametrize("shares", [(0.95, 0.05), (0.5, 0.3, 0.1, 0.098, 0.002)])
def test_independent_ones_are_taken_for_that_but_for_one_in_twenty(
    shares: tuple[float, ...],
) -> None:
    """One in 44 for each of two kinds of blocks."""
    rngs = map(np.random.default_rng, range(200))
    found = [ratio(rng.choice(len(shares), p=shares, size=2_000), weekdays(2_000)) for rng in rngs]

    assert sum(one > 1 for one in found) <= 16
    assert max(found) < 4


def test_four_images_of_a_patient_show_in_sixteen_in_a_row() -> None:
    rngs = map(np.random.default_rng, range(20))
    found = [ratio((rng.random(500) < 0.3).repeat(4)) for rng in rngs]

    assert 4.5 < np.mean(found) < 6.5  # in truth 4, 1.15 times that, and a standard error


def test_days_with_shares_of_their_own_show_once_there_are_enough() -> None:
    """Their ratio is 2.6. Two days say nothing, but once in a while by chance."""

    def days(seed: int, n: int) -> float:
        rng = np.random.default_rng(seed)
        shares = rng.uniform(0.2, 0.4, size=n).repeat(PER_DAY)
        return ratio(rng.random(n * PER_DAY) < shares, weekdays(n * PER_DAY))

    assert sum(days(seed, 60) > 2 for seed in range(20)) >= 18
    assert np.mean([days(seed, 2) for seed in range(20)]) < 1.2


def test_what_is_too_rare_or_always_tells_nothing() -> None:
    rare = np.zeros(2_000, dtype=np.int64)
    rare[700:709] = 1

    assert ratio(rare, weekdays(2_000)) == 1
    assert ratio(np.zeros(2_000, dtype=np.int64), weekdays(2_000)) == 1
    assert ratio(np.arange(1) * 0) == 1


def test_of_two_those_count_that_know_more_days_and_kinds_of_days_add_up() -> None:
    few, many = [[9.0, 9.0, 9.0], [1.0, 2.0, 3.0]], [[1.0, 1.0, 1.0], [4.0, 5.0, 6.0]]

    assert more_of(few, many) == more_of(many, few) == more_of((), many) == many
    assert more_of(many, ()) == many
    assert together([few, many]) == [[10.0, 10.0, 10.0], [5.0, 7.0, 9.0]]
    assert ratio_told([[0.0] * 3, [300.0, 30.0, 60.0]], (90, 10)) > 10


def test_a_mixture_that_moves_along_one_of_its_ways_counts_twice() -> None:
    """The first of three words for the second, by the day: the mean ratio is half of the worst."""

    def found(seed: int) -> float:
        rng = np.random.default_rng(seed)
        moved = rng.uniform(-0.15, 0.15, size=60).repeat(PER_DAY)
        edges = np.cumsum([0.5, 0.3])[:, None] + np.stack((moved, 0 * moved))
        return ratio((rng.random(60 * PER_DAY) > edges).sum(axis=0), weekdays(60 * PER_DAY))

    variance, n = 0.15**2 / 3, PER_DAY
    worst = 1 + n * variance * (1 / 0.5 + 1 / 0.3)
    assert np.mean([found(seed) for seed in range(20)]) > 0.9 * worst


def test_a_cell_for_what_was_never_seen_is_no_way() -> None:
    """Yes and no have one: their excess counts once."""
    rng = np.random.default_rng(3)
    shares = rng.uniform(0.2, 0.4, size=60).repeat(PER_DAY)
    sums = overdispersion_of((rng.random(len(shares)) < shares) * 1, weekdays(len(shares)))

    once = ratio_told(sums, (70, 30))

    assert ratio_told(sums, (70, 30, 0)) == once > 2
    assert ratio_told(sums, (60, 20, 20)) == pytest.approx(1 + 2 * (once - 1))


def test_days_are_taken_to_differ_by_a_tenth_in_the_logit_until_they_have_told() -> None:
    """Of a half by a fortieth, of a tenth by nine in a thousand; of 40 days it has faded."""
    halves, tenths = (np.arange(2_000) % every == 0 for every in (2, 10))

    for cells, share in ((halves, 0.5), (tenths, 0.1)):
        expected = 1 + 1_000 * (0.1 * share * (1 - share)) ** 2 / (share * (1 - share))
        assert ratio(cells * 1, per_day=1_000.0) == pytest.approx(expected, rel=0.25)
    rng = np.random.default_rng(3)
    assert ratio((rng.random(4_000) < 0.5) * 1, weekdays(4_000), 100.0) < 1.05
