"""A share is shown to exceed within the promise in days, at any pace, and found soon."""

from collections.abc import Iterator
from random import Random

import pytest

from streams.share_bet import ShareBet, clean_run, direction, wilson

_DAY_US = 86_400_000_000


def answers(share: float, per_day: float, seed: int) -> Iterator[tuple[bool, int]]:
    """Yes with this chance, at random moments; the pace triples every other week."""
    rng, at_days = Random(seed), 0.0
    while True:
        pace = per_day * (3 if int(at_days / 7) % 2 else 1)
        at_days += rng.expovariate(pace)
        yield rng.random() < share, int(at_days * _DAY_US)


def first_alarm_days(share: float, tolerated: float, days: float, seed: int) -> float:
    """When the first alarm comes, in days; ten times the promise where none comes before."""
    bet, began_us = ShareBet(), 0
    for yes, at_us in answers(share, 20.0, seed):
        if bet.days is None:
            began_us = at_us
        signal = bet.take(yes, at_us, tolerated, lambda: days)
        since_days = (at_us - began_us) / _DAY_US
        if signal == "holds" or since_days > 10 * days:
            return since_days
    raise AssertionError("the answers never end")


@pytest.mark.parametrize("tolerated", [0.01, 0.05, 0.2])
def test_the_mean_time_between_false_alarms_is_at_least_the_promise(tolerated: float) -> None:
    days = 20.0
    times = [first_alarm_days(tolerated, tolerated, days, seed) for seed in range(200)]

    assert sum(times) / len(times) >= days * 0.9  # the mean of 200 has an error of 7 %


def test_twice_the_tolerated_share_is_found_soon() -> None:
    times = sorted(first_alarm_days(0.10, 0.05, 1_000.0, seed) for seed in range(50))

    assert times[25] * 40 <= 600  # studies, at the mean pace


def test_stamps_that_go_backwards_are_no_time() -> None:
    bet, other = ShareBet(days=10.0, latest_us=100), ShareBet(days=10.0, latest_us=100)

    bet.take(True, 40, 0.05, lambda: 10.0)
    other.take(True, 100, 0.05, lambda: 10.0)

    assert bet.evidence == other.evidence
    assert bet.latest_us == 100


@pytest.mark.parametrize("tolerated", [0.01, 0.05, 0.5, 0.9])
def test_a_no_alone_never_shows_an_excess(tolerated: float) -> None:
    bet = ShareBet()

    said = [bet.take(False, n * _DAY_US, tolerated, lambda: 1e-6) for n in range(1_000)]

    assert said == [None] * 1_000


def test_a_clean_run_begins_the_count_anew() -> None:
    bet = ShareBet()
    for n in range(10):
        bet.affects(f"{n}", n)
        bet.take(True, n, 0.05, lambda: 1e9)

    for n in range(clean_run(0.05)):
        bet.take(False, n, 0.05, lambda: 1e9)

    assert (bet.seen_n, bet.yes_n, bet.affected_n, bet.examples) == (0, 0, 0, [])


@pytest.mark.parametrize(
    ("tolerated", "before", "since"), [(0.05, 0.0, 0.2), (0.05, 0.02, 0.2), (0.01, 0.005, 0.05)]
)
def test_the_share_is_told_since_it_began(tolerated: float, before: float, since: float) -> None:
    shares, early_n = [], []
    for seed in range(60):
        bet, rng, n, told_n, began_n = ShareBet(), Random(seed), 0, 0, 500
        while told_n < 150:
            yes = rng.random() < (before if n < began_n else since)
            bet.take(yes, n * _DAY_US // 50, tolerated, lambda: 600.0)
            n, told_n = n + 1, told_n + bet.told
        shares.append(bet.share)
        early_n.append(began_n - (n - bet.seen_n))

    # Counted from the last clean run it was diluted by what came before.
    assert sum(shares) / len(shares) == pytest.approx(since, rel=0.15)
    assert abs(sorted(early_n)[30]) <= 15


@pytest.mark.parametrize(
    ("yes_n", "n", "low", "high"),
    [(0, 0, 0, 1), (0, 100, 0, 0.0370), (5, 100, 0.0215, 0.1118), (100, 100, 0.9630, 1)],
)
def test_limits_of_a_share(yes_n: int, n: int, low: float, high: float) -> None:
    assert wilson(yes_n, n) == pytest.approx((low, high), abs=1e-4)


def test_a_direction_is_seldom_claimed_where_there_is_none_however_long_one_looks() -> None:
    claimed_n = 0
    for seed in range(400):
        rng, more_n = Random(seed), 0
        for n in range(1, 300):
            more_n += rng.random() < 0.5
            if direction(more_n, n - more_n):
                claimed_n += 1
                break

    assert claimed_n <= 400 * 0.05


def test_a_direction_is_the_same_seen_from_the_other_side() -> None:
    for more_n in range(30):
        for less_n in range(30):
            assert direction(more_n, less_n) == -direction(less_n, more_n)
