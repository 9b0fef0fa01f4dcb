"""The short form of bench/slices.py: one scanner of twelve, at .1 false alarms in 5,000 studies."""

from bench.slices import bound, found


def test_scores_that_collapse_in_one_scanner_are_found_and_named() -> None:
    told = [found(seed, "scores and calls collapse") for seed in range(2)]

    assert all(one.studies is not None and one.studies <= 640 for one in told)
    assert all(one.right for one in told)


def test_calls_alone_cannot_be_told_that_soon_by_anybody() -> None:
    assert 900 < bound() < 1_100
