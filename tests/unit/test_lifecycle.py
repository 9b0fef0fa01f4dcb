"""The life of an incident: what the table allows, and that its documentation says the same."""

from pathlib import Path
from typing import get_args

import pytest

from schemas.incident import IncidentState, TransitionReason
from streams.lifecycle import LIVE, TRANSITIONS, Trigger, diagram, step

DOCUMENT = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text()
STATES = ("none", *get_args(IncidentState))
TRIGGERS = get_args(Trigger)
EVIDENCE = {"holds", "changed", "eased", "returned"}
PEOPLE = {"acknowledge", "unacknowledge", "resolve", "accept", "note"}
TIME = {"held", "expired", "retire"}
RESERVED = {"pending", "held", "severity_changed", "reopened"}


def test_every_trigger_is_evidence_a_person_or_time() -> None:
    assert set(TRIGGERS) == EVIDENCE | PEOPLE | TIME


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_transition_leads_to_a_state_for_a_reason_of_the_contract(
    state: str, trigger: str
) -> None:
    for acknowledged in (False, True):
        found = step(state, trigger, acknowledged)  # type: ignore[arg-type]

        assert found is None or found.state in get_args(IncidentState)
        assert found is None or found.reason in get_args(TransitionReason)


def test_only_fresh_evidence_or_a_person_makes_it_less_urgent() -> None:
    eased = {"eased", "returned", "resolve", "accept"}

    away = {
        trigger
        for (state, trigger), found in TRANSITIONS.items()
        if state in ("open", "acknowledged") and found.state in ("resolving", "resolved", "closed")
    }

    assert away == eased


def test_time_alone_resolves_only_what_fresh_evidence_has_eased() -> None:
    resolved = {
        (state, found.state)
        for (state, trigger), found in TRANSITIONS.items()
        if trigger in TIME and found.state not in LIVE
    }

    assert resolved == {("resolving", "resolved"), ("resolved", "closed")}


@pytest.mark.parametrize("state", sorted(LIVE - {"pending"}))
def test_evidence_that_it_is_true_is_heard_in_every_live_state(state: str) -> None:
    for trigger in ("holds", "changed"):
        found = step(state, trigger)  # type: ignore[arg-type]

        assert found is not None and found.state in ("open", "acknowledged")


@pytest.mark.parametrize("state", ["resolved", "closed"])
@pytest.mark.parametrize("trigger", ["holds", "changed"])
def test_after_its_end_evidence_opens_a_new_episode(state: str, trigger: str) -> None:
    assert step(state, trigger) == ("open", "opened")  # type: ignore[arg-type]


def test_what_is_not_in_the_table_does_not_happen() -> None:
    assert step("none", "eased") is None
    assert step("closed", "resolve") is None
    assert step("resolved", "held") is None


@pytest.mark.parametrize(("acknowledged", "state"), [(False, "open"), (True, "acknowledged")])
def test_what_recurs_goes_back_to_whoever_had_it(acknowledged: bool, state: str) -> None:
    assert step("resolving", "holds", acknowledged) == (state, "recurred")


def test_every_reason_but_the_reserved_ones_is_used() -> None:
    used = {found.reason for found in TRANSITIONS.values()}

    assert set(get_args(TransitionReason)) - used == RESERVED


def test_the_documented_diagram_is_that_of_the_table() -> None:
    begin, end = "<!-- begin: python -m streams.lifecycle -->\n", "<!-- end -->"

    shown = DOCUMENT.split(begin)[1].split(end)[0]

    assert shown == f"```mermaid\n{diagram()}\n```\n"


@pytest.mark.parametrize("reason", get_args(TransitionReason))
def test_every_reason_is_explained(reason: str) -> None:
    _, _, reasons = DOCUMENT.partition("## What each reason means")

    (explained,) = [line for line in reasons.splitlines() if line.startswith(f"| `{reason}` |")]

    assert len(explained.split("|")[2].strip()) > 10
    assert ("Reserved" in explained) == (reason in RESERVED)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_trigger_is_explained(trigger: str) -> None:
    assert f"`{trigger}`" in DOCUMENT.partition("## What happens")[2].partition("\n## ")[0]
