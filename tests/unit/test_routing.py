"""Routing by examples: who is told what, and when."""

import pytest

from schemas.config import Config
from schemas.routing import Escalation, Log, Route
from streams.routing.stage import Routing
from tests.unit.routing_desk import Desk, config, incident, us

ONCALL = Route(receivers=["oncall"])


def opened(name: str, at_s: float = 0, **fields: object):  # type: ignore[no-untyped-def]
    return incident(name, 1, at_s, **fields)


def test_a_first_notice_waits_for_its_group() -> None:
    desk = Desk()

    assert desk.hears(opened("a", 0), opened("b", 10)) == []
    assert desk.waits(29.9) == []
    assert desk.waits(30) == ["oncall open opened! a @30", "oncall open opened! b @30"]


def test_what_is_critical_is_told_at_once_and_brings_its_group() -> None:
    desk = Desk()
    desk.hears(opened("a", 0))

    assert desk.hears(opened("b", 10, severity="critical")) == [
        "oncall open opened! a @10",
        "oncall open opened! b @10",
    ]
    assert desk.waits(300) == []


def test_what_joins_later_waits_for_the_interval() -> None:
    desk = Desk()
    desk.hears(opened("a", 0))
    desk.waits(30)
    desk.hears(opened("b", 40), opened("c", 299, model="cxr"))

    assert desk.waits(1000) == ["oncall open opened! c @329", "oncall open joined! b @330"]


def test_what_joins_a_group_long_after_is_the_first_of_a_new_one() -> None:
    desk = Desk()
    desk.hears(opened("a", 0))
    desk.waits(30)

    assert desk.hears(opened("b", 1000)) == []
    assert desk.waits(1030) == ["oncall open opened! b @1030"]


def test_what_is_over_before_it_was_told_is_never_told() -> None:
    desk = Desk()
    desk.hears(opened("a", 0), incident("a", 2, 10, state="resolved", reason="recovered"))

    assert desk.waits(1e6) == []
    assert desk.routing.sizes()["incidents_followed"] == 0


def test_what_recovers_while_it_waits_is_told_only_if_it_recurs() -> None:
    desk = Desk()
    desk.hears(opened("a", 0), incident("a", 2, 10, state="resolving", reason="recovering"))

    assert desk.waits(100) == []
    desk.hears(incident("a", 3, 110, reason="recurred"))
    assert desk.waits(200) == ["oncall open opened! a @140"]


def test_pending_is_never_told() -> None:
    desk = Desk()
    desk.hears(incident("a", 1, 0, state="pending", reason="pending", severity="critical"))

    assert desk.waits(1e5) == []
    assert desk.hears(incident("a", 2, 2e5, reason="held", severity="critical")) == [
        "oncall open opened! a @200000"
    ]


def test_a_life() -> None:
    desk = Desk()
    desk.hears(opened("a", 0))
    desk.waits(30)

    told = [
        *desk.hears(incident("a", 2, 60)),
        *desk.waits(400),
        *desk.hears(incident("a", 3, 500, severity="critical", reason="severity_changed")),
        *desk.hears(incident("a", 4, 600, severity="critical", state="acknowledged")),
        *desk.hears(incident("a", 5, 700, severity="critical")),
        *desk.hears(incident("a", 6, 800, severity="critical", state="resolving")),
        *desk.hears(incident("a", 7, 900, severity="critical", state="resolved")),
        *desk.hears(incident("a", 8, 950, state="resolved", reason="noted")),
        *desk.hears(incident("a", 9, 1000, state="closed", reason="retired")),
    ]

    assert told == [
        "oncall update changed a @330",
        "oncall update severity_raised! a @500",
        "oncall update acknowledged a @600",
        "oncall update unacknowledged! a @700",
        "oncall update recovering a @800",
        "oncall resolve resolved a @900",
    ]
    assert [one.number for one in desk.told] == [1, 2, 3, 4, 5, 6, 7]
    assert {one.key for one in desk.told} == {"a"}
    assert desk.routing.sizes()["incidents_followed"] == 0


def test_an_open_one_is_repeated_until_somebody_has_it() -> None:
    desk = Desk(Route(receivers=["oncall"], repeat_s=1000))
    desk.hears(opened("a", 0))

    assert desk.waits(2500) == [
        "oncall open opened! a @30",
        "oncall update repeated! a @1030",
        "oncall update repeated! a @2030",
    ]
    desk.hears(incident("a", 2, 2600, state="acknowledged", reason="acknowledged"))
    assert desk.waits(1e5) == []


def test_an_incident_that_reopens_is_opened_again_and_counts_on() -> None:
    desk = Desk()
    desk.hears(opened("a", 0, severity="critical"), incident("a", 2, 10, state="resolved"))

    desk.hears(incident("a", 3, 20, reason="reopened", severity="critical"))

    assert [(one.action, one.number) for one in desk.told] == [
        ("open", 1),
        ("resolve", 2),
        ("open", 3),
    ]


def test_the_same_transition_again_changes_nothing() -> None:
    desk = Desk()
    desk.hears(opened("a", 0, severity="critical"))

    assert desk.hears(opened("a", 0, severity="critical")) == []


def test_no_route_leads_to_the_log() -> None:
    desk = Desk(settings=Config())

    desk.hears(opened("a", severity="critical"))

    assert [one.receiver for one in desk.told] == ["log"]


def test_the_first_route_that_matches_wins_unless_it_says_continue() -> None:
    desk = Desk(
        Route(receivers=["boss"], match={"kind": ["*_drift"]}),
        Route(receivers=["pager", "oncall"], match={"severity": ["critical"]}, continue_=True),
        Route(receivers=["oncall", "lead"], match={"site": ["nor*"]}),
        Route(receivers=["boss"]),
    )

    desk.hears(opened("a", severity="critical"))

    assert [one.receiver for one in desk.told] == ["pager", "oncall", "lead"]


def test_a_graver_incident_reaches_who_was_not_told_before() -> None:
    desk = Desk(Route(receivers=["pager"], match={"severity": ["critical"]}), ONCALL)
    desk.hears(opened("a", 0))
    desk.waits(30)

    assert sorted(desk.hears(incident("a", 2, 100, severity="critical"))) == [
        "oncall update severity_raised! a @100",
        "pager open opened! a @100",
    ]


def test_a_receiver_hears_nothing_below_its_severity_and_no_end_that_it_does_not_want() -> None:
    receivers = [
        Log(name="pager", min_severity="critical"),
        Log(name="mail", send_resolved=False),
    ]
    desk = Desk(settings=config(Route(receivers=["pager", "mail"]), receivers=receivers))

    desk.hears(opened("a", 0))
    desk.waits(30)
    desk.hears(incident("a", 2, 100, state="resolved"))

    assert [(one.receiver, one.action) for one in desk.told] == [("mail", "open")]


ESCALATING = Route(
    receivers=["oncall"],
    repeat_s=1e6,
    escalate=[
        Escalation(after_s=900, receivers=["lead"]),
        Escalation(after_s=1800, receivers=["oncall", "lead", "boss"]),
    ],
)


def test_it_is_escalated_while_nobody_has_it() -> None:
    desk = Desk(ESCALATING)
    desk.hears(opened("a", 0))

    assert desk.waits(1e5) == [
        "oncall open opened! a @30",
        "lead open escalated! a @900",
        "oncall update escalated! a @1800",
        "boss open escalated! a @1800",
    ]
    desk.hears(incident("a", 2, 1e5, state="resolved"))
    assert sorted(one.receiver for one in desk.told if one.action == "resolve") == [
        "boss",
        "lead",
        "oncall",
    ]


def test_an_acknowledgement_holds_escalation_and_its_end_resumes_it() -> None:
    desk = Desk(ESCALATING)
    desk.hears(opened("a", 0))
    desk.hears(incident("a", 2, 600, state="acknowledged", reason="acknowledged"))
    assert desk.waits(1700) == []

    assert desk.hears(incident("a", 3, 1700, reason="acknowledgement_expired")) == [
        "oncall update unacknowledged! a @1700",
        "lead open escalated! a @1700",
    ]
    assert desk.waits(1800)[-1] == "boss open escalated! a @1800"


def test_a_storm_is_one_digest() -> None:
    desk = Desk()
    for n in range(500):
        desk.hears(opened(f"i{n:03}", n * 0.05, model=f"m{n}", severity="warning"))

    said = desk.waits(7000)

    assert len(said) == 11
    assert said[10].startswith("oncall open digest! i010,i011,")
    assert said[10].endswith("+470 @60.5")
    assert [each.incident for each in desk.told[0].incidents] == ["i000"]


def test_a_digest_ends_when_all_its_members_have() -> None:
    desk = Desk(Route(receivers=["oncall"], storm_n=1))
    desk.hears(*(opened(f"i{n}", 0, model=f"m{n}") for n in range(4)))
    desk.waits(30)

    desk.hears(*(incident(f"i{n}", 2, 40, model=f"m{n}", state="resolved") for n in (1, 2)))
    assert desk.waits(350) == ["oncall open digest! i3,i1,i2 @60"]
    desk.hears(incident("i3", 2, 500, model="m3", state="resolved"))
    assert desk.waits(1e4) == ["oncall resolve resolved i3 @500"]
    assert desk.routing.sizes()["digests"] == 0


def test_what_is_critical_is_told_singly_in_a_storm_but_not_without_end() -> None:
    desk = Desk(Route(receivers=["oncall"], storm_n=3))
    desk.hears(*(opened(f"w{n}", 0, model=f"m{n}") for n in range(5)))
    desk.waits(30)

    said = desk.hears(*(opened(f"c{n}", 31, model=f"n{n}", severity="critical") for n in range(6)))

    assert said == [f"oncall open opened! c{n} @31" for n in range(3)]
    assert desk.waits(1000) == ["oncall open digest! c3,c4,c5,w3,w4 @60"]


def test_a_member_that_becomes_critical_is_told_singly() -> None:
    desk = Desk(Route(receivers=["oncall"], storm_n=1))
    desk.hears(*(opened(f"w{n}", 0, model=f"m{n}") for n in range(3)))
    desk.waits(30)

    assert desk.hears(incident("w2", 2, 50, model="m2", severity="critical")) == [
        "oncall open severity_raised! w2 @50"
    ]


def test_what_comes_after_a_storm_is_told_singly() -> None:
    desk = Desk(Route(receivers=["oncall"], storm_n=1))
    desk.hears(*(opened(f"w{n}", 0, model=f"m{n}") for n in range(3)))
    desk.waits(30)
    desk.hears(opened("late", 400, model="x"))

    assert desk.waits(430) == ["oncall open opened! late @430"]


@pytest.mark.parametrize("calm_s", [3600, 17 * 60])
def test_a_day_of_storms_is_not_five_hundred_messages(calm_s: float) -> None:
    """Twenty-five bursts of twenty incidents, each resolved before the next."""
    desk = Desk()
    for burst in range(25):
        start_s = burst * calm_s
        names = [f"b{burst:02}-{n:02}" for n in range(20)]
        desk.hears(*(opened(name, start_s + 1, model=name) for name in names))
        ends = (incident(name, 2, start_s + 600, model=name, state="resolved") for name in names)
        desk.hears(*ends)
    desk.waits(1e6)

    disturbing = [one for one in desk.told if one.disturb]
    assert len(disturbing) == 25 * 11
    assert sum(one.why == "digest" for one in disturbing) == 25
    assert {one.key for one in desk.told if one.action == "open"} == {
        one.key for one in desk.told if one.action == "resolve"
    }


def test_what_is_remembered_is_bounded_and_what_is_over_goes_first() -> None:
    routing = Routing(config())
    for n in range(5_001):
        over = incident(f"i{n}", 2, n, state="resolved")
        routing.incident(opened(f"i{n}", n, severity="critical"), us(10 * n))
        routing.incident(over, us(10 * n))
        routing.tick(us(10 * n))

    assert routing.sizes()["incidents_followed"] == 5_000
    assert routing.dropped == {"followed": 1}


def test_a_restart_with_other_routes_loses_nobody_and_tells_nobody_who_is_gone() -> None:
    desk = Desk(Route(receivers=["lead"], match={"kind": ["latency"]}), ONCALL)
    desk.hears(*(opened(f"told{n}", 0, model=f"m{n}") for n in range(12)))
    desk.waits(100)
    desk.hears(opened("waits", 100, model="ptx"))
    assert desk.routing.sizes()["digests"] == 1

    desk.config = config(Route(receivers=["mail"]), receivers=[Log(name="mail")])
    desk.restart()
    desk.told.clear()
    desk.waits(1000)

    assert {one.receiver for one in desk.told} == {"mail"}
    assert {each.incident for one in desk.told for each in one.incidents} == {
        "waits",
        *(f"told{n}" for n in range(12)),
    }
    assert desk.routing.sizes()["digests"] == 1
