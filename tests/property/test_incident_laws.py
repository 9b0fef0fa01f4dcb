"""Laws of incidents, for every sequence of findings, commands and proved time."""

from collections import defaultdict
from itertools import pairwise
from random import Random
from typing import NamedTuple, get_args

from hypothesis import given
from hypothesis import strategies as st

from schemas.fields import Severity
from schemas.incident import Incident, IncidentState, TransitionReason
from schemas.reply import ReplyReason
from streams.incidents.lifecycle import BEGINS, ENDS, LIVE, TRANSITIONS, TRUE
from tests.unit.builders import command, finding
from tests.unit.incident_desk import Desk

SEVERITIES = get_args(Severity)
SIGNALS = ("holds", "changed", "eased", "returned")
ACTIONS = ("acknowledge", "unacknowledge", "resolve", "rebaseline", "note")
BY_PERSON = {"acknowledged", "unacknowledged", "resolved_by_hand", "accepted", "noted"}
SETTINGS = {
    "reopen_s": 400,
    "acknowledged_s": 700,
    "severity_hold_s": 250,
    "flapping_cycles": 2,
    "flapping_s": 900,
    "closed_s": 1_500,
}


class Step(NamedTuple):
    """Something that happens so long after the step before."""

    after_s: int
    what: str
    subject: str
    severity: str
    hold_s: int
    pending_s: int
    seq: int | None


_steps = st.lists(
    st.builds(
        Step,
        st.sampled_from([0, 1, 50, 150, 300, 500, 1_000]),
        st.sampled_from([*SIGNALS, *SIGNALS, *ACTIONS, "heard", "time"]),
        st.sampled_from("ab"),
        st.sampled_from(SEVERITIES),
        st.sampled_from([0, 100]),
        st.sampled_from([0, 0, 200]),
        st.none() | st.integers(1, 6),
    ),
    max_size=60,
)


def play(steps: list[Step], restart_before: frozenset[int] = frozenset()) -> Desk:
    """All that is told, by desks that hand over at the given steps."""
    desk = Desk(**SETTINGS)
    at_s = 0
    for number, step in enumerate(steps):
        if number in restart_before:
            desk = desk.restarted()
        at_s += step.after_s
        desk.waits(at_s)
        act(desk, step, at_s, f"c-{number}")
    return desk


def act(desk: Desk, step: Step, at_s: int, command_id: str) -> list[Incident]:
    if step.what in SIGNALS:
        waits = {"hold_us": step.hold_s * 10**6, "pending_us": step.pending_s * 10**6}
        told = {"severity": step.severity, "update_us": 60_000_000, "title": f"{at_s // 500}"}
        return desk.hears(finding(step.what, at_s, subject=step.subject, **waits, **told))
    if step.what in ACTIONS:
        wanted = {"matchers": {"subject": step.subject}, "expected_seq": step.seq}
        return desk.hears(command(step.what, command_id, at_s, **wanted))
    return desk.hears_of("north", at_s) if step.what == "heard" else desk.waits(at_s)


def by_episode(told: list[Incident]) -> dict[str, list[Incident]]:
    episodes = defaultdict(list)
    for incident in told:
        episodes[incident.incident].append(incident)
    return episodes


@given(_steps)
def test_seqs_have_no_gap_and_time_does_not_go_back(steps: list[Step]) -> None:
    for mine in by_episode(play(steps).told).values():
        assert [i.seq for i in mine] == list(range(1, len(mine) + 1))
        assert all(a.at <= b.at for a, b in pairwise(mine))
        assert len({(i.fingerprint, i.opened_at) for i in mine}) == 1


@given(_steps)
def test_of_a_fingerprint_one_is_live_at_most(steps: list[Step]) -> None:
    live: dict[str, str] = {}
    for told in play(steps).told:
        assert live.get(told.fingerprint) in (None, told.incident)
        live[told.fingerprint] = told.incident
        if told.state not in LIVE:
            del live[told.fingerprint]


@given(_steps)
def test_every_message_is_a_transition_of_the_table(steps: list[Step]) -> None:
    allowed = {(one.source, one.state, one.reason) for one in TRANSITIONS}
    state: dict[str, str] = defaultdict(lambda: "none")

    for told in play(steps).told:
        before = state[told.fingerprint]
        assert (before, told.state, told.reason) in allowed
        assert (told.seq == 1) == (told.reason in BEGINS)
        state[told.fingerprint] = told.state


@given(_steps)
def test_a_new_episode_names_the_last_that_was_open(steps: list[Step]) -> None:
    last_open: dict[str, str] = {}
    for told in play(steps).told:
        if told.seq == 1:
            assert told.reopen_of == last_open.get(told.fingerprint)
        if told.state in TRUE:
            last_open[told.fingerprint] = told.incident


@given(_steps, st.integers(0, 10**9))
def test_without_evidence_and_people_nothing_gets_better(steps: list[Step], wait_s: int) -> None:
    desk = play(steps)
    eased = {c.fingerprint for c in desk.incidents.live() if c.state == "resolving"}

    for told in desk.waits(10**6 + wait_s):
        if told.reason in ENDS:
            assert told.fingerprint in eased
        assert told.state != "resolving"


@given(_steps)
def test_severity_falls_only_when_it_says_so(steps: list[Step]) -> None:
    for mine in by_episode(play(steps).told).values():
        for before, after in pairwise(mine):
            if SEVERITIES.index(after.severity) > SEVERITIES.index(before.severity):
                assert after.reason == "severity_changed"


@given(_steps)
def test_what_is_reopened_is_counted(steps: list[Step]) -> None:
    for mine in by_episode(play(steps).told).values():
        for number, told in enumerate(mine, start=1):
            assert told.reopen_count == sum(i.reason == "reopened" for i in mine[:number])


@given(_steps)
def test_what_is_acknowledged_says_until_when_and_stays_no_longer(steps: list[Step]) -> None:
    desk = play(steps)
    desk.waits(1e9)

    for mine in by_episode(desk.told).values():
        assert mine[-1].state != "acknowledged"
        for before, after in pairwise(mine):
            assert (before.acknowledged_until is not None) == (before.state == "acknowledged")
            if before.state == "acknowledged":
                assert after.at <= before.acknowledged_until or after.reason not in BY_PERSON


@given(_steps)
def test_a_command_tells_what_it_changed_or_why_nothing(steps: list[Step]) -> None:
    desk = play(steps)
    by_hand = [i for i in desk.told if i.reason in BY_PERSON]

    assert sum(answer.affected_n for answer in desk.answers) == len(by_hand)
    for answer in desk.answers:
        assert answer.reason in get_args(ReplyReason)
        assert answer.accepted == (answer.affected_n > 0) == bool(answer.told)


@given(_steps, st.sampled_from(ACTIONS), st.integers(1, 9))
def test_a_stale_command_changes_nothing(steps: list[Step], action: str, off: int) -> None:
    desk = play(steps)
    for case in desk.incidents.live():
        seq = case.seq
        stale = command(action, "late", 10**6, incident=case.incident, expected_seq=seq + off)

        answer = desk.asks(stale)

        assert (answer.reason, answer.seq, answer.told) == ("stale_seq", seq, ())


@given(_steps)
def test_what_is_folded_names_a_flapping_incident_that_is_live(steps: list[Step]) -> None:
    told = play(steps).told
    ended: set[str] = set()
    opened: set[str] = set()
    for number, incident in enumerate(told):
        if incident.kind == "flapping":
            assert incident.folded_into is None
            opened.add(incident.incident)
            if incident.state not in LIVE:
                ended.add(incident.incident)
            else:
                ended.discard(incident.incident)
        elif incident.folded_into is not None:
            assert incident.folded_into not in ended
            soon = {i.incident for i in told[number : number + 2]}
            assert incident.folded_into in opened | soon


@given(_steps)
def test_folding_changes_nothing_else_in_what_flaps(steps: list[Step]) -> None:
    def flappers(cycles: int) -> list[tuple[str, int, str, str]]:
        desk = Desk(**SETTINGS | {"flapping_cycles": cycles})
        at_s = 0
        for number, step in enumerate(steps):
            at_s += step.after_s
            desk.waits(at_s)
            act(desk, step, at_s, f"c-{number}")
        plain = [i for i in desk.told if i.kind != "flapping"]
        return [(i.incident, i.seq, i.reason, i.at.isoformat()) for i in plain]

    assert flappers(2) == flappers(50)


@given(_steps, st.frozensets(st.integers(0, 60), max_size=5))
def test_a_restart_changes_nothing(steps: list[Step], restarts: frozenset[int]) -> None:
    whole, cut = play(steps), play(steps, restarts)

    assert whole.told == cut.told
    assert whole.answers == cut.answers
    assert whole.waits(1e7) == cut.waits(1e7)


@given(_steps)
def test_the_same_log_tells_the_same(steps: list[Step]) -> None:
    assert play(steps).told == play(steps).told


@given(_steps, st.integers(0, 1_000), st.integers(0, 1_000))
def test_time_may_be_advanced_in_any_steps(steps: list[Step], one_s: int, other_s: int) -> None:
    end_s = sum(step.after_s for step in steps) + one_s + other_s
    slow, fast = play(steps), play(steps)

    assert slow.waits(end_s - other_s) + slow.waits(end_s) == fast.waits(end_s)


@given(_steps)
def test_no_record_grows(steps: list[Step]) -> None:
    desk = play(steps * 4)

    assert all(len(case.eased_us) <= 64 for case in desk.incidents._cases.values())
    assert len(desk.incidents._timers) < 40
    assert len(desk.incidents._retention) < 20


def test_the_steps_reach_every_reason_and_state() -> None:
    """A long walk of the same steps: the laws above are not about nothing."""
    random = Random(1)
    steps = [
        Step(
            random.choice([0, 1, 50, 150, 300, 500, 1_000, 3_000]),
            random.choice([*SIGNALS, *SIGNALS, *ACTIONS, "heard", "time"]),
            random.choice("ab"),
            random.choice(SEVERITIES),
            random.choice([0, 100]),
            random.choice([0, 200]),
            random.choice([None, 1, 2, 3, 4]),
        )
        for _ in range(3_000)
    ]

    desk = play(steps)

    assert {i.reason for i in desk.told} == set(get_args(TransitionReason))
    assert {i.state for i in desk.told} == set(get_args(IncidentState))
    assert {i.reason for i in desk.told if i.kind == "flapping"} > {"opened", "recovered"}
    assert {answer.reason for answer in desk.answers} >= {"ok", "stale_seq", "no_transition"}
    assert any(i.folded_into for i in desk.told)
