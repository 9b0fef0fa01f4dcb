"""policy = "rate": shown when bad outcomes are more than what is tolerated, over when clean."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.excess import Excess


def verdicts(outcomes: str, tolerated_share: float = 0.05, arl: float = 10_000) -> list[str]:
    """What is said after outcomes such as "ggb", an outcome a minute; silence is left out."""
    excess = Excess(tolerated_share=tolerated_share)
    minutes = count(60_000_000, 60_000_000)
    said = (
        excess.take(one == "b", at, lambda _: arl)
        for one, at in zip(outcomes, minutes, strict=False)
    )
    return [verdict for verdict in said if verdict is not None]


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ("g" * 40, []),
        ("b" * 40, []),  # too early: the pace is not known yet
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
        excess.take(True, number, lambda _: 1e9)
    for number in range(59):
        excess.take(False, number, lambda _: 1e9)

    excess.take(True, 0, lambda _: 1e9)
    excess.take(False, 0, lambda _: 1e9)

    assert excess.share == 0.5


@given(st.floats(1e-12, 1, exclude_max=True), st.floats(1e-6, 1e15))
@settings(max_examples=50)
def test_good_outcomes_alone_never_show_an_excess(tolerated_share: float, arl: float) -> None:
    assert "shown" not in verdicts("g" * 300, tolerated_share, arl)


def test_the_promise_is_never_less_than_what_was_measured_to_hold() -> None:
    said = verdicts("g" * 50 + "gb" * 2, arl=0.001)

    assert said == []


def test_outcomes_of_one_moment_have_a_pace() -> None:
    excess = Excess(tolerated_share=0.05)
    paces: list[float] = []

    for _ in range(50):
        excess.take(False, 7, lambda pace: paces.append(pace) or 1e6)

    assert 0 < paces[0] < float("inf")
