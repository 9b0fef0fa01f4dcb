"""The frozen standard and its normal scores."""

from statistics import NormalDist
from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import StateUnreadable
from detectors.cells import DISTINCT_MAX, number_cells
from detectors.standard import Standard

finite = st.floats(allow_nan=False, allow_infinity=False)
some_values = st.lists(finite | st.sampled_from([0.0, 1.0, 2.5]), min_size=1, max_size=40)
fair = st.integers(0, 2**32 - 1).map(lambda i: (i + 0.5) / 2**32)
WEEK = np.arange(4 * 1680) // 10 % 168  # four weeks, ten values an hour
HOURS = WEEK[:2000]


def learnt(values: object, seed: int = 1, weekhours: np.ndarray | None = None) -> Standard:
    sample = np.asarray(values, dtype=np.float64)
    return Standard.learn(sample, np.random.default_rng(seed).random(len(sample)), weekhours)


def as_float32(values: list[float]) -> np.ndarray:
    largest = float(np.finfo(np.float32).max)
    return np.clip(np.array(values), -largest, largest).astype(np.float32)


def cycle(weekhours: np.ndarray) -> np.ndarray:
    """Day and night by .7 sd, the weekend by .5 sd."""
    return 0.7 * np.sin(weekhours * 2 * np.pi / 24) + 0.5 * (weekhours >= 120)


@given(some_values, finite | st.sampled_from([0.0, 1.0, 2.5]), fair)
def test_the_score_is_that_of_the_formula(values: list[float], value: float, v: float) -> None:
    sample, single = as_float32(values), as_float32([value])[0]
    below, equal = int((sample < single).sum()), int((sample == single).sum())
    rank = (below + v * (equal + 1)) / (len(values) + 1)

    standard = learnt(values)
    score = standard.scores(np.array([value]), np.array([v]))[0]

    expected = min(max(NormalDist().inv_cdf(rank), -8.0), 8.0)
    assert score * standard.dependence.ratio**0.5 == pytest.approx(expected, abs=2e-5)


@given(some_values, st.lists(st.tuples(finite, fair), min_size=1, max_size=40))
def test_many_scores_are_the_same_bits_as_one_by_one(
    values: list[float], pairs: list[tuple[float, float]]
) -> None:
    standard = learnt(values)
    x, v = (np.array(column) for column in zip(*pairs, strict=True))

    together = standard.scores(x, v)

    alone = [standard.scores(x[i : i + 1], v[i : i + 1])[0] for i in range(len(x))]
    assert together.tolist() == alone


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
    """One score against each of 2,000 references: ten equal classes, chi-squared(9) < 27.9."""
    rng = np.random.default_rng(11)
    scores = []
    for seed in range(2_000):
        standard = learnt(draw(rng, 50), seed)
        score = standard.scores(draw(rng, 1).astype(float), rng.random(1))[0]
        scores.append(score * standard.dependence.ratio**0.5)
    shares = np.array([NormalDist().cdf(score) for score in scores])
    counts, _ = np.histogram(shares, bins=10, range=(0, 1))

    assert ((counts - 200) ** 2 / 200).sum() < 27.9


def test_equal_raw_values_are_equal_in_the_reference() -> None:
    """0.168 is no float32: it must still tie with itself, and so stay within its rank."""
    values = np.random.default_rng(4).permutation([0.143] * 300 + [0.168] * 700)
    standard = learnt(values)

    lowest, highest = standard.scores(np.full(2, 0.168), np.array([1e-9, 1 - 1e-9]))

    assert lowest == pytest.approx(NormalDist().inv_cdf(300 / 1001), abs=1e-3)
    assert highest > 3


def test_scores_stay_finite_at_the_ends() -> None:
    standard = learnt([1.0] * 2000)
    tiny, almost_one = 2.0**-60, 1 - 2.0**-53

    low, high = standard.scores(np.array([-1e300, 1e300]), np.array([tiny, almost_one]))

    assert -10 < low < high < 10


def test_a_cycle_of_the_week_is_found_and_taken_out() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=len(WEEK)) + cycle(WEEK)
    standard = learnt(values, weekhours=WEEK)

    later = rng.normal(size=len(WEEK)) + cycle(WEEK)
    scores = standard.scores(later, rng.random(len(WEEK)), WEEK)

    by_hour = np.array([scores[hour == WEEK].mean() for hour in range(168)])
    assert standard.is_seasonal
    assert standard.strata_n == 168
    assert np.abs(by_hour).max() < 0.5
    assert by_hour.std() < 0.22  # 1 / sqrt(40), and what the profile leaves
    assert standard.dependence.ratio == pytest.approx(1 + 1 / 28)  # its error, of 28 days
    assert scores.std() == pytest.approx(1, abs=0.05)


def test_a_weekend_too_weak_to_show_in_eight_days_is_taken_out_where_the_day_has_a_cycle() -> None:
    rng = np.random.default_rng(3)
    hours = (np.arange(2_000) * 24 // 250 + 9) % 168
    weekends = 0.15 * (hours >= 120)
    day = np.sin(hours * 2 * np.pi / 24)
    noises = [np.repeat(rng.normal(size=500), 4) + rng.normal(size=2_000) for _ in range(20)]
    noon, draws = np.array([4, 5]) * 24 + 12, np.full(2, 0.5)  # of Friday and Saturday

    shown = [learnt(noise + weekends, weekhours=hours).is_seasonal for noise in noises]
    daily = [learnt(noise + day + weekends, weekhours=hours) for noise in noises]

    fridays, saturdays = np.array([one.scores(np.zeros(2), draws, noon) for one in daily]).T
    assert sum(shown) < 10
    assert (fridays != saturdays).all()
    assert fridays.mean() > saturdays.mean()


@pytest.mark.parametrize("weekends_sd", [0.7, 1.5])
def test_how_far_weekends_spread_is_divided_out(weekends_sd: float) -> None:
    rng = np.random.default_rng(6)
    hours = np.arange(2_000) * 24 // 200 % 168
    sds = np.where(hours >= 120, weekends_sd, 1.0)
    standard = learnt(rng.normal(size=2_000) * sds, weekhours=hours)

    later = standard.scores(rng.normal(size=2_000) * sds, rng.random(2_000), hours)
    read = Standard.from_bytes(standard.to_bytes())

    assert later[hours < 120].std() == pytest.approx(1, abs=0.06)
    assert later[hours >= 120].std() == pytest.approx(1, abs=0.12)
    assert read.to_bytes() == standard.to_bytes()
    x, v, at = np.full(2, 0.5), np.full(2, 0.5), np.array([0, 167])
    assert read.scores(x, v, at).tolist() == standard.scores(x, v, at).tolist()


def test_a_day_of_few_values_tells_nothing_of_its_spread() -> None:
    rng = np.random.default_rng(6)
    hours = np.where(np.arange(2_000) < 1_960, 12, 130)
    values = rng.normal(size=2_000) * np.where(hours > 120, 3.0, 1.0)

    assert not learnt(values, weekhours=hours).is_seasonal


@pytest.mark.parametrize(("days_n", "is_known"), [(6, False), (8, True)])
def test_a_weekend_is_known_from_eight_days(days_n: int, is_known: bool) -> None:
    hours = np.arange(days_n * 240) // 10 % 168
    values = np.random.default_rng(4).normal(size=len(hours)) + 0.5 * (hours >= 120)

    assert learnt(values, weekhours=hours).is_seasonal is is_known


def test_no_cycle_is_seen_where_there_is_none_but_a_weekend_in_ten() -> None:
    """One in twenty by its level, one in twenty by its spread."""
    rng = np.random.default_rng(2)
    steady = [rng.normal(size=2_000) for _ in range(100)]
    slow = [np.convolve(one, np.ones(300), mode="same") for one in steady]  # over a day and more

    assert sum(learnt(values, weekhours=HOURS).is_seasonal for values in steady) <= 16
    assert sum(learnt(values, weekhours=HOURS).is_seasonal for values in slow) <= 35


def test_a_day_is_too_short_to_show_a_cycle() -> None:
    hours = np.arange(2_000) * 24 // 2_000
    values = np.random.default_rng(5).normal(size=2_000) + cycle(hours)

    assert not learnt(values, weekhours=hours).is_seasonal


def test_a_seasonal_standard_needs_hours_and_takes_unknown_ones_as_they_are() -> None:
    rng = np.random.default_rng(3)
    standard = learnt(rng.normal(size=len(WEEK)) + cycle(WEEK), weekhours=WEEK)
    value, draw = np.zeros(1), np.full(1, 0.5)

    with pytest.raises(ValueError, match="hours"):
        standard.scores(value, draw)
    at_night, unknown = (
        standard.scores(value, draw, np.array([hour], dtype=np.uint8)) for hour in (18, 255)
    )

    assert at_night > unknown


def test_dependent_scores_are_shrunk_to_the_information_they_carry() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=500), 4)
    standard = learnt(values)

    scores = standard.scores(values, np.full(2_000, 0.5))

    assert standard.dependence.ratio == pytest.approx(4, rel=0.35)
    assert scores.std() == pytest.approx(standard.dependence.ratio**-0.5, rel=0.02)


@given(some_values)
def test_a_record_gives_the_same_standard(values: list[float]) -> None:
    standard = learnt(values)
    read = Standard.from_bytes(standard.to_bytes())

    assert (read.n, read.mean, read.sd) == (standard.n, standard.mean, standard.sd)
    assert read.dependence == standard.dependence
    assert read.to_bytes() == standard.to_bytes()
    x, v = np.array(values[:1]), np.array([0.25])
    assert read.scores(x, v) == standard.scores(x, v)


def test_a_seasonal_record_keeps_its_cycle() -> None:
    values = np.random.default_rng(3).normal(size=len(WEEK)) + cycle(WEEK)
    standard = learnt(values, weekhours=WEEK)

    read = Standard.from_bytes(standard.to_bytes())

    x, v = values[:300], np.full(300, 0.5)
    assert read.scores(x, v, WEEK[:300]).tolist() == standard.scores(x, v, WEEK[:300]).tolist()


def test_a_record_of_the_first_format_is_read() -> None:
    """Format 1: mean, sd and the sorted values, little-endian, and nothing of dependence."""
    record = bytes.fromhex("010000000000000040000000000000f03f0000803f0000004000004040")

    standard = Standard.from_bytes(record)

    assert (standard.n, standard.mean, standard.sd) == (3, 2.0, 1.0)
    assert standard.values.tolist() == [1.0, 2.0, 3.0]
    assert standard.dependence == (1.0, 1, 3.0, True, 1.0)
    assert standard.scores(np.array([2.5]), np.array([0.5])) == pytest.approx(
        NormalDist().inv_cdf(2.5 / 4), abs=1e-5
    )


def test_a_record_of_the_second_format_is_read_and_its_spread_has_the_ratio_of_the_mean() -> None:
    more = pack("<Bdd", 2, 2.0, 1.0) + pack("<dId?d", 1.5, 8, 2.0, False, 1.0)
    record = more + b"\0" * 4 * 168 + pack("<3f", 1, 2, 3)

    standard = Standard.from_bytes(record)

    assert standard.values.tolist() == [1.0, 2.0, 3.0]
    assert standard.dependence == (1.5, 8, 2.0, False, 1.5)


def test_a_record_of_the_third_format_is_read_and_all_its_days_spread_alike() -> None:
    more = pack("<Bdd", 3, 2.0, 1.0) + pack("<dId?dd", 1.5, 8, 2.0, False, 1.25, 0.5)
    profile = pack("<168f", *([0.0] * 120 + [1.0] * 48))
    record = more + profile + pack("<3f", 1, 2, 3)

    standard = Standard.from_bytes(record)

    assert standard.dependence == (1.5, 8, 2.0, False, 1.25)
    x, v = np.full(2, 2.0), np.full(2, 0.5)
    friday, saturday = standard.scores(x, v, np.array([119, 120]))
    assert friday - saturday == pytest.approx(1 / (0.5 * 1.5**0.5))


def test_a_record_of_the_fourth_format_is_read_and_nothing_is_known_of_its_days() -> None:
    more = pack("<Bdd", 4, 2.0, 1.0) + pack("<dId?ddd", 1.5, 8, 2.0, False, 1.25, 1.0, 0.5)
    record = more + b"\0" * 4 * 168 + pack("<3f", 1, 2, 3)

    standard = Standard.from_bytes(record)

    assert standard.dependence == (1.5, 8, 2.0, False, 1.25)
    assert standard.days == [0.0] * 13
    x, v = np.full(2, 3.0), np.full(2, 0.5)
    friday, saturday = standard.scores(x, v, np.array([119, 120]))
    assert saturday == pytest.approx(2 * friday)


def test_a_record_of_the_fifth_format_is_read_and_nothing_is_known_of_the_spreads_of_days() -> None:
    told = pack("<dId?dddddd", 1.5, 8, 2.0, False, 1.25, 1.0, 0.5, 3.0, 2.0, 1.0)
    record = pack("<Bdd", 5, 2.0, 1.0) + told + b"\0" * 4 * 168 + pack("<3f", 1, 2, 3)

    standard = Standard.from_bytes(record)

    assert standard.dependence == (1.5, 8, 2.0, False, 1.25)
    assert standard.days == [3.0, 2.0, 1.0, *[0.0] * 10]
    assert standard.values.tolist() == [1, 2, 3]


def test_a_record_of_the_sixth_format_is_read_and_nothing_is_known_of_parts_of_days() -> None:
    sums = [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]
    told = pack("<dId?ddddddddd", 1.5, 8, 2.0, False, 1.25, 1.0, 0.5, *sums)
    record = pack("<Bdd", 6, 2.0, 1.0) + told + b"\0" * 4 * 168 + pack("<3f", 1, 2, 3)

    standard = Standard.from_bytes(record)

    assert standard.dependence == (1.5, 8, 2.0, False, 1.25)
    assert standard.days == [*sums, *[0.0] * 7]
    assert standard.values.tolist() == [1, 2, 3]


def test_what_days_tell_is_kept_and_must_be_sums() -> None:
    rng, hours = np.random.default_rng(3), np.arange(2_400) // 10 % 168
    standard = learnt(rng.normal(size=2_400) + rng.normal(0, 0.3, 10).repeat(240), weekhours=hours)
    record = bytearray(standard.to_bytes())

    assert Standard.from_bytes(bytes(record)).days == standard.days
    assert standard.days[0] > 2 * standard.days[1]
    record[17 + 45 : 17 + 53] = pack("<d", -1.0)  # after the head, the first sum
    with pytest.raises(StateUnreadable):
        Standard.from_bytes(bytes(record))


@pytest.mark.parametrize(
    "record",
    [b"", b"\1", b"\x08" + b"\0" * 900, pack("<Bdd", 2, 0, 1) + b"\0" * 40, pack("<Bdd", 1, 0, 1)],
)
def test_what_is_no_record_is_said_to_be_unreadable(record: bytes) -> None:
    with pytest.raises(StateUnreadable):
        Standard.from_bytes(record)


def test_mean_and_sd_are_in_raw_units() -> None:
    standard = learnt([90.0, 100.0, 110.0, 120.0])

    assert standard.mean == 105
    assert standard.sd == pytest.approx(12.9099, abs=1e-4)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_a_programmer_error(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        learnt([1.0, value])
    with pytest.raises(ValueError, match="finite"):
        learnt([1.0]).scores(np.array([0.0, value]), np.full(2, 0.5))


def test_a_reference_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="values"):
        learnt([])


def test_few_different_numbers_have_cells_of_their_own_and_one_for_the_unseen() -> None:
    values = np.random.default_rng(1).choice([1.0, 1.5, 2.0, 0.168], size=800)
    cells = number_cells(learnt(values))

    seen = np.array([0.168, 1.0, 1.5, 2.0, 3.0, -1.0])

    assert cells.cells(seen, np.zeros(6)).tolist() == [0, 1, 2, 3, 4, 4]
    assert cells.counts == (*[int((values == v).sum()) for v in (0.168, 1.0, 1.5, 2.0)], 0)


def test_many_different_numbers_have_seven_cells_of_scores_as_frequent_as_they_should_be() -> None:
    rng = np.random.default_rng(7)
    standard = learnt(rng.lognormal(size=2_000))
    cells = number_cells(standard)
    values = rng.lognormal(size=20_000)

    found = cells.cells(values, standard.scores(values, rng.random(20_000)))

    assert cells.counts == (100, 360, 360, 360, 360, 360, 100)
    assert np.bincount(found) / 10 == pytest.approx(np.array(cells.counts), rel=0.15)


@pytest.mark.parametrize(("distinct", "cells_n"), [(DISTINCT_MAX, 13), (DISTINCT_MAX + 1, 7)])
def test_more_than_twelve_different_numbers_are_not_categorical(
    distinct: int, cells_n: int
) -> None:
    assert len(number_cells(learnt(np.arange(600) % distinct)).counts) == cells_n
