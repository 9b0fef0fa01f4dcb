"""Outages are told as episodes: law 1, and when an incident opens, updates, eases and ends."""

import pytest

from schemas.config import Budget, Model, Outage
from tests.unit.builders import Shard, command, config, outcomes, prediction, seconds, story, study


def shard(**missing: object) -> Shard:
    return Shard(config([Model(name="ptx", deadline_s=100.0, missing=Outage(**missing))]))


def test_a_missed_deadline_opens_an_incident_dated_by_the_deadline() -> None:
    north = shard()
    north.send(study("a", 0))

    before = north.proved(99.9)
    said = north.proved(100)

    assert before == []
    assert outcomes(said) == ["a missing 1 @100"]
    assert story(said) == ["open: opened @100"]


def test_one_good_result_does_not_end_an_outage_while_an_older_study_still_waits() -> None:
    north = shard()
    north.send(study("missed", 0), study("waits", 50))
    north.proved(100)
    north.send(study("served", 110), prediction("served", 120))
    north.proved(125)

    waiting = story(north.said)
    north.send(prediction("waits", 130))
    north.proved(130)

    assert waiting == ["open: opened @100"]
    assert story(north.said) == ["open: opened @100", "resolving: recovering @130"]


def test_an_older_study_that_is_missed_as_well_keeps_the_outage_open() -> None:
    north = shard(update_s=1.0)
    north.send(study("missed", 0), study("waits", 50))
    north.proved(100)
    north.send(study("served", 110), prediction("served", 120))

    north.proved(150)
    north.send(study("later", 160), prediction("later", 165))
    north.proved(165)

    assert story(north.said) == [
        "open: opened @100",
        "open: updated @150",
        "resolving: recovering @165",
    ]


def test_a_result_of_a_study_that_started_during_the_outage_does_not_end_it() -> None:
    north = shard()
    north.send(study("missed", 0), study("same time", 90))
    north.proved(100)

    north.send(prediction("same time", 110))
    north.proved(110)

    assert story(north.said) == ["open: opened @100"]


def test_no_data_never_resolves() -> None:
    north = shard()
    north.send(study("a", 0))

    north.proved(10_000_000)

    assert story(north.said) == ["open: opened @100"]
    assert north.pipeline.next_due() is None


def test_an_outage_is_resolved_after_its_hold_and_the_next_is_a_new_incident() -> None:
    north = shard(hold_s=300.0)
    north.send(study("a", 0))
    north.proved(100)
    north.send(study("b", 110), prediction("b", 120))
    north.proved(420)
    north.send(study("c", 2_200))
    north.proved(2_300)

    assert story(north.said) == [
        "open: opened @100",
        "resolving: recovering @120",
        "resolved: recovered @420",
        "open: opened @2300",
    ]
    first, second = north.incidents("missing_output")[0], north.incidents("missing_output")[-1]
    assert (second.seq, second.reopen_of) == (1, first.incident)
    assert second.evidence.affected_count == 1


def test_another_miss_within_the_hold_is_the_same_incident() -> None:
    north = shard(hold_s=300.0)
    north.send(study("a", 0))
    north.proved(100)
    north.send(study("b", 110), prediction("b", 120), study("c", 130))
    north.proved(230)

    assert story(north.said)[-1] == "open: recurred @230"
    assert len({i.incident for i in north.incidents("missing_output")}) == 1
    assert north.incidents("missing_output")[-1].evidence.affected_count == 2


def test_an_incident_opens_after_so_many_and_is_dated_by_the_first() -> None:
    north = shard(open_after=3)
    north.send(study("a", 0), study("b", 10), study("c", 20))

    two = story(north.proved(115))
    three = north.proved(120)

    assert two == []
    assert story(three) == ["open: opened @120"]
    opened = north.incidents("missing_output")[0]
    assert seconds(opened.opened_at) == 100
    assert opened.evidence.examples == ["a", "b", "c"]


def test_too_few_misses_are_forgotten_once_the_model_answers() -> None:
    north = shard(open_after=2)
    north.send(study("a", 0))
    north.proved(100)
    north.send(study("b", 110), prediction("b", 120), study("c", 130))

    north.proved(230)

    assert story(north.said) == []


@pytest.mark.parametrize(
    ("status", "kind"), [("failed", "failed_output"), ("completed", "incomplete_output")]
)
def test_each_bad_outcome_has_its_own_kind_of_incident(status: str, kind: str) -> None:
    north = Shard(config([Model(name="ptx", deadline_s=100.0, findings=("fracture",))]))

    north.send(study("a", 0), prediction("a", 10, status=status))
    before = north.proved(9.9)
    said = north.proved(10)

    assert before == []
    assert story(said) == ["open: opened @10"]
    assert [i.state for i in north.incidents(kind)] == ["open"]


def test_examples_stop_at_twenty_and_the_count_goes_on() -> None:
    north = shard(update_s=1.0)
    for number in range(30):
        north.send(study(f"s{number}", number))
        north.proved(number)

    north.proved(1_000)

    evidence = north.incidents("missing_output")[-1].evidence
    assert evidence.affected_count == 30
    assert evidence.examples == [f"s{number}" for number in range(20)]


def test_a_note_on_a_resolved_incident_does_not_forget_what_has_begun_since() -> None:
    north = shard(open_after=2)
    north.send(study("a", 0), study("b", 1))
    north.proved(101)
    north.send(study("c", 110), prediction("c", 120))
    north.proved(420)
    resolved = north.incidents("missing_output")[-1]
    north.send(study("d", 430))
    north.proved(530)

    north.send(command("note", at_s=595, incident=resolved.incident, text="was the network"))
    north.send(study("e", 600))
    north.proved(700)

    assert story(north.said)[-2:] == ["resolved: noted @595", "open: reopened @700"]


def rate(per_days: float = 30, hold_s: float = 300) -> Shard:
    missing = Outage(policy="rate", tolerated_share=0.05, hold_s=hold_s)
    model = Model(name="ptx", missing=missing, deadline_s=100.0)
    return Shard(config([model], budget=Budget(per_days=per_days, sites=1)))


def answered(north: Shard, first: int, stop: int, missed: range = range(0)) -> None:
    for number in range(first, stop):
        north.send(study(f"s{number}", number * 60))
        if number not in missed:
            north.send(prediction(f"s{number}", number * 60 + 10))
    north.proved(stop * 60 + 100)


def test_a_rare_miss_is_no_incident_under_the_rate_policy() -> None:
    north = rate()

    answered(north, 0, 400, missed=range(0, 400, 40))

    assert north.incidents("missing_output") == []


def test_an_excess_of_misses_opens_and_a_clean_run_ends_it_under_the_rate_policy() -> None:
    north = rate()
    answered(north, 0, 100)
    answered(north, 100, 130, missed=range(100, 130))
    opened = story(north.said)
    answered(north, 130, 300)

    assert len(opened) >= 1
    assert opened[0].startswith("open: opened")
    assert [i.state for i in north.incidents("missing_output")][-1] == "resolved"
    assert north.incidents("missing_output")[0].evidence.detector == "bet_sr"


def test_a_miss_that_is_tolerated_does_not_bring_an_outage_back_under_the_rate_policy() -> None:
    north = rate(hold_s=20_000)
    answered(north, 0, 100)
    answered(north, 100, 130, missed=range(100, 130))
    answered(north, 130, 200)
    before = [i.state for i in north.incidents("missing_output")][-1]

    answered(north, 200, 230, missed=range(200, 201))

    assert before == "resolving"
    assert [i.state for i in north.incidents("missing_output")][-1] == "resolving"


def test_a_generous_budget_and_a_slow_site_do_not_break_the_bet() -> None:
    north = rate(per_days=0.0001)

    for number in range(120):
        north.send(study(f"s{number}", number * 86_400), prediction(f"s{number}", number * 86_400))
    north.proved(120 * 86_400)

    assert north.incidents("missing_output") == []


def test_a_study_served_before_an_older_miss_was_proved_counts_as_served_after_it() -> None:
    north = shard()
    north.send(study("missed", 0), study("served", 105), prediction("served", 110))

    missed = north.proved(100)
    served = north.proved(110)

    assert story(missed) == ["open: opened @100"]
    assert story(served) == ["resolving: recovering @110"]


@pytest.mark.parametrize("restart_s", [0, 100])
def test_so_it_does_after_a_restart(restart_s: float) -> None:
    north = shard()
    north.send(study("missed", 0), study("served", 105), prediction("served", 110))
    north.proved(restart_s)
    north.restart()

    north.proved(110)

    assert story(north.said) == ["open: opened @100", "resolving: recovering @110"]


@pytest.mark.parametrize("restart_s", [0, 9.9, 10, 50])
def test_a_failure_is_told_once_whenever_it_is_restarted(restart_s: float) -> None:
    north = shard()
    north.send(study("a", 0), prediction("a", 10, status="failed"))
    north.proved(restart_s)
    north.restart()

    north.proved(1_000)

    assert story(north.said) == ["open: opened @10"]


def test_the_order_in_which_failures_arrive_does_not_matter() -> None:
    north, other = shard(), shard()
    failures = [prediction(key, at_s, status="failed") for key, at_s in (("a", 20), ("b", 10))]
    for one, told in ((north, failures), (other, failures[::-1])):
        one.send(study("a", 0), study("b", 5), *told, arrived_s=30)
        one.proved(1_000)

    assert story(north.said) == ["open: opened @10", "open: updated @70"]
    assert north.incidents("failed_output") == other.incidents("failed_output")


def test_failures_that_are_over_are_told_in_the_plural_where_they_were_several() -> None:
    north = shard()
    for key, at_s in (("a", 0), ("b", 10)):
        north.send(study(key, at_s), prediction(key, at_s + 5, status="failed"))

    north.send(study("c", 200), prediction("c", 210))
    north.proved(300)

    last = north.incidents("failed_output")[-1]
    assert last.title == "ptx at north answers again after failures for 2 studies"


def test_what_was_missing_and_comes_late_counts_as_late() -> None:
    model = Model(name="ptx", deadline_s=100.0, late=Outage())
    north = Shard(config([model]))
    north.send(study("a", 0))
    north.proved(160)

    north.send(prediction("a", 170))
    north.proved(170)

    assert outcomes(north.said) == ["a missing 1 @100", "a late 2 @170"]
    (late,) = north.incidents("latency")
    assert late.title == "ptx at north answers too late: 1 study"


def test_a_model_that_is_always_too_slow_is_late_by_its_share() -> None:
    model = Model(name="ptx", deadline_s=100.0, late=Outage(policy="rate", tolerated_share=0.1))
    north = Shard(config([model]))

    for number in range(200):
        at_s, turnaround_s = number * 1000.0, 50 if number < 100 else 300
        north.send(study(f"s{number}", at_s))
        north.proved(at_s + turnaround_s)
        north.send(prediction(f"s{number}", at_s + turnaround_s))

    opened, *_ = north.incidents("latency")
    assert opened.reason == "opened"
    assert seconds(opened.at) > 100_000
    assert opened.evidence.before == 0.1


def test_one_that_fails_and_is_served_in_time_is_not_late() -> None:
    model = Model(name="ptx", deadline_s=100.0, late=Outage(), failed=Outage(policy="rate"))
    north = Shard(config([model]))

    north.send(study("a", 0), prediction("a", 10, status="failed"), prediction("a", 50))
    north.proved(100)

    assert outcomes(north.said) == ["a failed 1 @10", "a on_time 2 @50"]
    assert not north.incidents("latency")
