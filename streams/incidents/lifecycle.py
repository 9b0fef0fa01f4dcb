"""The life of an incident, as one table.

Two rules. Everything that changes an incident's state stands in this table; what is not in it
does not happen. And nothing in it follows from the absence of data: to resolve takes a person
or fresh evidence that was held for a while.

`python -m streams.incidents.lifecycle` prints the diagram in docs/lifecycle.md, which a test keeps
equal.
"""

from collections import defaultdict
from collections.abc import Container
from typing import Literal, NamedTuple

from schemas.incident import IncidentState, TransitionReason

State = IncidentState | Literal["none"]
Trigger = Literal[
    "holds",  # evidence that the condition is true
    "changed",  # true in a new way
    "graver",  # evidence of a higher severity
    "milder",  # of a lower severity for long enough
    "eased",  # fresh evidence that it is over
    "returned",  # fresh evidence that it is back at the old level
    "held",  # true, or eased, for long enough
    "acknowledge",
    "unacknowledge",
    "expired",  # an acknowledgement past its end
    "resolve",
    "accept",  # resolved, and the new level is the normal one
    "note",
    "retire",  # resolved for longer than it is kept at hand
]
Guard = Literal[
    "soon",  # within the reopen window
    "held down",  # the finding asks for a hold before it opens
    "acknowledged",  # somebody had it
]


class Transition(NamedTuple):
    """From one state to another and why, as the incident tells it; of a guarded one, if what."""

    source: State
    trigger: Trigger
    state: IncidentState
    reason: TransitionReason
    guard: Guard | None = None


# For the same state and trigger the first whose guard is true counts.
TRANSITIONS = (
    Transition("none", "holds", "pending", "pending", "held down"),
    Transition("none", "holds", "open", "opened"),
    Transition("pending", "holds", "pending", "updated"),
    Transition("pending", "changed", "pending", "changed_again"),
    Transition("pending", "graver", "pending", "severity_changed"),
    Transition("pending", "milder", "pending", "severity_changed"),
    Transition("pending", "held", "open", "held"),
    # Never opened, so nobody was told, and there is nothing to reopen.
    Transition("pending", "eased", "closed", "recovered"),
    Transition("pending", "returned", "closed", "recovered"),
    Transition("pending", "resolve", "closed", "resolved_by_hand"),
    Transition("pending", "accept", "closed", "accepted"),
    Transition("pending", "note", "pending", "noted"),
    Transition("open", "holds", "open", "updated"),
    Transition("open", "changed", "open", "changed_again"),
    Transition("open", "graver", "open", "severity_changed"),
    Transition("open", "milder", "open", "severity_changed"),
    Transition("open", "eased", "resolving", "recovering"),
    Transition("open", "returned", "resolving", "returned"),
    Transition("open", "acknowledge", "acknowledged", "acknowledged"),
    Transition("open", "resolve", "resolved", "resolved_by_hand"),
    Transition("open", "accept", "resolved", "accepted"),
    Transition("open", "note", "open", "noted"),
    Transition("acknowledged", "holds", "acknowledged", "updated"),
    Transition("acknowledged", "changed", "acknowledged", "changed_again"),
    Transition("acknowledged", "graver", "acknowledged", "severity_changed"),
    Transition("acknowledged", "milder", "acknowledged", "severity_changed"),
    Transition("acknowledged", "eased", "resolving", "recovering"),
    Transition("acknowledged", "returned", "resolving", "returned"),
    Transition("acknowledged", "acknowledge", "acknowledged", "acknowledged"),
    Transition("acknowledged", "unacknowledge", "open", "unacknowledged"),
    Transition("acknowledged", "expired", "open", "acknowledgement_expired"),
    Transition("acknowledged", "resolve", "resolved", "resolved_by_hand"),
    Transition("acknowledged", "accept", "resolved", "accepted"),
    Transition("acknowledged", "note", "acknowledged", "noted"),
    Transition("resolving", "holds", "acknowledged", "recurred", "acknowledged"),
    Transition("resolving", "holds", "open", "recurred"),
    Transition("resolving", "changed", "acknowledged", "changed_again", "acknowledged"),
    Transition("resolving", "changed", "open", "changed_again"),
    Transition("resolving", "held", "resolved", "recovered"),
    Transition("resolving", "resolve", "resolved", "resolved_by_hand"),
    Transition("resolving", "accept", "resolved", "accepted"),
    Transition("resolving", "note", "resolving", "noted"),
    Transition("resolved", "holds", "open", "reopened", "soon"),
    Transition("resolved", "holds", "pending", "pending", "held down"),
    Transition("resolved", "holds", "open", "opened"),
    Transition("resolved", "changed", "open", "reopened", "soon"),
    Transition("resolved", "changed", "pending", "pending", "held down"),
    Transition("resolved", "changed", "open", "opened"),
    Transition("resolved", "note", "resolved", "noted"),
    Transition("resolved", "retire", "closed", "retired"),
    Transition("closed", "holds", "pending", "pending", "held down"),
    Transition("closed", "holds", "open", "opened"),
    Transition("closed", "changed", "pending", "pending", "held down"),
    Transition("closed", "changed", "open", "opened"),
)
LIVE: frozenset[State] = frozenset({"pending", "open", "acknowledged", "resolving"})
TRUE: frozenset[State] = frozenset({"open", "acknowledged"})
# The reasons with which an episode begins, under a new id, and those with which its run ends.
BEGINS: frozenset[TransitionReason] = frozenset({"pending", "opened"})
ENDS: frozenset[TransitionReason] = frozenset({"recovered", "resolved_by_hand", "accepted"})

_by_trigger: dict[tuple[State, Trigger], list[Transition]] = defaultdict(list)
for _one in TRANSITIONS:
    _by_trigger[_one.source, _one.trigger].append(_one)


def step(state: State, trigger: Trigger, facts: Container[Guard] = ()) -> Transition | None:
    """The transition for a trigger while `facts` are true, or None where the table has none.

    >>> step("resolving", "holds", {"acknowledged"}).state
    'acknowledged'
    >>> step("none", "eased") is None
    True
    """
    for found in _by_trigger.get((state, trigger), ()):
        if found.guard is None or found.guard in facts:
            return found
    return None


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for one in TRANSITIONS:
        source = "[*]" if one.source == "none" else one.source
        guard = f" [{one.guard}]" if one.guard else ""
        again = " (a new episode)" if one.reason in BEGINS and one.source != "none" else ""
        lines.append(f"    {source} --> {one.state}: {one.trigger}{guard} / {one.reason}{again}")
    lines.append("    closed --> [*]")
    return "\n".join(lines)


if __name__ == "__main__":
    print(diagram())
