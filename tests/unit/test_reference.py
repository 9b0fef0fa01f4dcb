"""The frozen reference and its normal scores."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import StateUnreadable
from detectors.reference import Reference, spread
from detectors.uniform import uniform

finite = st.floats(allow_nan=False, allow_infinity=False)
some_values = st.lists(finite | st.sampled_from([0.0, 1.0, 2.5]), min_size=1, max_size=40)
fair = st.integers(0, 2**32 - 1).map(lambda i: (i + 0.5) / 2**32)


def as_float32(values: list[float]) -> np.ndarray:
    largest = float(np.finfo(np.float32).max)
    return np.clip(np.array(values), -largest, largest).astype(np.float32)


@given(some_values, finite | st.sampled_from([0.0, 1.0, 2.5]), fair)
def test_the_score_is_that_of_the_formula(values: list[float], value: float, v: float) -> None:
    sample, single = as_float32(values), as_float32([value])[0]
    below, equal = int((sample < single).sum()), int((sample == single).sum())
    rank = (below + v * (equal + 1)) / (len(values) + 1)

    assert Reference(values).score(value, v) == NormalDist().inv_cdf(rank)


@given(some_values, st.lists(st.tuples(finite, fair), max_size=40))
def test_many_scores_are_the_same_bits_as_one_by_one(
    values: list[float], pairs: list[tuple[float, float]]
) -> None:
    reference = Reference(values)

    together = reference.scores([value for value, _ in pairs], [v for _, v in pairs])

    assert together == [reference.score(value, v) for value, v in pairs]


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.lognormal(sigma=2, size=n),
        lambda rng, n: rng.integers(0, 3, size=n),
        lambda rng, n: rng.random(n) < 0.05,
        lambda rng, n: np.zeros(n),
    ],
    ids=["normal", "lognormal", "three values", "rare", "constant"],
)
def test_in_control_scores_are_standard_normal_whatever_the_data(draw) -> None:
    """One score against each of 4,000 references: ten equal classes, chi-squared(9) < 27.9."""
    rng = np.random.default_rng(11)
    scores = [
        Reference(map(float, draw(rng, 50))).score(float(draw(rng, 1)[0]), rng.random())
        for _ in range(4_000)
    ]
    shares = np.array([NormalDist().cdf(score) for score in scores])
    counts, _ = np.histogram(shares, bins=10, range=(0, 1))

    assert ((counts - 400) ** 2 / 400).sum() < 27.9


def test_equal_raw_values_are_equal_in_the_reference() -> None:
    """0.168 is no float32: it must still tie with itself, and so stay within its rank."""
    reference = Reference([0.143] * 300 + [0.168] * 700)

    lowest, highest = reference.score(0.168, 1e-9), reference.score(0.168, 1 - 1e-9)

    assert lowest == pytest.approx(NormalDist().inv_cdf(300 / 1001), abs=1e-3)
    assert highest > 3


def test_scores_stay_finite_at_the_ends() -> None:
    reference = Reference([1.0] * 2000)
    tiny, almost_one = 2.0**-60, 1 - 2.0**-53

    assert -10 < reference.score(-1e300, tiny) < reference.score(1e300, almost_one) < 10
    assert np.isfinite(reference.scores([1e300] * 20, [almost_one] * 20)).all()


@given(some_values)
def test_a_record_gives_the_same_reference(values: list[float]) -> None:
    reference = Reference(values)
    read = Reference.from_bytes(reference.to_bytes())

    assert (read.n, read.mean, read.sd) == (reference.n, reference.mean, reference.sd)
    assert read.to_bytes() == reference.to_bytes()
    assert read.score(values[0], 0.25) == reference.score(values[0], 0.25)


def test_a_record_is_little_endian_and_four_bytes_a_value() -> None:
    record = Reference([2.0, 1.0, 3.0]).to_bytes()

    assert record.hex() == ("010000000000000040000000000000f03f0000803f0000004000004040")


@pytest.mark.parametrize("record", [b"", b"\1", b"\2" + b"\0" * 40])
def test_what_is_no_record_is_said_to_be_unreadable(record: bytes) -> None:
    with pytest.raises(StateUnreadable):
        Reference.from_bytes(record)


def test_mean_and_sd_are_in_raw_units() -> None:
    reference = Reference([90.0, 100.0, 110.0, 120.0])

    assert reference.mean == 105
    assert reference.sd == pytest.approx(12.9099, abs=1e-4)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_a_programmer_error(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Reference([1.0, value])
    with pytest.raises(ValueError, match="finite"):
        Reference([1.0]).score(value, 0.5)
    with pytest.raises(ValueError, match="finite"):
        Reference([1.0]).scores([0.0] * 20 + [value], [0.5] * 21)


def test_a_reference_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="values"):
        Reference([])


def test_the_draw_is_the_same_for_ever() -> None:
    """Pinned: a replay of last year's events must score as it did then."""
    assert uniform("north", "st-1", "view") == pytest.approx(0.9337943427963182, abs=1e-12)
    assert uniform("north", "st-1", "acquisition.kvp") == pytest.approx(
        0.020915679750032723, abs=1e-12
    )


def test_draws_are_uniform_and_do_not_follow_each_other_or_another_series() -> None:
    a = np.array([uniform("north", f"st-{i:06}", "acquisition.kvp") for i in range(20_000)])
    b = np.array(
        [uniform("north", f"st-{i:06}", "acquisition.exposure_mas") for i in range(20_000)]
    )
    counts, _ = np.histogram(a, bins=20, range=(0, 1))
    together, *_ = np.histogram2d(a, b, bins=5, range=[[0, 1], [0, 1]])

    assert 0 < a.min() < a.max() < 1
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-squared(19), p = .001
    assert ((together - 800) ** 2 / 800).sum() < 51.2  # chi-squared(24), p = .001
    assert abs(np.corrcoef(a[:-1], a[1:])[0, 1]) < 0.025
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.025


def test_spread_turns_a_wider_distribution_into_a_higher_mean() -> None:
    rng = np.random.default_rng(2)
    same = [spread(z) for z in rng.normal(size=20_000)]
    wider = [spread(1.5 * z) for z in rng.normal(size=20_000)]

    assert np.mean(same) == pytest.approx(0, abs=0.03)
    assert np.std(same) == pytest.approx(1, abs=0.03)
    assert np.mean(wider) > 0.35
    assert np.isfinite([spread(0.0), spread(40.0), spread(-40.0)]).all()
