"""The life of an incident: what the table allows, and that its documentation says the same."""

from pathlib import Path
from typing import get_args

import pytest

from schemas.incident import IncidentState, TransitionReason
from schemas.reply import ReplyReason
from streams.incidents.lifecycle import (
    BEGINS,
    ENDS,
    LIVE,
    TRANSITIONS,
    TRUE,
    Guard,
    Trigger,
    diagram,
    step,
)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text()
STATES = ("none", *get_args(IncidentState))
TRIGGERS = get_args(Trigger)
GUARDS = get_args(Guard)
EVIDENCE = {"holds", "changed", "graver", "eased", "returned"}
PEOPLE = {"acknowledge", "unacknowledge", "resolve", "accept", "note"}
TIME = {"held", "expired", "retire", "milder"}
BETTER = ("resolving", "resolved", "closed")


def test_every_trigger_is_evidence_a_person_or_time() -> None:
    assert set(TRIGGERS) == EVIDENCE | PEOPLE | TIME


def test_every_transition_is_of_the_contract() -> None:
    for one in TRANSITIONS:
        assert {one.source, one.state} <= set(STATES)
        assert one.reason in get_args(TransitionReason)


def test_no_transition_is_behind_another_that_is_always_taken() -> None:
    for one in TRANSITIONS:
        assert step(one.source, one.trigger, {one.guard} if one.guard else set()) == one


def test_nothing_leads_back_to_where_nothing_is() -> None:
    assert not any(one.state == "none" for one in TRANSITIONS)


def test_only_fresh_evidence_or_a_person_makes_it_less_urgent() -> None:
    away = {one.trigger for one in TRANSITIONS if one.source in TRUE and one.state in BETTER}

    assert away == {"eased", "returned", "resolve", "accept"}


def test_time_alone_resolves_only_what_fresh_evidence_has_eased() -> None:
    over = {
        (one.source, one.state)
        for one in TRANSITIONS
        if one.trigger in TIME and one.state not in LIVE
    }

    assert over == {("resolving", "resolved"), ("resolved", "closed")}


@pytest.mark.parametrize("state", sorted(LIVE))
@pytest.mark.parametrize("trigger", ["holds", "changed"])
def test_evidence_that_it_is_true_is_heard_in_every_live_state(state: str, trigger: str) -> None:
    found = step(state, trigger)  # type: ignore[arg-type]

    assert found is not None
    assert found.state in (TRUE | {"pending"})
    assert found.state == "pending" or state != "pending"


@pytest.mark.parametrize("state", ["resolved", "closed"])
@pytest.mark.parametrize("trigger", ["holds", "changed"])
def test_after_its_end_evidence_opens_a_new_episode(state: str, trigger: str) -> None:
    found = step(state, trigger)  # type: ignore[arg-type]

    assert found is not None
    assert (found.state, found.reason) == ("open", "opened")


@pytest.mark.parametrize("facts", [{"soon"}, {"soon", "held down"}])
def test_soon_after_its_end_it_is_the_same_again(facts: set[Guard]) -> None:
    found = step("resolved", "holds", facts)

    assert found is not None
    assert (found.state, found.reason) == ("open", "reopened")
    assert step("closed", "holds", facts) != found


@pytest.mark.parametrize("state", ["none", "resolved", "closed"])
def test_what_is_held_down_is_pending_first(state: str) -> None:
    found = step(state, "holds", {"held down"})  # type: ignore[arg-type]

    assert found is not None
    assert (found.state, found.reason) == ("pending", "pending")


def test_what_was_pending_only_is_never_resolved_and_so_never_reopened() -> None:
    assert {one.state for one in TRANSITIONS if one.source == "pending"} == {
        "pending",
        "open",
        "closed",
    }


def test_an_episode_begins_and_ends_with_reasons_of_its_own() -> None:
    for one in TRANSITIONS:
        begins = one.source not in LIVE and one.state in LIVE and one.reason != "reopened"
        ends = one.source in LIVE and one.state not in LIVE
        assert (one.reason in BEGINS) == begins
        assert (one.reason in ENDS) == ends


def test_what_is_not_in_the_table_does_not_happen() -> None:
    assert step("none", "eased") is None
    assert step("closed", "resolve") is None
    assert step("resolved", "held") is None
    assert step("pending", "acknowledge") is None


@pytest.mark.parametrize(("facts", "state"), [((), "open"), (("acknowledged",), "acknowledged")])
def test_what_recurs_goes_back_to_whoever_had_it(facts: tuple[Guard, ...], state: str) -> None:
    found = step("resolving", "holds", facts)

    assert found is not None
    assert (found.state, found.reason) == (state, "recurred")


def test_every_reason_is_used() -> None:
    assert {one.reason for one in TRANSITIONS} == set(get_args(TransitionReason))


def test_suppression_is_no_state() -> None:
    assert not {"suppressed", "silenced", "inhibited", "flapping"} & set(STATES)


def test_the_documented_diagram_is_that_of_the_table() -> None:
    begin, end = "<!-- begin: python -m streams.incidents.lifecycle -->\n", "<!-- end -->"

    shown = DOCUMENT.split(begin)[1].split(end)[0]

    assert shown == f"```mermaid\n{diagram()}\n```\n"


@pytest.mark.parametrize("reason", get_args(TransitionReason))
def test_every_reason_is_explained(reason: str) -> None:
    (explained,) = rows("What each reason means", reason)

    assert len(explained) > 10


@pytest.mark.parametrize("word", [*TRIGGERS, *GUARDS])
def test_every_trigger_and_condition_is_explained(word: str) -> None:
    assert len(rows("What happens", word)) == 1


@pytest.mark.parametrize("reason", get_args(ReplyReason))
def test_every_reason_of_a_reply_is_explained(reason: str) -> None:
    assert len(rows("Commands and replies", reason)) == 1


def rows(section: str, word: str) -> list[str]:
    """What the tables of a section say of a word in their first column."""
    text = DOCUMENT.partition(f"## {section}")[2].partition("\n## ")[0]
    cells = [line.split("|") for line in text.splitlines() if line.startswith("|")]
    return [row[2].strip() for row in cells if f"`{word}`" in row[1]]
