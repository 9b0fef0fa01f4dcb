"""One false-alarm promise: its shares add up to at most one, however many series come."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import Budget as Settings
from schemas.config import Config, Kafka
from schemas.site import SiteSettings
from streams.budget import Account, Budget, share_of


@given(st.integers(1, 200_000))
def test_however_many_series_their_shares_are_at_most_one(series_n: int) -> None:
    total, place, size = Fraction(0), 0, 16
    while place < series_n:  # the shares of a block are equal: one stands for all
        n = min(size, series_n - place)
        total += n * Fraction(1 / share_of(place)).limit_denominator(1) ** -1
        assert share_of(place) == share_of(place + n - 1)
        place, size = place + n, size * 2

    assert total < 1


def test_shares_get_smaller_the_later_a_series_comes() -> None:
    shares = [share_of(place) for place in range(2_000)]

    assert shares == sorted(shares, reverse=True)
    assert sum(shares) < 1


@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=60))
def test_expected_false_alarms_of_a_site_are_its_part_of_the_promise(per_day: list[float]) -> None:
    budget = Budget(Config(budget=Settings(false_incidents=1, per_days=30, sites=4)))

    alarms_per_day = sum(pace / budget.grant("north", pace) for pace in per_day)

    assert alarms_per_day <= 1 / 30 / 4 * (1 + 1e-9)


def test_sites_do_not_take_from_each_other() -> None:
    budget = Budget(Config())
    budget.grant("north", 100.0)

    assert budget.grant("south", 100.0) == Budget(Config()).grant("south", 100.0)


def test_twice_the_pace_is_twice_the_observations_between_alarms() -> None:
    slow, fast = Budget(Config()), Budget(Config())

    assert fast.grant("north", 200.0) == pytest.approx(2 * slow.grant("north", 100.0))


@pytest.mark.parametrize(
    ("config", "sites"),
    [
        (Config(), 6),
        (Config(kafka=Kafka(partitions=2)), 2),
        (Config(sites=[SiteSettings(name=f"s{n}") for n in range(9)]), 9),
        (Config(budget=Settings(sites=40)), 40),
    ],
)
def test_the_promise_is_shared_by_the_sites(config: Config, sites: int) -> None:
    assert Budget(config).sites == sites


def test_what_was_given_is_given_once_after_a_restart_as_well() -> None:
    config = Config()
    budget, restarted = Budget(config), Budget(config)
    for _ in range(20):
        budget.grant("north", 100.0)

    written = msgspec.msgpack.encode(list(budget.changes()))
    restarted.restore(msgspec.msgpack.decode(written, type=list[Account]))

    assert restarted.grant("north", 100.0) == budget.grant("north", 100.0)
    assert list(restarted.changes()) == [Account("north", 21)]
