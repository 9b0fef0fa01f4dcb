"""The whole still learns and its slices do not: who moved is told from rows all the same."""

from itertools import islice

import pytest
from msgspec.structs import replace

from schemas.config import Reference
from streams.finding import Finding
from tests.unit.sliced_feed import CONFIG, Sliced, events

LEARNING = replace(CONFIG, reference=Reference(observations=600, min_days=0))
FAULT = 400  # of 600 that the whole learns from; each slice has its 60 within 250


def told(scanner: str, seed: int, n: int = 1_500, restart: bool = False) -> list[Finding]:
    shard, feed = Sliced(LEARNING), events(n, seed, (FAULT, n), scanner)
    while seen := list(islice(feed, 25)):
        shard.feed(seen)
        shard = shard.restarted() if restart else shard
    return shard.findings("p.score")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fault_of_all_is_told_as_one_of_nobody(seed: int) -> None:
    found = told("all", seed)

    assert found[0].signal == "holds"
    assert {one.signal for one in found} <= {"holds", "changed"}
    assert not [one.title for one in found if " in " in one.title]
    assert not [one for one in found if one.evidence.slices]


def test_it_says_from_where_to_where_all_of_it_moved() -> None:
    first, *_ = told("all", 1, n=FAULT + 50)

    since = first.evidence
    assert since.before == pytest.approx(0, abs=0.2)  # of sd 1
    assert since.after == pytest.approx(3, abs=0.9)  # of some 10
    assert (since.reference_n or 0) >= 100  # when the first slice had its 60
    assert 1 <= (since.current_n or 0) <= 50


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fault_of_one_scanner_is_told_as_its_own(seed: int) -> None:
    found = told("CT2", seed)

    assert all("scanner.station=CT2" in one.title for one in found)


def test_what_is_told_does_not_depend_on_restarts() -> None:
    assert told("all", 1, n=900, restart=True) == told("all", 1, n=900)


def test_the_next_version_is_not_held_against_the_rows_of_the_last() -> None:
    """Scores of the next one are three higher in all scanners; then one of them moves."""
    shard = Sliced(LEARNING)
    shard.feed(events(FAULT))
    shard.detect.accept_model("north", "ptx")
    feed = events(2 * FAULT, 2, (0, FAULT), "all")
    while seen := list(islice(feed, 25)):
        shard.feed(seen)

    found = shard.findings("p.score")
    assert found
    assert found[0].evidence.before == pytest.approx(3, abs=0.3)
    assert found[0].evidence.after == pytest.approx(0, abs=0.9)
