"""When an outage is over: not by answers that came too late for what was missed."""

from itertools import count

import pytest

from schemas.config import Deadlines, Model, Outage
from schemas.study import Expectation
from tests.unit.builders import Shard, config, outcomes, prediction, story, study

OPENED = "open: opened @100"


def shard(**settings: object) -> Shard:
    """Stat studies have 100 s, others 1000."""
    deadline_s = Deadlines(stat=100, routine=1000)
    return Shard(config([Model(name="ptx", deadline_s=deadline_s, **settings)]))


def missed(north: Shard, key: str = "stat", at_s: float = 0) -> None:
    north.send(study(key, at_s, priority="stat"))
    north.proved(at_s + 100)


def answered(north: Shard, at_s: float, took_s: float, key: str = "", **fields: object) -> None:
    key = key or f"at {at_s}"
    north.send(study(key, at_s, **fields))
    north.proved(at_s + took_s - 1)
    north.send(prediction(key, at_s + took_s))
    north.proved(at_s + took_s)


def test_an_answer_that_took_longer_than_the_missed_study_had_does_not_end_the_outage() -> None:
    north = shard()
    missed(north)

    answered(north, 110, took_s=101)

    assert outcomes(north.said)[-1] == "at 110 on_time 1 @211"
    assert story(north.said) == [OPENED]


def test_one_within_that_time_does_whatever_its_own_deadline() -> None:
    north = shard()
    missed(north)

    answered(north, 110, took_s=100)

    assert story(north.said) == [OPENED, "resolving: recovering @210"]


def test_where_some_were_too_slow_it_takes_two_in_a_row() -> None:
    north = shard()
    missed(north)
    answered(north, 200, took_s=300)
    answered(north, 600, took_s=50)
    assert story(north.said) == [OPENED]

    answered(north, 700, took_s=50)

    assert story(north.said) == [OPENED, "resolving: recovering @750"]


def test_and_more_where_many_are_quick_between_the_slow_ones() -> None:
    """Of twelve 5 were quick: four in a row come by chance once in twenty."""
    north = shard()
    missed(north)
    at_s = count(1000, 1000)
    for took_s in [300] + [50, 300] * 5:
        answered(north, next(at_s), took_s)
    for _ in range(3):
        answered(north, next(at_s), took_s=50)
    three = story(north.said)

    answered(north, next(at_s), took_s=50)

    assert three == [OPENED]
    assert story(north.said) == [OPENED, "resolving: recovering @15050"]


def test_a_model_that_answers_late_for_good_is_one_incident_and_one_of_latency() -> None:
    """Stat studies late, routine ones on time: what was told anew after each of them."""
    north = shard(late=Outage(policy="rate", tolerated_share=0.05))
    for number in range(60):
        answered(north, 5000 * number, took_s=250)
    for number in range(60, 120):
        answered(north, 5000 * number, took_s=250)
        answered(north, 5000 * number + 1000, took_s=250, key=f"stat {number}", priority="stat")

    assert [i.reason for i in north.incidents("missing_output")].count("opened") == 1
    assert {i.state for i in north.incidents("missing_output")} == {"open"}
    assert [i.reason for i in north.incidents("latency")].count("opened") == 1
    last = north.incidents("missing_output")[-1]
    whole = "ptx at north gives no result: 60 studies past the deadline, 59 results have come late"
    assert last.title == whole


def test_the_backlog_that_is_worked_off_does_not_keep_an_outage_going() -> None:
    """Studies from before the repair are answered after hours; new ones at once."""
    north = shard()
    keys = [f"waits {number}" for number in range(10)]
    for number, key in enumerate(keys):
        missed(north, key, at_s=10 * number)
    north.send(study("new", 2000))
    for number, key in enumerate(keys):
        north.send(prediction(key, 2001 + number))
    north.proved(2010)
    assert story(north.said)[-1].startswith("open")

    north.send(prediction("new", 2020))
    north.proved(2020)

    assert story(north.said)[-1] == "resolving: recovering @2020"


def test_an_older_study_that_waits_keeps_it_open_though_an_even_older_one_was_answered() -> None:
    north = shard()
    missed(north)
    answered(north, 110, took_s=200)
    north.send(study("waits", 400))
    answered(north, 410, took_s=20)
    answered(north, 440, took_s=20)
    waiting = story(north.said)

    north.send(prediction("waits", 480))
    north.proved(480)

    assert waiting == [OPENED]
    assert story(north.said) == [OPENED, "resolving: recovering @480"]


@pytest.mark.parametrize("restart_after", [None, 0, 7, 19])
def test_twenty_on_time_end_what_no_answer_is_quick_enough_for(restart_after: int | None) -> None:
    north = shard()
    north.send(study("at once", 0, expects=[Expectation(model="ptx", deadline_s=1)]))
    north.proved(1)
    for number in range(19):
        if number == restart_after:
            north.restart()
        answered(north, 100 + 100 * number, took_s=30)
    nineteen = story(north.said)
    if restart_after == 19:
        north.restart()

    answered(north, 3000, took_s=30)

    assert nineteen == ["open: opened @1"]
    assert story(north.said) == ["open: opened @1", "resolving: recovering @3030"]


def test_how_long_it_took_is_nothing_to_a_failure() -> None:
    north = shard()
    north.send(study("a", 0), prediction("a", 10, status="failed"))
    north.proved(10)

    answered(north, 20, took_s=900)

    assert story(north.said) == ["open: opened @10", "resolving: recovering @920"]
