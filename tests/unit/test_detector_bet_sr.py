"""RateBet: a share beyond what is tolerated, and nothing else, raises an alarm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import StateUnreadable
from detectors.bet_sr import NO_EVIDENCE, RateBet, raised

shares = st.floats(0.001, 0.999)


def answers(seed: int, n: int, share: float) -> list[bool]:
    return (np.random.default_rng(seed).random(n) < share).tolist()


@pytest.mark.parametrize("tolerated", [0.01, 0.1, 0.6])
def test_a_share_just_tolerated_raises_at_most_the_promised_alarms(tolerated: float) -> None:
    """400,000 answers at an ARL of 2,000: at most 200."""
    bet = RateBet(tolerated, days=2_000)

    found = sum(bet.update(answer, 1.0) for answer in answers(7, 400_000, tolerated))

    assert 20 <= found <= 200


def test_a_share_well_below_raises_a_tenth_of_them_at_most() -> None:
    bet = RateBet(0.1, days=2_000)

    assert sum(bet.update(answer, 1.0) for answer in answers(7, 400_000, 0.07)) <= 20


@pytest.mark.parametrize(
    ("tolerated", "share", "at_most"),
    [(0.01, 1.0, 5), (0.05, 1.0, 6), (0.2, 1.0, 10), (0.05, 0.5, 25), (0.05, 0.1, 700)],
)
def test_a_larger_share_is_found(tolerated: float, share: float, at_most: int) -> None:
    alarm = RateBet(tolerated, days=1e5).run(answers(3, 5_000, share), [1.0] * 5_000)

    assert alarm is not None
    assert alarm < at_most


@given(shares)
def test_every_bet_is_fair_at_the_tolerated_share_and_cannot_lose_more_than_all(
    tolerated: float,
) -> None:
    if_yes, if_no = (raised(NO_EVIDENCE, tolerated, answer) for answer in (True, False))

    for yes, no in zip(if_yes, if_no, strict=True):
        assert yes > 1 > no > 0
        assert tolerated * yes + (1 - tolerated) * no == pytest.approx(1)


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 60))
def test_resuming_anywhere_changes_nothing(stream: list[bool], cut: int) -> None:
    uncut = RateBet(0.05, 1e3)
    resumed = RateBet(0.05, 1e3)
    before = [resumed.update(answer, 1.0) for answer in stream[:cut]]
    resumed = RateBet.restore(0.05, 1e3, resumed.state())

    assert before + [resumed.update(answer, 1.0) for answer in stream[cut:]] == [
        uncut.update(answer, 1.0) for answer in stream
    ]
    assert (resumed.state(), resumed.statistic) == (uncut.state(), uncut.statistic)


def test_an_alarm_says_its_evidence_and_begins_anew() -> None:
    bet = RateBet(0.05, 1e4)

    assert bet.run([True] * 50, [1.0] * 50) == 4
    assert bet.statistic >= bet.threshold == 1e4
    assert bet.run([True] * 50, [1.0] * 50) == 4


@pytest.mark.parametrize(("tolerated", "days"), [(0, 1e4), (1, 1e4), (0.1, 0), (0.1, float("inf"))])
def test_settings_are_validated(tolerated: float, days: float) -> None:
    with pytest.raises(ValueError, match="must"):
        RateBet(tolerated, days)


def test_a_state_of_another_format_is_said_to_be_unreadable() -> None:
    with pytest.raises(StateUnreadable):
        RateBet.restore(0.1, 1e4, {"format": 99})


def test_the_promise_is_one_of_days_at_any_pace() -> None:
    """A tenth of the answers a day: in as many answers ten times the days, and the alarms."""
    slow, fast = RateBet(0.1, days=2_000), RateBet(0.1, days=2_000)
    stream = answers(5, 100_000, 0.1)

    in_many_days = sum(slow.update(answer, 1.0) for answer in stream)
    in_few_days = sum(fast.update(answer, 0.1) for answer in stream)

    assert in_few_days <= 100_000 * 0.1 / 2_000
    assert in_few_days < in_many_days <= 100_000 / 2_000
