"""The page's view: what it keeps, what it counts, and what its bounds cost."""

from datetime import timedelta

from schemas.config import Config
from schemas.web import WebSettings
from streams.outcomes.study_record import Expected, StudyRecord
from streams.state import write
from streams.web.health import matrix
from streams.web.view import View
from streams.web.view_incidents import Incidents
from streams.web.view_outcomes import FINE_N, HOUR_US, Counts, Outcomes
from streams.web.view_series import POINTS, Lines
from tests.unit.builders import at, command, us
from tests.unit.web_desk import NOW_S, config, incident, outcome, page, point

PAIR = ("north", "ptx")


def hour(outcomes: Outcomes, at_s: float) -> Counts:
    return outcomes.hours(PAIR, us(at_s), 1)[0]


def test_a_late_result_after_a_missing_one_is_counted_once() -> None:
    outcomes = Outcomes()
    outcomes.take(outcome("a", 10, "missing"))
    assert hour(outcomes, 10) == Counts(missing=1)

    outcomes.take(outcome("a", 20, "late", revision=2))

    assert hour(outcomes, 10) == Counts(late=1)
    assert outcomes.due_by_hour("north") == {us(10) // HOUR_US: 1}


def test_what_was_not_needed_is_no_miss() -> None:
    assert Counts(on_time=3, late=1, unneeded=9).share == 0.75
    assert Counts(unneeded=9).share is None


def test_outcomes_keep_only_their_days() -> None:
    outcomes = Outcomes(fine_s=300, days=2)
    for n in range(24 * 10):
        outcomes.take(outcome(str(n), n * 3600.0))

    assert len(outcomes.due_by_hour("north")) <= 48 * 9 // 8 + 1
    step_us, counts = outcomes.intervals(PAIR, us(239 * 3600 - 60), us(239 * 3600))
    assert step_us == 300_000_000
    assert sum(one.due for one in counts) == 1
    assert len(outcomes.newest(PAIR, us(239 * 3600), FINE_N)) == FINE_N


def test_the_newest_state_of_an_incident_counts_whatever_is_repeated() -> None:
    incidents = Incidents()
    assert incidents.take(incident())
    assert incidents.take(incident(2, state="acknowledged", reason="acknowledged", actor="kim"))
    assert not incidents.take(incident())

    (episode,) = incidents.live()
    assert (episode.last.state, episode.holder, len(episode.steps)) == ("acknowledged", "kim", 2)
    assert not episode.needs_someone


def test_who_gave_it_back_has_it_no_more() -> None:
    incidents = Incidents()
    incidents.take(incident())
    incidents.take(incident(2, state="acknowledged", reason="acknowledged", actor="kim"))
    incidents.take(incident(3, state="open", reason="unacknowledged", actor="kim"))

    assert incidents.live()[0].holder is None


def test_what_is_over_makes_room_first_and_that_is_counted() -> None:
    incidents = Incidents(limit=3)
    incidents.take(incident(incident="live"))
    for n in range(4):
        incidents.take(incident(incident=f"over-{n}", state="resolved", reason="recovered"))

    assert len(incidents) == 3
    assert incidents.get("live") is not None
    assert incidents.get("over-0") is None
    assert incidents.dropped == {"incidents": 2}


def test_a_long_series_keeps_all_its_time_and_all_its_observations() -> None:
    lines = Lines()
    for n in range(1000):
        lines.take(point(n * 60.0))

    line = lines.get("north", "", "acquisition.kvp")
    assert line is not None
    assert len(line.points) <= POINTS
    assert sum(one.n for one in line.points) == 64_000
    assert line.points[0].since_us == us(-60)
    assert line.points[-1].at_us == us(999 * 60)


def test_a_series_knows_when_its_reference_was_frozen() -> None:
    lines = Lines()
    lines.take(point(60, phase="learning", reference_n=64))
    lines.take(point(120))

    line = lines.get("north", "", "acquisition.kvp")
    assert line is not None
    assert line.watched_us == us(120)


def test_pending_deadlines_come_from_studies_that_wait() -> None:
    view = View(config(), WebSettings())
    for key, start_s in (("a", 100), ("b", 50)):
        waits = Expected(start_us=us(start_s), due_us=us(start_s + 300))
        record = StudyRecord(site="north", study=key, touched_us=0, expected={"ptx": waits})
        view.take_state(0, *write("study/1", [key], record))

    pending = view.monitor.pending()
    assert pending == {PAIR: (2, us(50), us(350))}

    settled = Expected(start_us=0, due_us=0, outcomes=[("on_time", 1)])
    record = StudyRecord(site="north", study="b", touched_us=0, expected={"ptx": settled})
    view.take_state(0, *write("study/1", ["b"], record))
    view.take_state(0, *write("study/1", ["a"], None))
    assert view.monitor.pending() == {}


def test_news_are_openings_that_disturb() -> None:
    view = View(Config(), WebSettings())
    view.take(incident())
    version = view.version
    view.take(incident(2, reason="updated"))
    view.take(incident(incident="b", severity="info"))
    view.take(incident(incident="c"))

    assert [one.incident for one in view.news_since(version)] == ["c"]


def test_a_silence_is_in_force_from_its_reply_to_its_end() -> None:
    made = page()
    view = made.view
    asked = command("silence", at_s=NOW_S - 60, incident="i", until=at(NOW_S + 60))
    view.take(asked)
    assert view.people.silences(us(NOW_S)) == []

    view.take(reply(asked.command_id))

    assert len(view.people.silences(us(NOW_S))) == 1
    assert view.people.silences(us(NOW_S + 61)) == []
    ended = command("unsilence", "c-2", at_s=NOW_S - 30, incident="i")
    view.take(ended)
    view.take(reply("c-2", action="unsilence"))
    assert view.people.silences(us(NOW_S)) == []


def reply(command_id: str, **fields: object):  # type: ignore[no-untyped-def]
    from schemas.reply import Reply

    plain = {"command_id": command_id, "site": "north", "action": "silence", "accepted": True}
    return Reply(**plain | {"reason": "ok", "at": at(NOW_S)} | fields)


def words(made) -> dict[tuple[str, str], str]:  # type: ignore[no-untyped-def]
    scene = made.scene(None)
    cells = matrix(scene.config, scene.view, scene.fresh, scene.clock.now_us)
    return {(cell.site, cell.model): cell.health for row in cells.rows for cell in row}


def test_each_cell_says_the_worst_that_is_true() -> None:
    made = page()
    made.view.take(outcome("a", NOW_S - 10))
    assert words(made)[PAIR] == "on time"
    made.view.take(incident(kind="input_drift", incident="b", subject="x", severity="warning"))
    assert words(made)[PAIR] == "drifting"
    made.view.take(incident())
    assert words(made)[PAIR] == "missing"
    made.view.take(incident(2, state="resolving", reason="recovering"))
    assert words(made)[PAIR] == "drifting"
    assert words(made)["south", "ptx"] == "quiet"


def test_a_site_of_a_partition_that_is_behind_is_blind() -> None:
    made = page()
    made.view.take(outcome("a", NOW_S - 10))
    made.view.monitor.proved_us = {n: us(NOW_S - 3600) for n in range(4)}

    assert set(words(made).values()) == {"blind"}


def test_what_the_monitor_says_of_itself_makes_its_sites_blind() -> None:
    made = page()
    for n in range(4):
        stale = {"kind": "monitor_stale", "subject": f"partition-{n}", "model": None}
        made.view.take(incident(incident=f"s{n}", site="radvigil", **stale))

    assert set(words(made).values()) == {"blind"}
    assert not made.scene(None).fresh.is_live


def test_a_model_is_not_used_where_its_rule_excludes_the_site() -> None:
    from schemas.config import Model

    made = page(config(models=[Model(name="ptx", applies={"sites": ["north"]})]))

    assert words(made)["south", "ptx"] == "not used"


def test_how_long_it_lasted_ends_with_its_resolution_not_its_closing() -> None:
    incidents = Incidents()
    incidents.take(incident())
    incidents.take(incident(2, 4000, state="resolved", reason="recovered"))
    incidents.take(incident(3, 90_000, state="closed", reason="retired"))

    episode = incidents.get(incident().incident)
    assert episode is not None
    assert episode.ended_at == at(0) + timedelta(seconds=4000)


def test_a_false_alarm_is_one_until_it_is_true_again() -> None:
    incidents = Incidents()
    incidents.take(incident())
    by_hand = {"state": "resolved", "reason": "resolved_by_hand", "note": "false alarm"}
    incidents.take(incident(2, **by_hand))
    assert incidents.all()[0].was_false
    incidents.take(incident(3, state="closed", reason="retired"))
    assert incidents.all()[0].was_false
    incidents.take(incident(4, reason="reopened"))
    assert not incidents.all()[0].was_false
