"""The broker's clock is never overstated."""

from streams.kafka.broker_clock import BrokerClock, OwnClock


def test_nothing_is_known_before_the_first_acknowledgement() -> None:
    assert BrokerClock().earliest_us(5.0) is None


def test_it_goes_on_from_the_acknowledged_append() -> None:
    clock = BrokerClock()

    clock.acknowledged(1_000, sent_s=4.9, monotonic_s=5.0)

    assert clock.earliest_us(5.0) == 1_000_000
    assert clock.earliest_us(7.5) == 3_500_000


def test_it_is_whole_milliseconds_like_the_stamps_it_is_compared_with() -> None:
    clock = BrokerClock()

    clock.acknowledged(1_000, sent_s=4.9, monotonic_s=5.0)

    assert clock.earliest_us(5.0019) == 1_001_000


def test_a_broker_that_was_set_back_is_believed() -> None:
    clock = BrokerClock()
    clock.acknowledged(9_000, sent_s=4.9, monotonic_s=5.0)

    clock.acknowledged(1_000, sent_s=5.9, monotonic_s=6.0)

    assert clock.earliest_us(6.0) == 1_000_000


def test_what_was_appended_before_a_record_was_sent_has_no_later_stamp_than_that_record() -> None:
    clock = BrokerClock()
    assert clock.shown_after_us(4.0) is None

    clock.acknowledged(1_000, sent_s=4.9, monotonic_s=5.0)

    assert clock.shown_after_us(4.9) == 1_000_000
    assert clock.shown_after_us(4.95) is None, "it was on its way: it may have been stamped before"


def test_who_asks_for_what_is_not_known_has_a_record_sent() -> None:
    clock = BrokerClock()
    clock.acknowledged(1_000, sent_s=4.9, monotonic_s=5.0)
    assert not clock.awaited

    clock.shown_after_us(6.0)

    assert clock.awaited
    clock.acknowledged(2_500, sent_s=6.1, monotonic_s=6.2)
    assert not clock.awaited
    assert clock.shown_after_us(6.0) == 2_500_000


def test_a_broker_that_stamps_needs_no_clamp() -> None:
    assert BrokerClock().latest_us() is None


def test_our_own_stands_in_for_one_that_does_not() -> None:
    clock = OwnClock(lambda: 7)
    clock.acknowledged(1_000, sent_s=4.9, monotonic_s=5.0)

    assert (clock.earliest_us(5.0), clock.shown_after_us(9.0), clock.latest_us()) == (7, 7, 7)
    assert not clock.awaited
