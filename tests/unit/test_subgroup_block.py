"""What a bet wins on a block: on average no more than its stake within the margin, more beyond it.

The average is over all that can be read, so it is exact and not simulated.
"""

from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.slices.subgroup_block import Part, won

MARGIN = 0.1
STEPS = st.sampled_from([0.07, 0.15, 0.3, 0.6])
ODDS = st.sampled_from([1.0, 0.97, 0.3, 0.1, 3.0])


def read(share: float, odds: float) -> float:
    return share * odds / (1 - share + share * odds)


def chance(n: int, bad: int, share: float) -> float:
    return comb(n, bad) * share**bad * (1 - share) ** (n - bad)


def mean_won(
    group_n: int,
    rest_n: int,
    shares: tuple[float, float],
    odds: tuple[float, float] = (1.0, 1.0),
    expected: float = 0.1,
    step: float = 0.3,
) -> float:
    of_group, of_rest = (read(share, each) for share, each in zip(shares, odds, strict=True))
    return sum(
        chance(group_n, x, of_group)
        * chance(rest_n, y, of_rest)
        * won(Part(group_n, x, odds[0]), Part(rest_n, y, odds[1]), expected, MARGIN, step)
        for x in range(group_n + 1)
        for y in range(rest_n + 1)
    )


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.sampled_from([(10, 10), (10, 40), (25, 10)]),
    rest=st.floats(0, 0.9),
    within=st.floats(0, 1),
    odds=st.tuples(ODDS, ODDS),
    expected=st.floats(0, 0.85),
    step=STEPS,
)
def test_within_the_margin_nothing_is_won_whatever_the_shares(
    sizes: tuple[int, int],
    rest: float,
    within: float,
    odds: tuple[float, float],
    expected: float,
    step: float,
) -> None:
    shares = ((rest + MARGIN) * within, rest)

    assert mean_won(*sizes, shares, odds, expected, step) <= 1.001


@settings(max_examples=50, deadline=None)
@given(
    rest=st.floats(0, 0.9),
    beyond=st.floats(0, 1),
    odds=st.tuples(ODDS, ODDS),
    expected=st.floats(0, 0.85),
    step=STEPS,
)
def test_that_it_is_over_wins_nothing_while_it_is_not(
    rest: float, beyond: float, odds: tuple[float, float], expected: float, step: float
) -> None:
    shares = (rest + MARGIN + (0.9 - rest) * beyond, rest)

    assert mean_won(10, 10, shares, odds, expected, -step) <= 1.001


def test_at_the_margin_that_is_bet_against_it_is_fair() -> None:
    fair = max(mean_won(10, 10, (share / 100 + MARGIN, share / 100)) for share in range(90))

    assert fair == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("odds", [1.0, 0.3, 3.0])
def test_beyond_the_margin_it_wins(odds: float) -> None:
    assert mean_won(10, 10, (0.4, 0.1), (odds, odds)) > 1.2


def test_where_no_share_is_left_beyond_the_margin_nothing_is_bet() -> None:
    assert won(Part(10, 9), Part(10, 1), expected=0.95, margin=MARGIN, step=0.3) == 1


@pytest.mark.parametrize(("rest_bad", "expected"), [(0, 0.8), (90_000, 0.1)])
def test_however_many_studies_and_however_wrong_the_expectation_it_is_a_number(
    rest_bad: int, expected: float
) -> None:
    for step in (0.6, -0.6):
        assert 0 < won(Part(10, 5), Part(100_000, rest_bad), expected, MARGIN, step) < 1e300
