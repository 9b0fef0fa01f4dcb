"""What comes and goes is folded into one incident, which takes more than time to be over."""

import pytest

from schemas.incident import Incident
from streams.incidents.stage import fingerprint_of
from tests.unit.builders import command, finding, seconds, story
from tests.unit.incident_desk import Desk, first

HOUR_S = 3_600


def cycles(desk: Desk, n: int, every_s: float = 600, begin_s: float = 0) -> None:
    """True and eased again, so many times: it eases in the middle of each."""
    for number in range(n):
        at_s = begin_s + number * every_s
        desk.waits(at_s)
        desk.hears(finding("holds", at_s), finding("eased", at_s + every_s / 2))


def flapping(desk: Desk) -> list[Incident]:
    return [i for i in desk.told if i.kind == "flapping"]


def flapper(desk: Desk) -> list[Incident]:
    return [i for i in desk.told if i.kind != "flapping"]


def test_the_fourth_cycle_within_the_hour_is_flapping() -> None:
    desk = Desk()
    cycles(desk, 3)
    assert flapping(desk) == []

    desk = desk.restarted()
    cycles(desk, 1, begin_s=1_800)

    (opened,) = flapping(desk)
    assert story([opened]) == ["open: opened @2100"]
    assert opened.fingerprint == fingerprint_of("flapping", "north", "ptx", "missing_output")
    assert (opened.model, opened.subject, opened.severity) == ("ptx", "missing_output", "error")
    assert opened.title == "missing_output of ptx at north came and went 4 times within 60 min"
    assert (opened.evidence.statistic, opened.evidence.threshold) == (4, 4)


def test_four_cycles_in_more_than_an_hour_are_not() -> None:
    desk = Desk()
    cycles(desk, 20, every_s=1_200)

    assert flapping(desk) == []


def test_going_back_and_forth_within_the_hold_is_flapping_as_well() -> None:
    desk = Desk()
    for number in range(4):
        desk.hears(finding("holds", number * 100.0))
        desk.hears(finding("eased", number * 100.0 + 50, hold_us=600_000_000))

    assert [i.reason for i in flapper(desk)].count("recovered") == 0
    assert story(flapping(desk)) == ["open: opened @350"]


def test_what_a_person_resolves_is_no_cycle() -> None:
    desk = Desk(reopen_s=1_800)
    for number in range(8):
        desk.hears(finding("holds", number * 100.0))
        desk.hears(command("resolve", f"c-{number}", number * 100.0 + 50, incident=first()))

    assert flapping(desk) == []


def test_there_is_one_for_all_that_follows() -> None:
    desk = Desk()
    cycles(desk, 30)

    assert len({i.incident for i in flapping(desk)}) == 1
    assert {i.reason for i in flapping(desk)} == {"opened", "updated"}
    assert flapping(desk)[-1].evidence.statistic == 6


def test_it_is_told_of_no_more_when_it_comes_and_goes_slowly() -> None:
    desk = Desk()
    cycles(desk, 4)
    cycles(desk, 3, begin_s=9_000, every_s=9_000)

    assert len(flapping(desk)) == 1


def test_what_flaps_is_still_recorded_and_says_what_is_told_instead() -> None:
    calm, desk = Desk(flapping_cycles=50), Desk()
    cycles(calm, 8)
    cycles(desk, 8)
    told = flapping(desk)[0].incident

    assert story(flapper(desk)) == story(flapper(calm))
    folded = [i.folded_into for i in flapper(desk)]
    assert folded[:10] == [None] * 10
    assert folded[10:] == [told] * 14


@pytest.mark.parametrize("other", [{"kind": "latency"}, {"site": "south"}, {"model": "cxr"}])
def test_what_flaps_beside_it_has_its_own(other: dict[str, str]) -> None:
    desk = Desk()
    for at_s in range(0, 2_400, 600):
        desk.hears(finding("holds", at_s), finding("eased", at_s + 300))
        desk.hears(finding("holds", at_s, **other), finding("eased", at_s + 300, **other))

    assert len({i.incident for i in flapping(desk)}) == 2


class TestTheEnd:
    """The last turn of what flaps is at 2100: the calm is reached an hour later."""

    def test_it_is_over_when_an_hour_was_calm_and_something_was_heard_after(self) -> None:
        desk = Desk()
        cycles(desk, 4)

        assert desk.hears_of("north", 2_100 + HOUR_S - 1) == []
        told = desk.restarted().hears_of("north", 2_100 + HOUR_S + 500)

        assert story(told) == ["resolving: recovering @5700", "resolved: recovered @5700"]

    def test_time_alone_does_not_end_it(self) -> None:
        desk = Desk()
        cycles(desk, 4)

        assert desk.waits(9e5) == []

    def test_another_site_does_not_end_it(self) -> None:
        desk = Desk()
        cycles(desk, 4)

        assert desk.hears_of("south", 9e5) == []

    def test_it_goes_on_when_the_hour_was_not_calm(self) -> None:
        desk = Desk()
        cycles(desk, 4)
        cycles(desk, 1, begin_s=5_000)

        assert desk.hears_of("north", 2_100 + HOUR_S) == []
        told = desk.hears_of("north", 5_300 + HOUR_S)

        assert [seconds(i.at) for i in told] == [8_900, 8_900]

    def test_what_turned_last_counts_after_a_restart_as_well(self) -> None:
        desk = Desk()
        cycles(desk, 4)
        desk = desk.restarted()
        desk.hears(finding("holds", 5_000))

        assert desk.restarted().hears_of("north", 6_000) == []

    def test_news_of_what_goes_on_being_true_are_calm(self) -> None:
        desk = Desk()
        cycles(desk, 4)
        desk.hears(finding("holds", 2_400))
        desk.hears(*(finding("holds", at_s) for at_s in range(2_500, 6_000, 100)))

        told = desk.hears_of("north", 6_000)

        assert story(told)[-1] == "resolved: recovered @6000"

    def test_then_what_it_stood_for_speaks_for_itself(self) -> None:
        desk = Desk(reopen_s=9_000)
        cycles(desk, 4)
        desk = desk.restarted()
        desk.hears_of("north", 6_000)

        (again,) = desk.restarted().hears(finding("holds", 6_100))

        assert (again.reason, again.folded_into) == ("reopened", None)

    def test_and_it_takes_as_many_cycles_to_flap_again(self) -> None:
        desk = Desk()
        cycles(desk, 4)
        desk.hears_of("north", 6_000)
        cycles(desk, 3, begin_s=6_000)
        assert flapping(desk)[-1].state == "resolved"

        cycles(desk, 1, begin_s=7_800)

        assert flapping(desk)[-1].reopen_of == flapping(desk)[0].incident

    def test_a_person_may_end_it(self) -> None:
        desk = Desk()
        cycles(desk, 4)
        by_hand = command("resolve", "c-1", 2_200, incident=flapping(desk)[0].incident)

        told = desk.hears(by_hand, finding("holds", 2_300))

        assert story(told) == ["resolved: resolved_by_hand @2200", "open: opened @2300"]
        assert told[-1].folded_into is None
        cycles(desk, 3, begin_s=2_300)
        assert flapping(desk)[-1].state == "resolved"

    def test_it_can_be_acknowledged_like_any_other(self) -> None:
        desk = Desk()
        cycles(desk, 4)
        desk.hears(command("acknowledge", "c-1", 2_200, matchers={"kind": "flapping"}))

        cycles(desk, 2, begin_s=2_400)

        assert {i.state for i in flapping(desk)[1:]} == {"acknowledged"}
