"""Days, and parts of them, that have levels of their own: measured, and taken out of scores."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import StateUnreadable
from detectors.day_levels import SUMS_N, DayLevels, are_sums, day_sums, observations_for

PER_DAY = 400
GOLDEN = Path(__file__).parents[1] / "golden" / "detectors"


def drawn(days_n: int, levels_sd: float, seed: int = 1, per_day: int = PER_DAY, parts_sd=0.0):
    """Scores of days and quarters with levels of their own, of variance 1 in all; their hours."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(0, levels_sd, days_n).repeat(per_day)
    quarters = rng.normal(0, parts_sd, 4 * days_n) if parts_sd else np.zeros(4 * days_n)
    hours = np.arange(days_n * per_day) * 24 // per_day
    noise = rng.normal(0, np.sqrt(1 - levels_sd**2 - parts_sd**2), days_n * per_day)
    return levels + quarters[hours // 6] + noise, hours % 168


def innovations(levels: DayLevels, scores, weekhours) -> np.ndarray:
    return levels.innovations(scores, weekhours)[0]


def ratio_of_sums(scores: np.ndarray, per_day: int = PER_DAY) -> float:
    """The variance of sums of days, over that of sums of independent scores."""
    sums = scores.reshape(-1, per_day).sum(axis=1)
    return float((sums**2).mean() / per_day)


def test_sums_of_days_vary_as_those_of_independent_scores() -> None:
    """Of 200 days the ratio is known to .1: it must be below 1.3, where it was 17."""
    levels = DayLevels(day_sums(*drawn(60, 0.2), 1.0))

    scores, weekhours = drawn(200, 0.2, seed=2)
    left = innovations(levels, scores, weekhours)

    assert ratio_of_sums(scores) > 10
    assert ratio_of_sums(left) < 1.3
    assert left.std() == pytest.approx(1, abs=0.03)
    assert abs(left.mean()) < 0.02


@pytest.mark.parametrize("days_sd", [0.0, 0.1])
def test_sums_of_quarters_vary_as_those_of_independent_scores(days_sd: float) -> None:
    """Of 800 quarters the ratio is known to .05; days are no more apart than quarters make them."""
    levels = DayLevels(day_sums(*drawn(100, days_sd, parts_sd=0.2), 1.0))

    scores, weekhours = drawn(200, days_sd, seed=2, parts_sd=0.2)
    left = innovations(levels, scores, weekhours)

    assert ratio_of_sums(scores, PER_DAY // 4) > 4
    assert ratio_of_sums(left, PER_DAY // 4) < 1.2
    assert ratio_of_sums(left) < 1.3
    assert levels.variance_of_parts == pytest.approx(0.04 / (0.96 - days_sd**2), rel=0.3)
    assert levels.variance == pytest.approx(days_sd**2 / 0.95, rel=0.4, abs=0.004)
    assert left.std() == pytest.approx(1, abs=0.03)


def following(days_n: int, follows: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Days with levels of their own by .3, each of which has so much of the one before."""
    rng = np.random.default_rng(seed)
    own = [rng.normal()]
    for fresh in rng.normal(size=days_n - 1):
        own.append(follows * own[-1] + np.sqrt(1 - follows**2) * fresh)
    levels = 0.3 * np.array(own).repeat(PER_DAY)
    noise = rng.normal(0, np.sqrt(1 - 0.3**2), days_n * PER_DAY)
    return levels + noise, np.arange(days_n * PER_DAY) * 24 // PER_DAY % 168


@pytest.mark.parametrize("follows", [0.3, 0.6])
def test_days_that_follow_each_other_are_known_by_those_two_apart(follows: float) -> None:
    """Sums of a week vary as independent ones do, nearly."""
    levels = DayLevels(day_sums(*following(280, follows), 1.0))

    scores, weekhours = following(280, follows, seed=2)
    left = innovations(levels, scores, weekhours)

    assert levels.follows == pytest.approx(follows, abs=0.15)
    assert levels.variance == pytest.approx(0.3**2 / (1 - 0.3**2), rel=0.3)
    assert ratio_of_sums(scores, 7 * PER_DAY) > 40
    assert ratio_of_sums(left, 7 * PER_DAY) < 1.6


def test_a_lasting_shift_shows_as_much_as_is_said_in_days_that_follow_each_other() -> None:
    """On the second day, of which the first tells something."""
    scores, weekhours = following(100, 0.6)
    levels = DayLevels(day_sums(scores, weekhours, 1.0))
    levels.innovations(scores[:PER_DAY], weekhours[:PER_DAY])
    shifted = levels.copy()
    next_day = slice(PER_DAY, 2 * PER_DAY)

    shifted.forget_days()
    shifted.innovations(scores[:PER_DAY] + 0.5, weekhours[:PER_DAY])
    usual, shown, _ = levels.innovations(scores[next_day], weekhours[next_day])
    moved, _, _ = shifted.innovations(scores[next_day] + 0.5, weekhours[next_day])

    assert moved - usual == pytest.approx(0.5 * shown, abs=1e-3)
    assert shown[0] < 0.8


def test_days_of_their_own_are_not_taken_for_quarters() -> None:
    """What all quarters of a day have in common is no difference between them."""
    told = []
    for seed in range(30):
        levels = DayLevels()
        innovations(levels, *drawn(30, 0.3, seed))
        told.append(levels.variance_of_parts)

    assert sum(one > 0 for one in told) < 12  # one by chance, of 30
    assert max(told) < 0.3**2 / 10


def test_the_variance_of_levels_is_measured_on_while_scores_come() -> None:
    """Of 200 days to an eighth, and taken as much greater."""
    levels = DayLevels()
    innovations(levels, *drawn(200, 0.2))

    assert levels.variance == pytest.approx(0.04 / 0.96, rel=0.3)
    assert levels.follows < 0.3
    lasting = levels.variance * (1 + levels.follows) / (1 - levels.follows)
    assert levels.ratio == pytest.approx(1 + PER_DAY * lasting, rel=0.05)


def test_of_days_that_are_alike_little_is_taken_for_a_level() -> None:
    """Chance shows one once in six; the median of those is .02 sd."""
    variances = []
    for seed in range(60):
        levels = DayLevels()
        innovations(levels, *drawn(60, 0.0, seed))
        variances.append(levels.variance)

    assert sum(one > 0.0005 for one in variances) <= 18
    assert max(variances) < 0.05**2


def test_the_first_days_are_taken_to_differ_by_a_twentieth() -> None:
    """Until there are days nothing is; the sd is that of scores, not of what they are worth."""
    sums = day_sums(*drawn(2, 0.0), 1.0)
    single, fourfold = DayLevels(sums), DayLevels(sums, variance_ratio=4.0)

    assert DayLevels().variance == 0
    assert 0.7 * 0.05**2 < single.variance < 0.05**2
    assert fourfold.variance == pytest.approx(single.variance / 4)


def test_what_depends_within_a_day_is_no_level_of_its_own() -> None:
    """Four scores a patient are one: with that known, days differ no more than by chance."""
    rng = np.random.default_rng(4)
    scores = rng.normal(size=60 * PER_DAY // 4).repeat(4)
    weekhours = np.arange(60 * PER_DAY) * 24 // PER_DAY % 168

    known, unknown = (DayLevels(day_sums(scores, weekhours, ratio), ratio) for ratio in (4.0, 1.0))

    assert known.ratio < 1.2
    assert unknown.ratio > 3


def test_a_shift_stands_out_against_the_first_scores_of_a_day_and_in_its_middle() -> None:
    scores, weekhours = drawn(61, 0.1)
    last = slice(60 * PER_DAY, None)
    at_first, in_the_middle = scores.copy(), scores.copy()
    at_first[60 * PER_DAY :] += 1
    in_the_middle[60 * PER_DAY + 200 :] += 1

    usual, one, other = (
        innovations(DayLevels(), moved, weekhours)[last]
        for moved in (scores, at_first, in_the_middle)
    )

    assert (one - usual)[:20].mean() > 0.85
    assert (other - usual)[200:220].mean() > 0.9
    assert (one - usual)[-20:].mean() < 0.3


@given(st.lists(st.integers(1, 150), max_size=12), st.integers(0, 3))
def test_however_scores_are_cut_they_are_the_same_bits(cuts: list[int], seed: int) -> None:
    scores, weekhours = drawn(40, 0.3, seed, per_day=30)
    whole, parts = DayLevels(), DayLevels()

    expected, told, at = innovations(whole, scores, weekhours), [], 0
    for cut in [*cuts, len(scores)]:
        part = slice(at, at + cut)
        told += innovations(parts, scores[part], weekhours[part]).tolist()
        parts, at = DayLevels.restore(json.loads(json.dumps(parts.state()))), at + cut

    assert told == expected.tolist()
    assert parts.state() == whole.state()


def test_a_shift_of_all_days_shows_in_scores_as_much_as_is_said() -> None:
    """Twice the same noise; the difference is the shift, times what each score shows of it."""
    scores, weekhours = drawn(80, 0.2)
    known = day_sums(scores, weekhours, 1.0)

    usual, shown, _ = DayLevels(known).innovations(scores[: 2 * PER_DAY], weekhours[: 2 * PER_DAY])
    moved, _, _ = DayLevels(known).innovations(
        scores[: 2 * PER_DAY] + 0.5, weekhours[: 2 * PER_DAY]
    )

    assert (moved - usual)[:PER_DAY] == pytest.approx(0.5 * shown[:PER_DAY])
    assert 0 < shown.min() < 0.2 and shown[0] == shown.max() == 1
    worth, variance = (shown[:PER_DAY] ** 2).sum(), DayLevels(known).variance
    assert worth == pytest.approx(PER_DAY * (1 + variance) / (1 + PER_DAY * variance), rel=0.01)


def test_a_shift_of_all_days_shows_as_much_as_is_said_in_quarters_too() -> None:
    scores, weekhours = drawn(80, 0.3, parts_sd=0.2)
    known = day_sums(scores, weekhours, 1.0)
    one_day = slice(0, PER_DAY)

    usual, shown, _ = DayLevels(known).innovations(scores[one_day], weekhours[one_day])
    moved, _, _ = DayLevels(known).innovations(scores[one_day] + 0.5, weekhours[one_day])

    assert moved - usual == pytest.approx(0.5 * shown)
    quarter = PER_DAY // 4
    assert shown[0] == 1
    assert shown[quarter - 1] < 0.3 < shown[quarter] < 0.95  # of the day something is known by then


def test_under_another_reference_what_days_have_told_goes_on() -> None:
    scores, weekhours = drawn(60, 0.2)
    levels = DayLevels()
    innovations(levels, scores, weekhours)

    other = levels.held_against([1.0] * SUMS_N, 1.0, 1.0)
    innovations(other, scores[:PER_DAY] + 5, weekhours[:PER_DAY])
    innovations(other, scores[:PER_DAY] + 5, weekhours[:PER_DAY] + 24)

    assert other.variance == pytest.approx(levels.variance, rel=0.1)
    better = [1e9, 1e9, 1e12] * 3 + [0.0, 1e9, 1e9, 1e12]
    assert levels.held_against(better, 1.0, 1.0).sums == better


def test_days_of_one_observation_tell_nothing() -> None:
    rng = np.random.default_rng(1)

    assert day_sums(rng.normal(size=50), np.arange(50) * 24 % 168, 1.0) == [0] * SUMS_N


def test_days_that_are_constant_are_no_error() -> None:
    levels = DayLevels()

    told = innovations(levels, np.zeros(900), np.arange(900) * 24 // 100 % 168)

    assert np.isfinite(told).all()
    assert levels.sums == [0] * SUMS_N


@pytest.mark.parametrize("form", [1, 2])
def test_states_of_former_formats_are_read(form: int) -> None:
    """Three sums, the variance of levels, the weekday, n, sum and squares of two days.

    Format 2 has of spreads a ratio, three sums, what is drawn, the weekday, and the two days again.
    """
    sums = [5_000.0, 1_000.0, 30_000.0]
    seen = [*sums, 0.25, 2.0, 3.0, 1.5, 2.0, 4.0, 0.0, 1.0]
    written = {"format": form, "ratio": 1.0, "seen": seen}
    if form == 2:
        written["spreads"] = [2.0, 4.0, 5.0, 6.0, 0.8, 2.0, *seen[5:]]
    levels = DayLevels.restore(written)
    variance = levels.variance

    told = innovations(levels, np.array([1.0]), np.array([2 * 24 + 13]))

    assert levels.sums == [*sums, *([4.0, 5.0, 6.0] if form == 2 else [0] * 3), *[0] * 7]
    known = variance / (1 + 3 * variance)
    expected = (1 - known * 1.5) / ((1 + known) / (1 + variance)) ** 0.5
    assert told[0] == pytest.approx(expected)
    assert variance > 0.05
    assert DayLevels.restore(json.loads(json.dumps(levels.state()))).state() == levels.state()


@pytest.mark.parametrize("form", [2, 3])
def test_golden_states_go_on_as_they_did(form: int) -> None:
    """In the middle of the fifteenth day; of format 3 also of a quarter, whose levels differ."""
    golden = json.loads((GOLDEN / f"day_levels-{form}.json").read_text())
    scores, weekhours = np.array(golden["scores"]), np.array(golden["weekhours"])

    told = DayLevels.restore(golden["state"]).innovations(scores, weekhours)

    assert golden["state"]["format"] == form
    assert told.scores == pytest.approx(golden["innovations"], rel=1e-9)
    assert told.shown == pytest.approx(golden["shown"], rel=1e-9)
    assert told.drawn == pytest.approx(golden["drawn"], rel=1e-9)


def test_a_state_of_format_2_goes_on_with_the_day_before() -> None:
    """A day of 10 at 0 is over, one of 10 at 2 is filling: their difference is told at its end."""
    seen = [0.0, 0.0, 0.0, 0.0, 2.0, 10.0, 20.0, 50.0, 10.0, 0.0, 10.0]
    levels = DayLevels.restore({"format": 1, "ratio": 1.0, "seen": seen})

    levels.end_day()

    spread = (60 - 20 * 1) / 19
    assert levels.sums[:3] == pytest.approx([10 * 10 * 4 / (2 * spread), 10, 300 * 18 / 21])


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"format": 4},
        {"format": 3, "ratios": [1.0, 1.0], "seen": [0.0] * 11},
        {"format": 3, "ratios": 1.0, "seen": [0.0] * 33},
        {"format": 1, "ratio": 1.0, "seen": [1.0]},
        {"format": 2, "ratio": 1.0, "seen": [0.0] * 11, "spreads": [1.0]},
    ],
)
def test_what_is_no_state_is_said_to_be_unreadable(state: dict[str, object]) -> None:
    with pytest.raises(StateUnreadable):
        DayLevels.restore(state)


@pytest.mark.parametrize(
    ("sums", "sound"),
    [([1.0] * SUMS_N, True), ([1.0] * (SUMS_N - 1), False), ([-1.0] * SUMS_N, False)],
)
def test_sums_are_so_many_and_not_negative(sums: list[float], sound: bool) -> None:
    assert are_sums(sums) is sound


def test_a_change_is_found_in_more_observations_the_more_days_differ() -> None:
    alike, little, much = (observations_for(100, 1_000, one) for one in (0.0, 0.001, 0.01))

    assert alike == 100
    assert alike < little < much < 200
    assert observations_for(2_000, 1_000, 0.01) > 19_000
    of_parts = observations_for(100, 1_000, 0.001, 0.01)
    assert little < of_parts < 500
    assert observations_for(2_000, 1_000, 0.0, 0.01) == pytest.approx(2_000 * 3.5)
