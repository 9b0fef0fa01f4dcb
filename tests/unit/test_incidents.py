"""Findings and commands become transitions: ids, seq, dates, pace, and what a person may do."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.command import Command
from schemas.config import Bounds, Config
from schemas.incident import Evidence, Incident
from streams.finding import Finding
from streams.incidents import Case, Incidents, fingerprint_of
from streams.lifecycle import LIVE
from tests.unit.builders import at, command, finding, seconds, story, us


class Desk:
    """Incidents, and all that they told; findings come at their own time."""

    def __init__(self, closed_s: float = 1e6) -> None:
        self.config = Config(bounds=Bounds(closed_s=closed_s))
        self.incidents = Incidents(self.config)
        self.told: list[Incident] = []

    def hears(self, *events: Finding | Command) -> list[Incident]:
        told: list[Incident] = []
        for event in events:
            if isinstance(event, Finding):
                told += self.incidents.finding(event)
            else:
                told += self.incidents.command(event, us(seconds(event.at)))
        self.told += told
        return told

    def waits(self, until_s: float) -> list[Incident]:
        told = self.incidents.tick(us(until_s))
        self.told += told
        return told


def test_an_episode_has_one_id_and_its_seq_counts_from_one() -> None:
    desk = Desk()

    desk.hears(finding("holds", 0), finding("holds", 10), finding("eased", 20))

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

    desk.hears(finding("holds", 50), finding("holds", 20))
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

        desk.hears(*(finding("holds", at_s, **pace) for at_s in (0, 10, 70)))
        desk.waits(1_000)

        assert story(desk.told) == ["open: opened @0", "open: updated @70"]

    def test_the_end_is_told_at_once_with_all_news(self) -> None:
        desk = Desk()
        pace = {"update_us": 60_000_000, "hold_us": 300_000_000}

        desk.hears(finding("holds", 0, **pace), finding("holds", 10, **pace))
        desk.hears(finding("eased", 20, **pace))
        desk.waits(200)

        assert story(desk.told) == ["open: opened @0", "resolving: recovering @20"]

    def test_waiting_news_survive_a_restart(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0, update_us=60_000_000))
        desk.hears(finding("holds", 10, update_us=60_000_000))

        other = restarted(desk)

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

        told = restarted(desk).hears(finding("holds", 160, **hold))

        assert story(told) == ["open: recurred @160"]

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


class TestCommands:
    def test_a_note_says_who_and_what(self) -> None:
        desk = Desk()

        note = command("note", "c-1", 5, incident=first(), text="we know")
        told = desk.hears(finding("holds", 0), note)

        assert story(told) == ["open: opened @0", "open: noted @5"]
        assert (told[-1].actor, told[-1].note) == ("kim", "we know")

    def test_a_command_against_an_older_seq_is_refused_and_counted(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), finding("holds", 1))

        stale = desk.hears(command("acknowledge", "c-1", 5, incident=first(), expected_seq=1))
        fresh = desk.hears(command("acknowledge", "c-2", 5, incident=first(), expected_seq=2))

        assert (story(stale), story(fresh)) == ([], ["acknowledged: acknowledged @5"])
        assert desk.incidents.rejected["stale"] == 1

    def test_a_command_against_an_unknown_or_former_incident_is_refused_and_counted(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), finding("eased", 1), finding("holds", 2))

        told = desk.hears(
            command("resolve", "c-1", 5, incident="who knows"),
            command("resolve", "c-2", 5, incident=first()),
        )

        assert told == []
        assert desk.incidents.rejected["unknown_incident"] == 2

    def test_matchers_reach_all_live_incidents_of_the_site_that_match(self) -> None:
        desk = Desk()
        desk.hears(
            finding("holds", 0),
            finding("holds", 0, kind="latency"),
            finding("holds", 0, model="cxr"),
            finding("holds", 0, site="south"),
        )

        told = desk.hears(command("acknowledge", "c-1", 5, matchers={"model": "ptx"}))

        assert {(i.site, i.kind, i.model) for i in told} == {
            ("north", "missing_output", "ptx"),
            ("north", "latency", "ptx"),
        }

    def test_matchers_reach_incidents_in_an_order_that_a_restart_does_not_change(self) -> None:
        desk = Desk()
        desk.hears(*(finding("holds", 0, subject=f"kvp{n}") for n in range(6)))
        other = restarted(desk)

        acknowledge = command("acknowledge", "c-1", 5, matchers={"model": "ptx"})

        assert desk.hears(acknowledge) == other.hears(acknowledge)

    def test_resolving_by_hand_ends_it_and_the_next_finding_is_a_new_incident(self) -> None:
        desk = Desk()

        told = desk.hears(
            finding("holds", 0),
            command("resolve", "c-1", 5, incident=first()),
            finding("holds", 10),
        )

        assert story(told)[1:] == ["resolved: resolved_by_hand @5", "open: opened @10"]
        assert told[-1].reopen_of == first()

    def test_a_change_after_it_was_resolved_by_hand_is_a_new_incident(self) -> None:
        desk = Desk()

        told = desk.hears(
            finding("holds", 0),
            command("resolve", "c-1", 5, incident=first()),
            finding("changed", 10),
        )

        assert story(told)[-1] == "open: opened @10"

    @pytest.mark.parametrize(
        "accepts",
        [
            command("resolve", "c-1", 5, incident="?", text="accepted"),
            command("rebaseline", "c-1", 5, incident="?"),
        ],
    )
    def test_accepting_the_new_level_says_so(self, accepts: Command) -> None:
        desk = Desk()

        told = desk.hears(finding("holds", 0), msgspec.structs.replace(accepts, incident=first()))

        assert story(told)[-1] == "resolved: accepted @5"


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

        (again,) = restarted(desk).hears(finding("holds", 6_000))

        assert again.reopen_of == desk.told[0].incident
        assert again.incident not in {i.incident for i in desk.told}


def test_timers_do_not_pile_up_while_an_incident_is_told_of() -> None:
    desk = Desk()
    desk.hears(finding("holds", 0))
    desk.hears(command("acknowledge", "c-1", 1, incident=first(), until=at(1e6)))

    desk.hears(*(finding("holds", n, update_us=1_000_000_000) for n in range(2, 2_000)))

    assert len(desk.incidents._timers) < 5


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from(["holds", "changed", "eased", "returned"]), st.integers(0, 1)
            ),
            st.tuples(
                st.sampled_from(["acknowledge", "unacknowledge", "resolve", "note", "wait"]),
                st.integers(0, 1),
            ),
        ),
        max_size=40,
    )
)
def test_seqs_have_no_gap_time_does_not_go_back_and_one_is_live(
    steps: list[tuple[str, int]],
) -> None:
    desk = Desk(closed_s=500)

    for number, (what, subject) in enumerate(steps):
        at_s = number * 100.0
        desk.waits(at_s)
        if what in ("holds", "changed", "eased", "returned"):
            desk.hears(finding(what, at_s, subject=f"s{subject}", hold_us=150_000_000))
        elif what != "wait":
            matchers = {"subject": f"s{subject}"}
            desk.hears(command(what, f"c-{number}", at_s, matchers=matchers))

    for incident in {i.incident for i in desk.told}:
        mine = [i for i in desk.told if i.incident == incident]
        assert [i.seq for i in mine] == list(range(1, len(mine) + 1))
        assert all(a.at <= b.at for a, b in pairwise(mine))
    live: dict[str, str] = {}
    for told in desk.told:
        assert live.get(told.fingerprint) in (None, told.incident)
        live[told.fingerprint] = told.incident
        if told.state not in LIVE:
            del live[told.fingerprint]


def first() -> str:
    """The id of the first episode at north of ptx's missing outputs."""
    return Desk().hears(finding("holds", 0))[0].incident


def restarted(desk: Desk) -> Desk:
    """The same after a checkpoint and a restart."""
    other = Desk()
    written = [msgspec.msgpack.encode(case) for case in desk.incidents.changes()]
    other.incidents = Incidents(desk.config)
    other.incidents.restore(msgspec.msgpack.decode(raw, type=Case) for raw in reversed(written))
    return other
