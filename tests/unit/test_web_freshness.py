"""What the line at the top says, and for whom nobody can speak."""

import pytest

from streams.partitioner import partition_of
from streams.web.freshness import Freshness, Proof, Reading, freshness
from streams.web.words import Clockface
from tests.unit.builders import us
from tests.unit.web_desk import NOW_S, config

N = 4
HOME = partition_of("north", N)
OTHERS = tuple(n for n in range(N) if n != HOME)
READ = Reading(us(NOW_S), 1.0, N)


def said(ago_s: dict[int, float], *, stale: tuple[int, ...] = (), site: str = "north") -> Freshness:
    """What is said when partitions have proved their time so long ago."""
    proved_us = {partition: us(NOW_S - seconds) for partition, seconds in ago_s.items()}
    proof = Proof(proved_us, frozenset(stale), {site})
    return freshness(config(), READ, proof, Clockface(config(), us(NOW_S)))


def test_all_heard_of_lately_is_live() -> None:
    fresh = said(dict.fromkeys(range(N), 100.0))

    assert (fresh.tone, fresh.blind) == ("live", frozenset())
    assert fresh.sentence == "Live. All that happened until 01:58:20 is judged."


def test_nobody_waits_for_a_partition_without_a_site() -> None:
    fresh = said({HOME: 1.0})

    assert fresh.tone == "live"
    assert not fresh.is_blind("north")
    assert fresh.blind == set(OTHERS)


def test_the_time_is_that_of_partitions_with_sites() -> None:
    """Others write where they stand once a minute."""
    fresh = said({HOME: 1.0} | dict.fromkeys(OTHERS, 50.0))

    assert fresh.sentence == "Live. All that happened until 01:59:59 is judged."


def test_a_partition_with_a_site_that_was_never_heard_is_told() -> None:
    fresh = said(dict.fromkeys(OTHERS, 1.0))

    assert fresh.tone == "behind"
    assert "not heard on 1 of 4 partitions" in fresh.sentence
    assert fresh.is_blind("north")


def test_a_partition_that_fell_behind_is_told_whoever_lives_there() -> None:
    fresh = said({HOME: 1.0} | dict.fromkeys(OTHERS, 3600.0))

    assert fresh.tone == "behind"
    assert "up to 60 min behind on 3 of 4" in fresh.sentence
    assert not fresh.is_blind("north")


def test_what_the_monitor_calls_stale_is_behind_before_its_time_is() -> None:
    assert said(dict.fromkeys(range(N), 100.0), stale=(HOME,)).is_blind("north")


@pytest.mark.parametrize("ago_s", [{}, dict.fromkeys(range(N), 3600.0)])
def test_nothing_is_live_without_a_word_of_any(ago_s: dict[int, float]) -> None:
    fresh = said(ago_s)

    assert fresh.tone == "unknown"
    assert not fresh.is_live
    assert fresh.is_blind("north")
