"""The broker's clock is never overstated."""

from streams.broker_clock import BrokerClock, OwnClock


def test_nothing_is_known_before_the_first_acknowledgement() -> None:
    assert BrokerClock().earliest_us(5.0) is None


def test_it_goes_on_from_the_acknowledged_append() -> None:
    clock = BrokerClock()

    clock.acknowledged(1_000, monotonic_s=5.0)

    assert clock.earliest_us(5.0) == 1_000_000
    assert clock.earliest_us(7.5) == 3_500_000


def test_it_is_whole_milliseconds_like_the_stamps_it_is_compared_with() -> None:
    clock = BrokerClock()

    clock.acknowledged(1_000, monotonic_s=5.0)

    assert clock.earliest_us(5.0019) == 1_001_000


def test_a_broker_that_was_set_back_is_believed() -> None:
    clock = BrokerClock()
    clock.acknowledged(9_000, monotonic_s=5.0)

    clock.acknowledged(1_000, monotonic_s=6.0)

    assert clock.earliest_us(6.0) == 1_000_000


def test_a_broker_that_stamps_needs_no_clamp() -> None:
    assert BrokerClock().latest_us() is None


def test_our_own_stands_in_for_one_that_does_not() -> None:
    clock = OwnClock(lambda: 7)
    clock.acknowledged(1_000, monotonic_s=5.0)

    assert (clock.earliest_us(5.0), clock.latest_us()) == (7, 7)
