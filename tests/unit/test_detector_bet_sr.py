"""Bets on a rate: a share beyond what is tolerated, and nothing else, raises an alarm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.bet_sr import NO_EVIDENCE, raised

shares = st.floats(0.001, 0.999)


def answers(seed: int, n: int, share: float) -> list[bool]:
    return (np.random.default_rng(seed).random(n) < share).tolist()


def alarms(tolerated: float, promised: float, stream: list[bool], days: float = 1.0) -> list[int]:
    """The places of the answers that alarmed; after each the evidence begins anew."""
    found, evidence = [], list(NO_EVIDENCE)
    for place, answer in enumerate(stream):
        evidence = raised(evidence, tolerated, answer, days)
        if sum(evidence) / len(evidence) >= promised:
            found.append(place)
            evidence = list(NO_EVIDENCE)
    return found


@pytest.mark.parametrize("tolerated", [0.01, 0.1, 0.6])
def test_a_share_just_tolerated_raises_at_most_the_promised_alarms(tolerated: float) -> None:
    """400,000 answers at an ARL of 2,000: at most 200."""
    found = alarms(tolerated, 2_000, answers(7, 400_000, tolerated))

    assert 20 <= len(found) <= 200


def test_a_share_well_below_raises_a_tenth_of_them_at_most() -> None:
    assert len(alarms(0.1, 2_000, answers(7, 400_000, 0.07))) <= 20


@pytest.mark.parametrize(
    ("tolerated", "share", "at_most"),
    [(0.01, 1.0, 5), (0.05, 1.0, 6), (0.2, 1.0, 10), (0.05, 0.5, 25), (0.05, 0.1, 700)],
)
def test_a_larger_share_is_found(tolerated: float, share: float, at_most: int) -> None:
    assert alarms(tolerated, 1e5, answers(3, 5_000, share))[0] < at_most


@given(shares)
def test_every_bet_is_fair_at_the_tolerated_share_and_cannot_lose_more_than_all(
    tolerated: float,
) -> None:
    if_yes, if_no = (raised(NO_EVIDENCE, tolerated, answer) for answer in (True, False))

    for yes, no in zip(if_yes, if_no, strict=True):
        assert yes > 1 > no > 0
        assert tolerated * yes + (1 - tolerated) * no == pytest.approx(1)


def test_the_promise_is_one_of_days_at_any_pace() -> None:
    """A tenth of the answers a day: in as many answers ten times the days, and the alarms."""
    stream = answers(5, 100_000, 0.1)

    in_many_days = len(alarms(0.1, 2_000, stream))
    in_few_days = len(alarms(0.1, 2_000, stream, days=0.1))

    assert in_few_days <= 100_000 * 0.1 / 2_000
    assert in_few_days < in_many_days <= 100_000 / 2_000
