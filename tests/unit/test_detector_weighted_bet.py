"""WeightedBet: the promise where the share is only estimated, and what it finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import StateUnreadable
from detectors.weighted_bet import CERTAIN, Floats, WeightedBet, chance, plausible, raised

DAY_US = 86_400_000_000
ODDS = (1.5, 2.0, 4.0)


def alarms(bet: WeightedBet, answers: list[bool], expected: Floats, per_day: float) -> list[int]:
    """The numbers of the answers that raised an alarm."""
    changed = raised(expected, ODDS)
    return [
        number
        for number, answer in enumerate(answers)
        if bet.update(answer, expected, changed, int(number * DAY_US / per_day))
    ]


def drawn(seed: int, n: int, share: float) -> list[bool]:
    return (np.random.default_rng(seed).random(n) < share).tolist()


@pytest.mark.parametrize("per_day", [0.5, 40.0])
def test_against_a_limit_it_keeps_its_promise_in_days_at_any_pace(per_day: float) -> None:
    """30,000 answers at the limit itself."""
    days = 1_000 / per_day
    bet = WeightedBet(days, CERTAIN, len(ODDS))

    found = alarms(bet, drawn(5, 30_000, 0.1), np.array([0.1]), per_day)

    assert 2 <= len(found) <= 30


def test_against_an_estimate_it_keeps_its_promise_on_average_over_the_references() -> None:
    """80 references of 300 answers, each watched for the promised 800 days."""
    steps, weights = plausible()
    found = []
    for seed in range(80):
        yes = sum(drawn(seed, 300, 0.1)) + 0.5
        no = 301 - yes
        log_odds = np.log(yes / no) + steps * np.sqrt(1 / yes + 1 / no)
        bet = WeightedBet(800, weights, len(ODDS))
        found.append(len(alarms(bet, drawn(10_000 + seed, 800, 0.1), chance(log_odds), 1)))

    assert 0.2 <= np.mean(found) <= 1.1


def test_a_pause_is_no_evidence() -> None:
    bet = WeightedBet(100, CERTAIN, 1)
    tolerated, worse = np.array([0.1]), np.array([[0.3]])
    bet.update(False, tolerated, worse, 0)

    assert not bet.update(False, tolerated, worse, 99 * DAY_US)
    assert bet.statistic < 99


def test_time_that_runs_backwards_does_not_count() -> None:
    tolerated, worse = np.array([0.1]), np.array([[0.3]])
    bets = [WeightedBet(1e6, CERTAIN, 1) for _ in range(2)]
    for bet, stamps in zip(bets, ([0, 5, 3, 5], [0, 5, 5, 5]), strict=True):
        for day in stamps:
            bet.update(True, tolerated, worse, day * DAY_US)

    assert bets[0].state() == bets[1].state()


def test_a_change_is_found_and_its_start_told() -> None:
    bet = WeightedBet(1e6, CERTAIN, len(ODDS))
    answers = drawn(1, 1_000, 0.1) + drawn(2, 1_000, 0.4)

    found = alarms(bet, answers, np.array([0.1]), 1)

    assert 1_000 < found[0] < 1_080
    bet = WeightedBet(1e6, CERTAIN, len(ODDS))
    alarms(bet, answers[: found[0] + 1], np.array([0.1]), 1)
    assert 960 <= bet.changed_us / DAY_US <= 1_020


def test_a_share_that_has_become_absurd_does_not_blind_it() -> None:
    """Its own evidence would grow beyond what a float holds."""
    steps, weights = plausible()
    expected = chance(np.log(1 / 9) + steps)
    bet = WeightedBet(1e9, weights, len(ODDS))
    changed = raised(expected, ODDS)
    for number in range(8_000):
        bet.update(number % 10 == 0, expected, changed, number * DAY_US)

    assert np.isfinite(bet.statistic)
    assert alarms_within(bet, 60, expected)


def alarms_within(bet: WeightedBet, n: int, expected: Floats) -> bool:
    changed = raised(expected, ODDS)
    return any(bet.update(True, expected, changed, 10_000 * DAY_US) for _ in range(n))


def test_the_more_certain_the_share_the_sooner_a_change_is_found() -> None:
    """What was in control since the reference counts as if it were part of it."""
    delays = {}
    for se in (0.05, 0.4):
        steps, weights = plausible()
        expected = chance(np.log(1 / 9) + steps * se)
        firsts = []
        for seed in range(15):
            answers = drawn(seed, 1_500, 0.18)
            found = alarms(WeightedBet(1_000, weights, len(ODDS)), answers, expected, 1)
            firsts.append(found[0] if found else 1_500)
        delays[se] = float(np.median(firsts))

    assert delays[0.05] < delays[0.4]


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_every_bet_is_fair_at_what_it_is_against(share: float, odds: float) -> None:
    expected = np.array([share])
    changed = raised(expected, (1 + odds,))
    means = []
    for answer in (True, False):
        bet = WeightedBet(1e9, CERTAIN, 1)
        bet.update(False, expected, expected[:, None], 0)
        bet.update(answer, expected, changed, DAY_US)
        means.append(bet.statistic)

    assert share * means[0] + (1 - share) * means[1] == pytest.approx(1)


@settings(deadline=None)
@given(
    st.floats(0.01, 0.99),
    st.floats(0.1, 20),
    st.floats(1.01, 50),
    st.lists(st.booleans(), min_size=1),
)
def test_nothing_is_won_beyond_the_threshold_and_nothing_is_lost_by_that(
    share: float, odds: float, days: float, answers: list[bool]
) -> None:
    """Whatever came before: the mean over the next answer, each at most `days`, is what it was."""
    expected = np.array([share])
    changed = raised(expected, (odds, 1 / odds))
    ends = []
    for last in (True, False):
        bet, before, kept = WeightedBet(days, CERTAIN, 2), 0.0, 0.0
        for number, answer in enumerate([*answers, last]):
            before = kept
            alarmed = bet.update(answer, expected, changed, number * DAY_US // 2)
            kept = 0.0 if alarmed else bet.statistic
        ends.append(min(bet.statistic, days))

    after = share * ends[0] + (1 - share) * ends[1]
    assert after == pytest.approx(min(before + 0.5, days))


def test_a_rare_answer_that_would_overshoot_makes_the_others_tell_more() -> None:
    """One in ten is worse; so near the threshold the next worse one alarms in any case."""
    expected, changed = np.array([0.1]), np.array([[0.4]])
    far, near = WeightedBet(1e9, CERTAIN, 1), WeightedBet(10.0, CERTAIN, 1)
    for bet in (far, near):
        bet.update(False, expected, changed, 0)
        bet.update(False, expected, changed, 8 * DAY_US)

    assert far.statistic == pytest.approx(8 * 0.6 / 0.9)
    assert near.statistic == pytest.approx((8 - 0.1 * 10) / 0.9)


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=50), st.integers(0, 50))
def test_resuming_anywhere_changes_nothing(answers: list[bool], cut: int) -> None:
    steps, weights = plausible()
    expected = chance(steps - 2)
    changed = raised(expected, ODDS)
    uncut = WeightedBet(20, weights, len(ODDS))
    resumed = WeightedBet(20, weights, len(ODDS))
    for number, answer in enumerate(answers):
        if number == cut:
            resumed = WeightedBet.restore(20, weights, len(ODDS), resumed.state())
        at_us = number * DAY_US
        assert resumed.update(answer, expected, changed, at_us) == uncut.update(
            answer, expected, changed, at_us
        )

    assert resumed.state() == uncut.state()


@pytest.mark.parametrize("bets_n", [1, 2])
def test_a_state_of_another_version_or_of_other_bets_is_not_read(bets_n: int) -> None:
    state = WeightedBet(10, CERTAIN, 3).state()

    with pytest.raises(StateUnreadable):
        WeightedBet.restore(10, CERTAIN, bets_n, state)
    with pytest.raises(StateUnreadable):
        WeightedBet.restore(10, CERTAIN, 3, state | {"format": 99})


@pytest.mark.parametrize("days", [0.0, -1.0, float("inf"), float("nan")])
def test_a_promise_must_be_a_time(days: float) -> None:
    with pytest.raises(ValueError, match="days"):
        WeightedBet(days, CERTAIN, 1)


def test_weights_must_be_above_zero() -> None:
    with pytest.raises(ValueError, match="weight"):
        WeightedBet(10, np.array([1.0, 0.0]), 1)
