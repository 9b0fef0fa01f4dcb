"""One false-alarm promise: its shares add up to at most one, however many series come."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import Promise
from schemas.config import Budget as Settings
from schemas.config import Config
from schemas.kafka import Kafka
from schemas.site import SiteSettings
from streams.budget import AHEAD, Account, Budget, share_of
from streams.pace import DAY_US
from streams.series.share import Share


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


@given(
    st.floats(0.01, 1_000),
    st.floats(0.5, 3_000),
    st.integers(1, 12),
    st.lists(st.sampled_from("abcdefghijkl"), max_size=400),
)
def test_expected_false_alarms_of_all_sites_are_at_most_the_promise(
    n: float, days: float, sites: int, grants: list[str]
) -> None:
    """Whatever the order in which the series of the sites come, and at whatever pace they run."""
    budget = Budget(Config(budget=Settings(false_incidents=n, per_days=days, sites=sites)))

    among = "abcdefghijkl"[:sites]
    alarms_per_day = sum(1 / budget.grant(site) for site in grants if site in among)

    assert alarms_per_day <= n / days * (1 + 1e-9)


def test_one_that_can_promise_nothing_uses_no_share_up() -> None:
    budget = Budget(Config())

    unpromised = [budget.unpromised("north") for _ in range(40)]

    assert {*unpromised} == {budget.grant("north")}
    assert budget.unpromised("south") == Budget(Config()).grant("south")


def test_sites_do_not_take_from_each_other() -> None:
    budget = Budget(Config())
    budget.grant("north")

    assert budget.grant("south") == Budget(Config()).grant("south")


class TestShare:
    def test_it_is_granted_once(self) -> None:
        share, grants = Share(), iter([100.0, 200.0])

        for _ in range(3):
            share.settle(lambda _: next(grants), is_promised=True, per_day=50)

        assert share.promise == Promise(100.0, 2 * 50)

    def test_what_becomes_promised_gets_a_share_of_its_own(self) -> None:
        share = Share()

        share.settle(lambda promised: 7.0 if promised else 1.0, is_promised=False, per_day=50)
        before = share.days
        share.settle(lambda promised: 7.0 if promised else 1.0, is_promised=True, per_day=50)

        assert (before, share.days) == (1.0, 7.0)

    @given(st.lists(st.floats(1, 1e6), min_size=1, max_size=30), st.integers(1, 100))
    def test_a_day_that_was_faster_than_the_votes_are_armed_for_arms_them_again(
        self, paces: list[float], block_n: int
    ) -> None:
        share, at_us = Share(days=10.0, per_day=paces[0] * AHEAD), 0
        for pace in paces:
            for _ in range(3):
                at_us += DAY_US
                before = share.per_day
                assert share.falls_behind(int(pace), at_us) == (share.per_day > before)
            assert share.per_day >= int(pace)

    def test_an_hour_is_no_day(self) -> None:
        share = Share(days=10.0, per_day=100.0)

        assert not any(share.falls_behind(1_000, hour * DAY_US // 24) for hour in range(24))
        assert share.falls_behind(1_000, DAY_US)


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
        budget.grant("north")

    written = msgspec.msgpack.encode(list(budget.changes()))
    restarted.restore(msgspec.msgpack.decode(written, type=list[Account]))

    assert restarted.grant("north") == budget.grant("north")
    assert list(restarted.changes()) == [Account("north", 21)]
