"""The merge's bookkeeping: gaps, repeats, proofs, bounds."""

import pytest

from streams.merge import UNKNOWN_US, Chunk, Merge, Place
from tests.property.test_merge import Written


def chunk(name: str, start: int, *stamps: int, end: int | None = None) -> Chunk:
    records = [Written(start + n, stamp) for n, stamp in enumerate(stamps)]
    return Chunk(name, 0, start, start + len(records) if end is None else end, records)


def offsets(merge: Merge) -> list[int]:
    return [arrival.record.offset for arrival in merge.ready()]


def test_a_chunk_that_starts_too_high_is_sought_back_to() -> None:
    merge = Merge(["a"])

    assert merge.offer(chunk("a", 5, 10)) == 0
    assert merge.offer(chunk("a", 0, 1, 2, 3, 4, 5, 10)) is None
    assert offsets(merge) == [0, 1, 2, 3, 4, 5]


def test_a_gap_of_the_log_is_taken_when_it_comes_again() -> None:
    merge = Merge(["a"])

    assert merge.offer(chunk("a", 5, 10)) == 0
    assert merge.offer(chunk("a", 5, 10, 11)) is None
    assert offsets(merge) == [5, 6]
    assert merge.skipped == 5


def test_a_chunk_without_offsets_says_where_the_consumer_is_and_bridges_no_gap() -> None:
    merge = Merge(["a"])
    here = chunk("a", 5)

    assert [merge.offer(here), merge.offer(here)] == [0, 0]
    assert merge.offer(chunk("a", 5, 10)) == 0, "the first that holds anything"
    assert merge.offer(chunk("a", 0, 1, 2, 3, 4, 5)) is None
    assert merge.offer(here) is None
    assert merge.skipped == 0


def test_another_start_is_another_gap() -> None:
    merge = Merge(["a"])

    assert merge.offer(chunk("a", 5, 10)) == 0
    assert merge.offer(chunk("a", 7, 10)) == 0
    assert merge.offer(chunk("a", 5, 10)) == 0


def test_repeats_are_counted_and_dropped() -> None:
    merge = Merge(["a"])
    merge.offer(chunk("a", 0, 1, 2))

    merge.offer(chunk("a", 0, 1, 2, 3))

    assert offsets(merge) == [0, 1, 2]
    assert merge.repeated == 2


def test_control_records_move_the_place_and_are_no_records() -> None:
    merge = Merge(["a"])

    merge.offer(chunk("a", 0, 1, end=4))

    assert offsets(merge) == [0]
    assert merge.places() == (Place(4, 1000),)


def test_nothing_leaves_while_another_topic_is_unknown() -> None:
    merge = Merge(["a", "b"])
    merge.offer(chunk("a", 0, 5))

    assert offsets(merge) == []
    assert merge.bound_us == UNKNOWN_US


def test_a_proof_waits_for_what_lies_below_it() -> None:
    merge = Merge(["a", "b"])
    merge.offer(chunk("a", 0, 5))

    merge.prove("b", end=1, t0_us=9_000)
    assert offsets(merge) == []
    merge.offer(chunk("b", 0, 7))

    assert offsets(merge) == [0]
    merge.prove("a", end=1, t0_us=9_000)
    assert offsets(merge) == [0]
    assert merge.bound_us == 9_000


@pytest.mark.parametrize(("first", "second"), [("a", "b"), ("b", "a")])
def test_ties_go_to_the_topic_listed_first(first: str, second: str) -> None:
    merge = Merge(["a", "b"])
    merge.offer(chunk(first, 0, 5))
    merge.offer(chunk(second, 0, 5))
    merge.prove("a", 1, 6_000)
    merge.prove("b", 1, 6_000)

    assert [arrival.topic for arrival in merge.ready()] == [0, 1]


def test_a_queued_record_is_not_handled() -> None:
    merge = Merge(["a", "b"])
    merge.offer(chunk("a", 0, 1, 2, 3))
    merge.prove("b", 0, 2_000)

    assert offsets(merge) == [0, 1]
    assert merge.places()[0] == Place(2, 2_000)
    assert merge.queued() == 1


def test_a_topic_far_ahead_is_full_by_records_and_by_bytes() -> None:
    by_records = Merge(["a", "b"], records_max=2)
    by_bytes = Merge(["a", "b"], bytes_max=3)

    for merge in (by_records, by_bytes):
        assert merge.full() == set()
        merge.offer(chunk("a", 0, 1, 2, 3))
        assert merge.full() == {"a"}
        merge.prove("b", 0, 9_000)
        offsets(merge)
        assert merge.full() == set()


def test_a_stamp_from_the_future_is_clamped_where_producers_stamp() -> None:
    merge = Merge(["a"])

    merge.offer(chunk("a", 0, 99), now_us=50_000)

    assert [arrival.arrived_us for arrival in merge.ready()] == [50_000]
