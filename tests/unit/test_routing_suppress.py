"""Silences, maintenance and inhibition: nobody is told, and it is told when they end."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.incident import Evidence, Incident
from schemas.routing import Escalation, Route
from schemas.site import Maintenance, SiteSettings
from streams.clock import from_us, to_us
from streams.routing.mute import last_start_us
from tests.unit.routing_desk import Desk, at, config, incident
from tests.unit.test_routing import opened


def test_a_silence_ends_and_what_is_still_open_is_told_then() -> None:
    desk = Desk()

    assert desk.does("silence", 0, until_s=1000, matchers={"model": "p*"}) == "ok"
    desk.hears(opened("a", 10), opened("b", 10, model="cxr"), opened("c", 20))
    assert desk.waits(999) == ["oncall open opened! b @40"]
    assert desk.suppressed() == [("a", "silence", "c-1"), ("c", "silence", "c-1")]
    desk.hears(incident("c", 2, 999, state="resolved"))
    assert desk.waits(2000) == ["oncall open opened! a @1030"]
    assert desk.suppressed() == []


def test_a_critical_one_is_told_the_moment_that_its_silence_ends() -> None:
    desk = Desk()
    desk.does("silence", 0, until_s=1000)
    desk.hears(opened("a", 10, severity="critical"))

    assert desk.waits(5000) == ["oncall open opened! a @1000"]


def test_what_was_told_before_it_was_silenced_is_still_resolved() -> None:
    desk = Desk(Route(receivers=["oncall"], repeat_s=100))
    desk.hears(opened("a", 0, severity="critical"))
    desk.does("silence", 50, until_s=1000)

    assert desk.hears(incident("a", 2, 500, severity="critical", reason="changed_again")) == []
    assert desk.hears(incident("a", 3, 600, severity="critical", state="resolved")) == [
        "oncall resolve resolved a @600"
    ]


def test_what_changed_under_a_silence_is_told_after_it() -> None:
    desk = Desk()
    desk.hears(opened("a", 0, severity="error"))
    desk.waits(30)
    desk.does("silence", 50, until_s=1000)
    desk.hears(incident("a", 2, 500, severity="critical"))

    assert desk.waits(2000) == ["oncall update severity_raised! a @1000"]


def test_unsilence_by_id_and_by_matchers() -> None:
    desk = Desk()
    desk.does("silence", 0, until_s=1000, command_id="s1", matchers={"model": "ptx"})
    desk.does("silence", 0, until_s=1000, command_id="s2", incident="a")
    desk.hears(opened("a", 10, severity="critical"))

    assert desk.does("unsilence", 20, text="nonsense") == "unknown_silence"
    assert desk.does("unsilence", 20, matchers={"model": "ptx"}) == "ok"
    assert desk.waits(30) == []
    assert desk.does("unsilence", 40, text="s2") == "ok"
    assert desk.waits(50) == ["oncall open opened! a @40"]
    assert desk.does("unsilence", 60, text="s2") == "unknown_silence"


DAY_S = 86_400


@pytest.mark.parametrize(
    "answer, fields",
    [
        ("no_until", {}),
        ("too_late", {"until_s": 10}),
        ("too_long", {"until_s": 10 + 30 * DAY_S + 1}),
        ("ok", {"until_s": 10 + 30 * DAY_S}),
        ("unknown_field", {"until_s": 20, "matchers": {"colour": "red"}}),
    ],
)
@pytest.mark.parametrize("action", ["silence", "maintain"])
def test_a_silence_needs_an_end_that_is_near(action: str, answer: str, fields: dict) -> None:  # type: ignore[type-arg]
    assert Desk().does(action, 10, **fields) == answer


def test_a_site_has_so_many_silences_and_no_more() -> None:
    desk = Desk()
    answers = {desk.does("silence", 0, until_s=9, command_id=f"s{n}") for n in range(1000)}

    assert answers == {"ok"}
    assert desk.does("silence", 0, until_s=9, command_id="one more") == "too_many"


def test_a_silence_is_shown_for_five_days_after_its_end() -> None:
    desk = Desk()
    desk.does("silence", 0, until_s=100)

    desk.waits(99 + 5 * DAY_S)
    assert [each.silence for each in desk.routing.silences()] == ["c-1"]
    desk.waits(100 + 5 * DAY_S)
    assert list(desk.routing.silences()) == []


def test_maintain_mutes_a_site_and_no_other() -> None:
    desk = Desk()
    desk.does("maintain", 0, until_s=1000)
    desk.hears(opened("a", 10, severity="critical"))

    assert desk.hears(opened("b", 10, site="south", severity="critical")) == [
        "oncall open opened! b @10"
    ]
    assert desk.suppressed() == [("a", "maintenance", "c-1")]


def test_a_window_of_the_calendar_mutes_its_site() -> None:
    """The story begins at midnight UTC, one o'clock in Berlin."""
    window = Maintenance(cron="30 1 * * *", minutes=30)
    site = SiteSettings(name="north", timezone="Europe/Berlin", maintenance=[window])
    desk = Desk(settings=config(sites=[site]))

    assert desk.hears(opened("a", 1799, severity="critical")) == ["oncall open opened! a @1799"]
    assert desk.hears(opened("b", 1800, severity="critical")) == []
    assert desk.suppressed() == [
        ("a", "maintenance", "cron 30 1 * * *"),
        ("b", "maintenance", "cron 30 1 * * *"),
    ]
    assert desk.waits(4000) == ["oncall open opened! b @3600"]


@pytest.mark.parametrize(
    "now, began",
    [
        ("2026-03-29T00:59:59+00:00", "2026-03-28T01:30:00+00:00"),
        ("2026-03-29T01:00:00+00:00", "2026-03-29T01:00:00+00:00"),  # 2:30 does not exist
        ("2026-10-25T00:29:59+00:00", "2026-10-24T00:30:00+00:00"),
        ("2026-10-25T00:30:00+00:00", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T01:10:00+00:00", "2026-10-25T00:30:00+00:00"),  # 2:10 for the second time
        ("2026-10-25T01:45:00+00:00", "2026-10-25T00:30:00+00:00"),  # 2:45 for the second time
        ("2026-10-26T01:30:00.500000+00:00", "2026-10-26T01:30:00+00:00"),
    ],
)
def test_windows_begin_by_the_wall_clock_of_the_site(now: str, began: str) -> None:
    now_us = to_us(datetime.fromisoformat(now))

    start_us = last_start_us("30 2 * * *", ZoneInfo("Europe/Berlin"), now_us)

    assert from_us(start_us) == datetime.fromisoformat(began)


def test_a_window_in_utc_needs_no_zone_data() -> None:
    now_us = to_us(datetime(2026, 1, 8, 3, tzinfo=UTC))

    start_us = last_start_us("0 2 * * 0", UTC, now_us)

    assert from_us(start_us) == datetime(2026, 1, 4, 2, tzinfo=UTC)


def silence(name: str = "s", seq: int = 1, at_s: float = 0, **fields: object):  # type: ignore[no-untyped-def]
    plain = {"kind": "silence", "model": None, "subject": "predictions", "severity": "error"}
    return incident(name, seq, at_s, **plain | fields)


def test_a_silent_feed_explains_what_does_not_come_of_it() -> None:
    desk = Desk()
    desk.hears(opened("a", 0), silence(at_s=20), opened("d", 20, kind="input_drift", model="m"))

    assert desk.waits(900) == ["oncall open opened! s @50", "oncall open opened! d @50"]
    assert desk.suppressed() == [("a", "inhibited", "s")]
    desk.hears(silence(seq=2, at_s=1000, state="resolved"))
    assert desk.waits(2000) == ["oncall open opened! a @1030"]


@pytest.mark.parametrize(
    "other",
    [
        {"severity": "critical"},
        {"site": "south"},
        {"kind": "performance_drift"},
        {"kind": "silence", "subject": "reports"},
    ],
)
def test_a_silent_feed_does_not_explain(other: dict) -> None:  # type: ignore[type-arg]
    desk = Desk()
    desk.hears(silence())

    desk.hears(opened("a", 1, **other))

    assert desk.suppressed() == []


def mix(name: str, began_s: float, at_s: float, **fields: Any) -> Incident:
    """The site's studies are others on average, since about then."""
    since = Evidence(since=at(began_s))
    plain = {"kind": "input_drift", "model": None, "severity": "warning", "evidence": since}
    return incident(name, at_s=at_s, **plain | fields)


DAY_S = 86_400
SCANNER: dict[str, Any] = {
    "subject": "studies scanner.station=DX1",
    "evidence": Evidence(since=at(0)),
}


def test_a_scanner_that_falls_silent_explains_that_studies_are_others_on_average() -> None:
    desk = Desk()
    desk.hears(silence(at_s=40_000, **SCANNER))
    for name, began_s in {"station": 50_000, "view": -DAY_S, "kvp": 2.5 * DAY_S}.items():
        desk.hears(mix(name, began_s, 3 * DAY_S, subject=name))
    desk.hears(mix("lacks", 50_000, 3 * DAY_S, kind="data_quality", subject="missing.view"))
    desk.waits(4 * DAY_S)

    assert {told.key for told in desk.told} == {"s"}
    assert {(why, by) for _, why, by in desk.suppressed()} == {("inhibited", "s")}
    desk.hears(silence(seq=2, at_s=5 * DAY_S, state="resolved", **SCANNER))
    desk.waits(5 * DAY_S + 31)
    assert {told.key for told in desk.told} == {"s", "station", "view", "kvp", "lacks"}


@pytest.mark.parametrize(
    "other",
    [
        {"began_s": -3.1 * DAY_S},
        {"began_s": 3.1 * DAY_S},
        {"site": "south"},
        {"model": "ptx"},
        {"kind": "output_drift", "model": "ptx"},
        {"severity": "critical"},
    ],
    ids=str,
)
def test_it_does_not_explain(other: dict[str, Any]) -> None:
    desk = Desk()
    desk.hears(silence(at_s=40_000, **SCANNER))

    desk.hears(mix("d", at_s=3.5 * DAY_S, **{"began_s": 0.0} | other))

    assert desk.suppressed() == []


def test_all_studies_that_fall_silent_leave_none_to_be_others() -> None:
    desk = Desk()
    desk.hears(silence(at_s=40_000, **SCANNER | {"subject": "studies"}), mix("d", 0, 50_000))

    assert desk.suppressed() == []


def test_but_what_is_reported_then_has_waited_long() -> None:
    desk = Desk()
    late = mix("d", 0, 50_000, subject="report_turnaround_s")
    desk.hears(silence(at_s=40_000, **SCANNER | {"subject": "studies"}), late)

    assert desk.suppressed() == [("d", "inhibited", "s")]


def test_the_silent_feed_of_a_model_explains_that_model_only() -> None:
    desk = Desk()
    desk.hears(silence(model="ptx"), opened("a", 1), opened("b", 1, model="cxr"))

    assert desk.suppressed() == [("a", "inhibited", "s")]


def test_what_is_missing_explains_that_the_same_model_is_late_once_it_comes() -> None:
    desk = Desk()

    desk.hears(
        opened("gone", 0, kind="missing_output"),
        opened("late", 1, kind="latency"),
        opened("other model", 1, kind="latency", model="cxr"),
        opened("other site", 1, kind="latency", site="south"),
        opened("other kind", 1, kind="failed_output"),
    )

    assert desk.suppressed() == [("late", "inhibited", "gone")]


def stale(seq: int = 1, at_s: float = 0, **fields: object):  # type: ignore[no-untyped-def]
    plain = {"kind": "monitor_stale", "site": "radvigil", "model": None, "subject": "partition-0"}
    return incident("stale", seq, at_s, **plain | fields)


def test_a_stale_monitor_hides_what_opens_meanwhile_unless_it_is_critical() -> None:
    desk = Desk()
    desk.hears(
        opened("before", 0, model="a"),
        stale(at_s=10),
        opened("meanwhile", 20, model="b", kind="latency"),
        opened("elsewhere", 20, site="south"),
        opened("grave", 20, severity="critical", model="d"),
    )

    assert [(name, by) for name, _, by in desk.suppressed()] == [
        ("meanwhile", "stale"),
        ("elsewhere", "stale"),
    ]
    desk.hears(stale(seq=2, at_s=1000, state="resolved"))
    assert [line for line in desk.waits(2000) if "1030" in line] == [
        "oncall open opened! meanwhile @1030",
        "oncall open opened! elsewhere @1030",
    ]


def test_a_flapping_incident_hides_what_flaps() -> None:
    desk = Desk()
    desk.hears(incident("f", kind="flapping"), opened("a", 1, folded_into="f"), opened("b", 1))

    assert desk.suppressed() == [("a", "inhibited", "f")]


def test_what_comes_out_of_hiding_is_escalated_from_then_on() -> None:
    steps = [Escalation(after_s=100, receivers=["lead"])]
    desk = Desk(Route(receivers=["oncall"], escalate=steps))
    desk.does("silence", 0, until_s=1000)
    desk.hears(opened("a", 10))

    assert desk.waits(1200) == ["oncall open opened! a @1030", "lead open escalated! a @1100"]


def test_escalation_waits_while_it_is_silenced() -> None:
    steps = [Escalation(after_s=100, receivers=["lead"])]
    desk = Desk(Route(receivers=["oncall"], escalate=steps))
    desk.hears(opened("a", 0, severity="critical"))
    desk.does("silence", 50, until_s=1000)

    assert desk.waits(5000) == ["lead open escalated! a @1000"]
