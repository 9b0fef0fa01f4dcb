"""Findings become transitions: ids, seq, dates, pace, holds, severity, and what time does."""

from typing import Any

import pytest

from schemas.incident import Evidence
from streams.finding import Finding
from streams.incidents.stage import fingerprint_of
from tests.unit.builders import at, command, finding, seconds, story, us
from tests.unit.incident_desk import Desk, first


def more(signal: str, at_s: float, **fields: Any) -> Finding:
    """News: by then so many studies are affected."""
    return finding(signal, at_s, evidence=Evidence(affected_count=int(at_s)), **fields)


def test_an_episode_has_one_id_and_its_seq_counts_from_one() -> None:
    desk = Desk()

    desk.hears(finding("holds", 0), more("holds", 10), finding("eased", 20))

    assert desk.told[-1].state == "resolved"
    assert len({i.incident for i in desk.told}) == 1
    assert [i.seq for i in desk.told] == [1, 2, 3, 4]


def test_ids_depend_on_nothing_but_what_the_incident_is_about_and_its_number() -> None:
    first, second = Desk(), Desk()

    first.hears(finding("holds", 0, title="one", severity="critical", model_version="1"))
    second.hears(finding("holds", 99, title="two", severity="info", model_version="2"))

    assert first.told[0].incident == second.told[0].incident
    assert first.told[0].fingerprint == fingerprint_of("missing_output", "north", "ptx", None)


@pytest.mark.parametrize(
    "other",
    [{"kind": "latency"}, {"site": "south"}, {"model": "cxr"}, {"model": None}, {"subject": "kvp"}],
)
def test_what_differs_in_kind_site_model_or_subject_is_another_incident(other: dict) -> None:  # type: ignore[type-arg]
    desk = Desk()

    desk.hears(finding("holds", 0), finding("holds", 0, **other))

    assert [i.seq for i in desk.told] == [1, 1]
    assert len({i.incident for i in desk.told}) == 2


@pytest.mark.parametrize("signal", ["changed", "eased", "returned"])
def test_good_news_of_what_was_never_bad_is_no_incident(signal: str) -> None:
    assert Desk().hears(finding(signal)) == []


def test_an_incident_is_dated_by_when_it_became_true() -> None:
    desk = Desk()

    desk.hears(finding("holds", 50, since_us=us(20)))

    opened = desk.told[0]
    assert (seconds(opened.opened_at), seconds(opened.last_seen), seconds(opened.at)) == (
        20,
        50,
        50,
    )


def test_a_later_finding_with_an_older_date_does_not_turn_time_back() -> None:
    desk = Desk()

    desk.hears(more("holds", 50), more("holds", 20))
    desk.waits(60)

    assert [seconds(i.at) for i in desk.told] == [50, 50]
    assert seconds(desk.told[-1].last_seen) == 50


class TestPace:
    def test_news_within_the_pace_are_told_together_when_it_is_up(self) -> None:
        desk = Desk()
        news = [
            finding("holds", at_s, update_us=60_000_000, evidence=Evidence(affected_count=n))
            for n, at_s in enumerate((0, 10, 20, 30), start=1)
        ]

        desk.hears(*news)
        desk.waits(1_000)

        assert story(desk.told) == ["open: opened @0", "open: updated @60"]
        assert desk.told[-1].evidence.affected_count == 4

    def test_nothing_is_told_twice_when_news_overtake_proved_time(self) -> None:
        desk = Desk()
        pace = {"update_us": 60_000_000}

        desk.hears(*(more("holds", at_s, **pace) for at_s in (0, 10, 70)))
        desk.waits(1_000)

        assert story(desk.told) == ["open: opened @0", "open: updated @70"]

    def test_what_is_still_so_and_says_nothing_new_is_not_told(self) -> None:
        desk = Desk()

        desk.hears(*(finding("holds", 100 * number) for number in range(20)))
        desk.hears(more("holds", 2_000), finding("holds", 2_100), finding("eased", 2_200))

        assert story(desk.told) == [
            "open: opened @0",
            "open: updated @2000",
            "open: updated @2100",  # what it was before is news again
            "resolving: recovering @2200",
            "resolved: recovered @2200",
        ]
        assert [one.seq for one in desk.told] == [1, 2, 3, 4, 5]
        assert [seconds(one.last_seen) for one in desk.told[-2:]] == [2_100, 2_100]

    def test_when_it_was_last_so_is_known_after_a_restart_though_nothing_was_told(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), finding("holds", 500))

        (over, *_) = desk.restarted().hears(finding("eased", 600))

        assert (over.seq, seconds(over.last_seen)) == (2, 500)

    def test_the_end_is_told_at_once_with_all_news(self) -> None:
        desk = Desk()
        pace = {"update_us": 60_000_000, "hold_us": 300_000_000}

        desk.hears(finding("holds", 0, **pace), finding("holds", 10, **pace))
        desk.hears(finding("eased", 20, **pace))
        desk.waits(200)

        assert story(desk.told) == ["open: opened @0", "resolving: recovering @20"]

    def test_waiting_news_survive_a_restart(self) -> None:
        desk = Desk()
        desk.hears(more("holds", 0, update_us=60_000_000))
        desk.hears(more("holds", 10, update_us=60_000_000))

        other = desk.restarted()

        assert story(other.waits(1_000)) == ["open: updated @60"]


class TestHold:
    def test_it_is_resolved_when_it_has_held(self) -> None:
        desk = Desk()

        desk.hears(finding("holds", 0), finding("eased", 10, hold_us=300_000_000))

        assert desk.waits(309.9) == []
        assert story(desk.waits(310)) == ["resolved: recovered @310"]

    def test_it_recurs_within_the_hold_and_holds_anew(self) -> None:
        desk = Desk()
        hold = {"hold_us": 300_000_000}

        desk.hears(finding("holds", 0, **hold), finding("eased", 10, **hold))
        desk.hears(finding("holds", 200, **hold))
        desk.waits(400)
        desk.hears(finding("eased", 410, **hold))
        desk.waits(1_000)

        assert story(desk.told)[2:] == [
            "open: recurred @200",
            "resolving: recovering @410",
            "resolved: recovered @710",
        ]

    def test_without_a_hold_it_is_resolved_at_once(self) -> None:
        desk = Desk()

        told = desk.hears(finding("holds", 0), finding("returned", 10), finding("holds", 11))

        assert story(told) == [
            "open: opened @0",
            "resolving: returned @10",
            "resolved: recovered @10",
            "open: opened @11",
        ]

    def test_time_alone_never_resolves(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0))

        assert desk.waits(1e9) == []
        assert desk.incidents.deadline() is None


class TestAcknowledgement:
    def test_an_acknowledged_incident_stays_so_when_it_recurs(self) -> None:
        desk = Desk()
        hold = {"hold_us": 300_000_000}

        desk.hears(finding("holds", 0, **hold), command("acknowledge", "c-1", 5, incident=first()))
        desk.hears(finding("eased", 10, **hold), finding("holds", 20, **hold))

        assert story(desk.told)[-1] == "acknowledged: recurred @20"

    def test_it_expires_and_is_open_again(self) -> None:
        desk = Desk()
        until = {"until": at(100), "incident": first()}

        desk.hears(finding("holds", 0), command("acknowledge", "c-1", 5, **until))

        assert story(desk.waits(1_000)) == ["open: acknowledgement_expired @100"]

    def test_one_that_has_ended_before_it_was_given_is_refused(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0))
        late = command("acknowledge", "c-1", 5, until=at(5), incident=first())

        answer = desk.incidents.answer(late, us(5))

        assert (answer.reason, answer.told) == ("too_late", ())

    def test_it_still_expires_after_the_incident_has_recurred(self) -> None:
        desk = Desk()
        hold = {"hold_us": 300_000_000}
        until = {"until": at(100), "incident": first()}
        desk.hears(finding("holds", 0, **hold), command("acknowledge", "c-1", 5, **until))

        desk.hears(finding("eased", 10, **hold), finding("holds", 20, **hold))

        assert story(desk.waits(1_000)) == ["open: acknowledgement_expired @100"]

    def test_one_that_expired_while_resolving_is_over_when_it_recurs(self) -> None:
        desk = Desk()
        hold = {"hold_us": 300_000_000}
        until = {"until": at(100), "incident": first()}
        desk.hears(finding("holds", 0, **hold), command("acknowledge", "c-1", 5, **until))
        desk.hears(finding("eased", 10, **hold))
        desk.waits(150)

        told = desk.restarted().hears(finding("holds", 160, **hold))

        assert story(told) == ["open: recurred @160"]

    def test_without_an_end_of_its_own_it_expires_after_the_configured_time(self) -> None:
        desk = Desk(acknowledged_s=7_200)
        desk.hears(finding("holds", 0), command("acknowledge", "c-1", 5, incident=first()))

        assert desk.told[-1].acknowledged_until == at(7_205)
        (expired,) = desk.restarted().waits(1e6)
        assert story([expired]) == ["open: acknowledgement_expired @7205"]
        assert expired.acknowledged_until is None

    def test_one_that_is_over_before_its_end_does_not_expire(self) -> None:
        desk = Desk(acknowledged_s=7_200)
        desk.hears(finding("holds", 0), command("acknowledge", "c-1", 5, incident=first()))
        desk.hears(finding("eased", 10))

        assert desk.waits(1e5) == []

    def test_the_last_one_says_until_when(self) -> None:
        desk = Desk()
        once = {"until": at(100), "incident": first()}

        desk.hears(finding("holds", 0), command("acknowledge", "c-1", 5, **once))
        desk.hears(command("acknowledge", "c-2", 6, incident=first()))

        assert desk.waits(1_000) == []

    def test_it_does_not_outlive_its_episode(self) -> None:
        desk = Desk()

        desk.hears(finding("holds", 0), command("acknowledge", "c-1", 5, incident=first()))
        told = desk.hears(finding("eased", 10), finding("holds", 20))

        assert story(told)[-1] == "open: opened @20"


class TestRetention:
    def test_a_resolved_incident_is_closed_after_its_time(self) -> None:
        desk = Desk(closed_s=1_000)
        desk.hears(finding("holds", 0), finding("eased", 10))

        assert desk.waits(1_009) == []
        assert story(desk.waits(1_010)) == ["closed: retired @1010"]

    def test_one_that_opens_anew_is_not_closed(self) -> None:
        desk = Desk(closed_s=1_000)

        desk.hears(finding("holds", 0), finding("eased", 10), finding("holds", 20))

        assert desk.waits(10_000) == []

    def test_after_it_was_closed_the_next_is_a_new_incident_of_the_same_fingerprint(self) -> None:
        desk = Desk(closed_s=1_000)
        desk.hears(finding("holds", 0), finding("eased", 10))
        desk.waits(5_000)

        (again,) = desk.restarted().hears(finding("holds", 6_000))

        assert again.reopen_of == desk.told[0].incident
        assert again.incident not in {i.incident for i in desk.told}


def test_timers_do_not_pile_up_while_an_incident_is_told_of() -> None:
    desk = Desk()
    desk.hears(finding("holds", 0))
    desk.hears(command("acknowledge", "c-1", 1, incident=first(), until=at(1e6)))

    desk.hears(*(finding("holds", n, update_us=1_000_000_000) for n in range(2, 2_000)))

    assert len(desk.incidents._timers) < 5


def test_what_is_resolved_again_and_again_waits_once_to_be_closed() -> None:
    desk = Desk(flapping_s=60)

    desk.hears(*(finding(("holds", "eased")[n % 2], n * 50) for n in range(2_000)))

    assert len(desk.incidents._retention) == 1
    assert [i.state for i in desk.waits(2e6)] == ["closed"]


def held_down(signal: str, at_s: float, **fields: Any) -> Finding:
    return finding(signal, at_s, pending_us=60_000_000, **fields)


class TestPending:
    def test_what_lasts_opens_when_it_has(self) -> None:
        desk = Desk()
        desk.hears(held_down("holds", 10, since_us=us(5)))

        assert desk.waits(69) == []
        (opened,) = desk.waits(1_000)

        assert story(desk.told) == ["pending: pending @10", "open: held @70"]
        assert seconds(opened.opened_at) == 5
        assert [i.seq for i in desk.told] == [1, 2]

    @pytest.mark.parametrize("signal", ["eased", "returned"])
    def test_what_does_not_last_is_closed_and_never_opened(self, signal: str) -> None:
        desk = Desk(reopen_s=1_800)
        desk.hears(held_down("holds", 10), held_down(signal, 30))

        assert desk.waits(1e9) == []
        assert story(desk.told) == ["pending: pending @10", "closed: recovered @30"]

    def test_the_next_is_no_continuation_of_what_never_opened(self) -> None:
        desk = Desk(reopen_s=1_800)
        desk.hears(held_down("holds", 10), held_down("eased", 30), held_down("holds", 40))

        assert story(desk.told)[-1] == "pending: pending @40"
        assert desk.told[-1].reopen_of is None
        assert desk.told[-1].incident != desk.told[0].incident

    def test_the_one_after_an_open_one_continues_it_whatever_was_pending_between(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), finding("eased", 1))
        desk.hears(held_down("holds", 10), held_down("eased", 30))

        (again,) = desk.restarted().hears(finding("holds", 40))

        assert again.reopen_of == desk.told[0].incident

    def test_it_survives_a_restart(self) -> None:
        desk = Desk()
        desk.hears(held_down("holds", 10))

        assert story(desk.restarted().waits(1_000)) == ["open: held @70"]

    def test_what_was_open_before_need_not_last_to_reopen(self) -> None:
        desk = Desk(reopen_s=1_800)
        desk.hears(held_down("holds", 0))
        desk.waits(60)

        desk.hears(held_down("eased", 100), held_down("holds", 200))

        assert story(desk.told)[-1] == "open: reopened @200"

    def test_a_person_may_close_it_at_once(self) -> None:
        desk = Desk(reopen_s=1_800)
        desk.hears(held_down("holds", 0), command("resolve", "c-1", 5, incident=first()))

        assert story(desk.told)[-1] == "closed: resolved_by_hand @5"


class TestReopening:
    def test_within_the_window_it_is_the_same_incident(self) -> None:
        desk = Desk(reopen_s=1_800)
        desk.hears(finding("holds", 0), finding("eased", 10))

        (again,) = desk.restarted().hears(finding("holds", 1_810))

        assert story([again]) == ["open: reopened @1810"]
        assert (again.incident, again.seq, again.reopen_count) == (first(), 4, 1)
        assert (seconds(again.opened_at), again.reopen_of) == (0, None)

    def test_after_it_it_is_a_new_episode(self) -> None:
        desk = Desk(reopen_s=1_800)
        desk.hears(finding("holds", 0), finding("eased", 10), finding("holds", 20))
        desk.hears(finding("eased", 30))

        (again,) = desk.hears(finding("holds", 1_831))

        assert story([again]) == ["open: opened @1831"]
        assert (again.reopen_of, again.seq, again.reopen_count) == (first(), 1, 0)

    def test_what_was_reopened_is_not_closed(self) -> None:
        desk = Desk(closed_s=1_000, reopen_s=500)
        desk.hears(finding("holds", 0), finding("eased", 10), finding("holds", 20))

        assert desk.waits(10_000) == []

    def test_it_is_closed_when_its_last_end_is_long_ago(self) -> None:
        desk = Desk(closed_s=1_000, reopen_s=500)
        desk.hears(finding("holds", 0), finding("eased", 10))
        desk.hears(finding("holds", 20), finding("eased", 300))

        assert desk.waits(1_299) == []
        assert story(desk.waits(1_300)) == ["closed: retired @1300"]

    def test_what_was_closed_is_not_reopened(self) -> None:
        desk = Desk(closed_s=100, reopen_s=1_800)
        desk.hears(finding("holds", 0), finding("eased", 10))
        desk.waits(200)

        (again,) = desk.hears(finding("holds", 300))

        assert (again.reason, again.reopen_of) == ("opened", first())

    def test_what_a_person_resolved_and_is_still_true_is_reopened(self) -> None:
        desk = Desk(reopen_s=1_800)
        desk.hears(finding("holds", 0), command("resolve", "c-1", 5, incident=first()))

        assert story(desk.hears(finding("holds", 10))) == ["open: reopened @10"]

    def test_what_a_person_accepted_is_not(self) -> None:
        desk = Desk(reopen_s=1_800)
        desk.hears(finding("holds", 0), command("rebaseline", "c-1", 5, incident=first()))

        assert story(desk.hears(finding("holds", 10))) == ["open: opened @10"]

    def test_an_acknowledgement_does_not_outlast_the_end(self) -> None:
        desk = Desk(reopen_s=1_800)
        desk.hears(finding("holds", 0), command("acknowledge", "c-1", 5, incident=first()))

        told = desk.hears(finding("eased", 10), finding("holds", 20))

        assert story(told)[-1] == "open: reopened @20"
        assert desk.waits(1e9) == []


class TestSeverity:
    def test_it_rises_at_once_whatever_the_pace(self) -> None:
        desk = Desk()
        pace = {"update_us": 60_000_000}

        desk.hears(finding("holds", 0, **pace), finding("holds", 1, severity="critical", **pace))

        assert story(desk.told) == ["open: opened @0", "open: severity_changed @1"]
        assert desk.told[-1].severity == "critical"

    def test_it_falls_when_it_was_lower_for_the_hold(self) -> None:
        desk = Desk(severity_hold_s=600)
        desk.hears(finding("holds", 0), finding("holds", 100, severity="info"))
        desk = desk.restarted()

        assert desk.waits(699) == []
        (fell,) = desk.waits(10_000)

        assert (story([fell]), fell.severity) == (["open: severity_changed @700"], "info")

    def test_it_does_not_fall_when_it_was_as_high_meanwhile(self) -> None:
        desk = Desk(severity_hold_s=600)
        desk.hears(*(finding("holds", 100, severity=s) for s in ("error", "info", "error")))

        assert desk.waits(10_000) == []
        assert desk.told[-1].severity == "error"

    def test_it_falls_no_further_than_to_the_highest_of_the_hold(self) -> None:
        desk = Desk(severity_hold_s=600)
        for at_s, severity in enumerate(("critical", "info", "error", "warning")):
            desk.hears(finding("holds", at_s, severity=severity))

        assert [i.severity for i in desk.waits(10_000)] == ["error"]

    def test_good_news_say_nothing_of_severity(self) -> None:
        desk = Desk(severity_hold_s=0)
        hold = {"hold_us": 300_000_000}
        desk.hears(finding("holds", 0), finding("eased", 10, severity="critical", **hold))
        desk.waits(1_000)

        assert {i.severity for i in desk.told} == {"error"}

    def test_the_fall_is_not_told_of_what_has_eased(self) -> None:
        desk = Desk(severity_hold_s=600)
        desk.hears(finding("holds", 0), finding("holds", 1, severity="info"))
        desk.hears(finding("eased", 2, hold_us=10_000_000_000))

        assert desk.waits(5_000) == []
        assert desk.hears(finding("holds", 5_001, severity="info"))[0].severity == "error"

    def test_an_acknowledged_incident_that_is_graver_stays_acknowledged(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), command("acknowledge", "c-1", 5, incident=first()))

        told = desk.hears(finding("holds", 6, severity="critical"))

        assert story(told) == ["acknowledged: severity_changed @6"]

    def test_a_new_episode_has_its_own(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0, severity="critical"), finding("eased", 1))

        assert desk.hears(finding("holds", 2, severity="info"))[0].severity == "info"


def test_a_statistic_that_begins_anew_does_not_take_the_place_of_what_decided() -> None:
    desk = Desk()
    decided, begun = (
        Evidence(detector="bet_sr", statistic=statistic, threshold=30.0, affected_count=n)
        for statistic, n in ((31.0, 6), (0.04, 7))
    )
    again = Evidence(detector="bet_sr", statistic=35.0, threshold=30.0, affected_count=8)
    desk.hears(finding("holds", 0, evidence=decided))

    told = [
        desk.hears(finding("holds", 1, evidence=begun))[-1].evidence,
        desk.hears(finding("holds", 2, evidence=again))[-1].evidence,
        desk.hears(finding("eased", 3, evidence=begun))[-1].evidence,
    ]

    assert [one.statistic for one in told] == [31.0, 35.0, 35.0]
    assert [one.affected_count for one in told] == [7, 8, 7]


def test_what_decided_stays_told_when_the_numbers_are_told_anew() -> None:
    desk = Desk()
    decided = Evidence(detector="mean_sr", statistic=31.0, threshold=30.0, before=1.0, after=2.0)

    desk.hears(finding("holds", 0, evidence=decided))
    desk.hears(finding("holds", 100, evidence=Evidence(before=1.0, after=3.0)))
    desk.hears(finding("returned", 200, evidence=Evidence(before=1.0, after=1.0)))

    last = desk.told[-1].evidence
    assert (last.detector, last.statistic, last.threshold) == ("mean_sr", 31.0, 30.0)
    assert last.after == 1.0
