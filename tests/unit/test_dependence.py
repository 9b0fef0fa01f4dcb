"""How far values depend on each other, and whether a sample was changing while it was taken."""

import numpy as np
import pytest

from detectors._normal import quantiles, spreads
from detectors.dependence import dependence, dependence_of_both, dependence_of_categories
from detectors.stability import is_stable, stability


def autoregressive(seed: int, n: int, phi: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = [rng.normal() / (1 - phi**2) ** 0.5]
    for fresh in rng.normal(size=n - 1):
        values.append(phi * values[-1] + fresh)
    return np.array(values) * (1 - phi**2) ** 0.5


def test_independent_values_are_left_alone_but_for_one_in_ten() -> None:
    """The gate is an excess of .2, 1.5 standard errors; what passes is shrunk by little."""
    found = [dependence(np.random.default_rng(seed).normal(size=2_000)) for seed in range(100)]

    assert sum(one.ratio > 1 for one in found) <= 16
    assert max(one.ratio for one in found) < 2
    assert all(one.promised for one in found)


@pytest.mark.parametrize(("phi", "ratio"), [(0.3, 1.86), (0.6, 4.0)])
def test_the_ratio_is_that_of_the_mean(phi: float, ratio: float) -> None:
    """(1 + phi) / (1 - phi), and 1.15 times that for blocks that are too short."""
    found = [dependence(autoregressive(seed, 2_000, phi)) for seed in range(20)]

    assert np.mean([one.ratio for one in found]) == pytest.approx(1.1 * ratio, rel=0.15)
    assert all(one.promised and one.effective_n == 2_000 / one.ratio for one in found)


def test_blocks_grow_until_they_show_all_of_a_long_memory() -> None:
    found = [dependence(autoregressive(seed, 8_000, 0.95)) for seed in range(10)]

    assert sum(one.block_n >= 32 for one in found) >= 9
    assert 20 < np.median([one.ratio for one in found]) < 60  # in truth 39


def test_a_wandering_sensor_is_watched_and_not_promised() -> None:
    assert not dependence(np.cumsum(np.random.default_rng(2).normal(size=2_000))).promised
    assert not dependence(autoregressive(4, 2_000, 0.99)).promised


def test_the_error_of_a_cycle_that_was_taken_out_counts() -> None:
    scores = np.random.default_rng(0).normal(size=2_000)

    assert dependence(scores).ratio == 1
    assert dependence(scores, cycles_n=4).ratio == 1.25
    assert dependence(scores, cycles_n=4).effective_n == 1_600


def test_a_level_that_wanders_need_not_have_a_spread_that_does() -> None:
    rng = np.random.default_rng(5)
    wandering = np.cumsum(rng.normal(size=2_000)) * 0.01 + rng.normal(size=2_000)
    restless = rng.normal(size=2_000) * np.repeat(rng.choice([0.3, 1.0, 3.0], size=40), 50)

    of_level, of_spread = dependence_of_both(wandering), dependence_of_both(restless)

    assert of_level.ratio > 5 > 2 * of_level.spread_ratio
    assert of_spread.spread_ratio > 10 > 2 * of_spread.ratio


def test_of_few_values_the_ratio_is_taken_farther_above_its_estimate() -> None:
    few, many = (
        np.mean([dependence(autoregressive(seed, n, 0.5)).ratio for seed in range(60)])
        for n in (999, 1_000)
    )

    assert few / many == pytest.approx(1.1, abs=0.01)


class TestCategories:
    def test_independent_ones_have_a_ratio_near_1(self) -> None:
        rngs = map(np.random.default_rng, range(40))
        found = [
            dependence_of_categories(rng.choice(5, size=2_000, p=[0.5, 0.3, 0.1, 0.098, 0.002]))
            for rng in rngs
        ]

        assert np.mean([one.ratio for one in found]) < 1.15
        assert all(one.promised and one.ratio >= 1 for one in found)

    def test_four_images_of_a_patient_are_worth_one(self) -> None:
        rngs = map(np.random.default_rng, range(10))
        found = [dependence_of_categories((rng.random(500) < 0.3).repeat(4) * 1) for rng in rngs]

        assert 3.5 < np.mean([one.ratio for one in found]) < 5.5
        assert all(one.promised for one in found)

    def test_sittings_without_end_are_watched_and_not_promised(self) -> None:
        wanders = autoregressive(4, 2_000, 0.995) > 0

        assert not dependence_of_categories(wanders * 1).promised
        assert not dependence_of_categories(np.arange(2_000) // 1_000).promised

    def test_shares_that_follow_the_hour_show_in_quarters_of_a_busy_day(self) -> None:
        rngs = [np.random.default_rng(seed) for seed in range(20)]
        place = np.arange(8_000)
        shares = 0.1 + 0.05 * np.sin(2 * np.pi * place / 1_000)
        follows = [(rng.random(8_000) < shares) * 1 for rng in rngs]
        steady = [(rng.random(8_000) < 0.1) * 1 for rng in rngs]

        seen = [dependence_of_categories(cells, 1_000) for cells in follows]
        unseen = [dependence_of_categories(cells) for cells in follows]
        none = [dependence_of_categories(cells, 1_000) for cells in steady]

        assert min(one.ratio for one in seen) > 2 > max(one.ratio for one in unseen)
        assert sum(one.ratio > 1 for one in none) <= 4
        assert all(one.promised for one in (*seen, *none))

    @pytest.mark.parametrize("n", [1, 49, 50, 2_000])
    def test_one_category_alone_depends_on_nothing(self, n: int) -> None:
        found = dependence_of_categories(np.zeros(n, dtype=np.int64))

        assert (found.ratio, found.promised) == (1, n >= 50)


@pytest.mark.parametrize("scores", [[0.0], [1.0] * 500, [1.0, -1.0] * 10])
def test_short_and_constant_samples_have_no_dependence(scores: list[float]) -> None:
    found = dependence(np.array(scores))

    assert found.ratio == 1
    assert found.promised == (len(scores) >= 50)


def test_one_stable_sample_in_a_thousand_is_taken_for_a_changing_one() -> None:
    independent = [np.random.default_rng(seed).normal(size=1_000) for seed in range(300)]
    dependent = [autoregressive(seed, 1_000, 0.3) for seed in range(100)]

    assert sum(not stability(scores).stable for scores in independent) <= 2
    assert sum(not stability(scores).stable for scores in dependent) <= 2


@pytest.mark.parametrize("seed", range(3))
def test_a_sample_that_changed_or_drifted_or_was_contaminated_is_told(seed: int) -> None:
    rng = np.random.default_rng(seed)
    place, values = np.arange(2_000), rng.normal(size=2_000)

    assert is_stable(values)
    assert not is_stable(values + 0.4 * (place > 1_200))
    assert not is_stable(values + place / 2_000)
    assert not is_stable(np.exp(values * (1 + 0.4 * (place < 700))))
    assert not is_stable(np.where(place > 1_900, 1.5, values))


def test_it_says_where_and_in_what_a_sample_changed() -> None:
    scores = np.random.default_rng(5).normal(size=2_000)
    moved, wider = scores.copy(), scores.copy()
    moved[1_400:] += 0.6
    wider[:600] *= 1.7

    by_mean, by_spread = stability(moved), stability(wider)

    assert (by_mean.form, by_spread.form) == ("mean", "spread")
    assert abs(by_mean.changed_at - 1_400) < 60
    assert abs(by_spread.changed_at - 600) < 60


def test_ties_and_constants_are_stable() -> None:
    assert is_stable(np.ones(500))
    assert is_stable((np.random.default_rng(1).random(2_000) < 0.05).astype(float))


def test_spread_turns_a_wider_distribution_into_a_higher_mean() -> None:
    scores = np.random.default_rng(2).normal(size=20_000)

    assert spreads(scores).mean() == pytest.approx(0, abs=0.03)
    assert spreads(scores).std() == pytest.approx(1, abs=0.03)
    assert spreads(1.5 * scores).mean() > 0.35
    assert np.isfinite(spreads(np.array([0.0, 40.0, -40.0]))).all()


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    from statistics import NormalDist

    shares = np.concatenate([np.geomspace(1e-12, 0.5, 500), np.linspace(0.5, 1 - 1e-9, 500)])
    exact = [NormalDist().inv_cdf(share) for share in shares.tolist()]

    assert quantiles(shares) == pytest.approx(exact, abs=2e-5)
