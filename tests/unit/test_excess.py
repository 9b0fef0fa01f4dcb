"""policy = "rate": shown when bad outcomes are more than what is tolerated, over when clean."""

from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.outcomes.excess import Excess


def verdicts(outcomes: str, tolerated_share: float = 0.05, days: float = 7.0) -> list[str]:
    """What is said after outcomes such as "ggb", one a minute; silence is left out.

    7 days are about 10,000 outcomes.
    """
    excess = Excess(tolerated_share=tolerated_share)
    minutes = count(60_000_000, 60_000_000)
    said = (
        excess.take(one == "b", at, lambda: days)
        for one, at in zip(outcomes, minutes, strict=False)
    )
    return [verdict for verdict in said if verdict is not None]


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ("g" * 40, []),
        ("b" * 40, []),  # too early: it may hardly be used
        ("g" * 50 + "b" * 6, ["shown"]),
        ("g" * 50 + "bg" * 8, ["shown"]),
        ("g" * 40 + "b" + ("g" * 19 + "b") * 20, []),
        ("g" * 59, ["clean"]),
        ("g" * 200, ["clean"]),
        ("g" * 50 + "b" * 6 + "g" * 58 + "b", ["shown"]),
        ("g" * 50 + "b" * 6 + "g" * 59, ["shown", "clean"]),
    ],
)
def test_the_verdict_on_a_run_of_outcomes(outcomes: str, said: list[str]) -> None:
    assert verdicts(outcomes) == said


def test_the_share_is_counted_from_the_last_clean_run() -> None:
    excess = Excess(tolerated_share=0.05)
    for number in range(60):
        excess.take(True, number, lambda: 1e9)
    for number in range(59):
        excess.take(False, number, lambda: 1e9)

    excess.take(True, 0, lambda: 1e9)
    excess.take(False, 0, lambda: 1e9)

    assert excess.share == 0.5


def test_a_clean_run_of_weeks_does_not_thin_the_share_that_is_told_after_it() -> None:
    excess = Excess(tolerated_share=0.05)
    for number in range(5_000):
        excess.take(False, number, lambda: 1e9)
    for number in range(10):
        excess.take(number % 2 == 0, 5_000 + number, lambda: 1e9)

    assert excess.share == 0.5


@given(st.floats(1e-12, 1, exclude_max=True), st.floats(1e-6, 1e15))
@settings(max_examples=50)
def test_good_outcomes_alone_never_show_an_excess(tolerated_share: float, days: float) -> None:
    assert "shown" not in verdicts("g" * 300, tolerated_share, days)


@pytest.mark.parametrize("minutes", [0.1, 1.0, 60.0])
def test_the_promise_is_kept_in_days_at_any_pace(minutes: float) -> None:
    """5 % are tolerated, 5 % are bad: at most one false alarm in 3 days, on average over 300."""
    random, days, alarms = Random(4), 3.0, 0
    excess = Excess(tolerated_share=0.05)
    for number in range(int(300 * 1440 / minutes / 20)):
        at_us = int(number * minutes * 60e6)
        alarms += excess.take(random.random() < 0.05, at_us, lambda: days) == "shown"

    watched_days = at_us / 86_400e6
    assert alarms <= 1.2 * watched_days / days + 2


def test_a_long_silence_is_no_evidence() -> None:
    excess = Excess(tolerated_share=0.05)
    for number in range(60):
        excess.take(False, number + 1, lambda: 30.0)

    assert excess.take(True, 400 * 86_400_000_000, lambda: 30.0) is None
