"""The life of an incident, as one table.

Two rules. Everything that changes an incident's state stands in this table; what is not in it
does not happen. And nothing in it follows from the absence of data: to resolve takes a person
or fresh evidence that was held for a while.

`python -m streams.lifecycle` prints the diagram in docs/lifecycle.md, which a test keeps equal.
"""

from typing import Literal, NamedTuple

from schemas.incident import IncidentState, TransitionReason

State = IncidentState | Literal["none"]
Trigger = Literal[
    "holds",  # evidence that the condition is true
    "changed",  # true in a new way
    "eased",  # fresh evidence that it is over
    "returned",  # fresh evidence that it is back at the old level
    "held",  # eased for long enough
    "acknowledge",
    "unacknowledge",
    "expired",  # an acknowledgement past its `until`
    "resolve",
    "accept",  # resolved, and the new level is the normal one
    "note",
    "retire",  # resolved for longer than it is kept at hand
]


class Step(NamedTuple):
    """Where a trigger leads, and why, as the incident tells it."""

    state: IncidentState
    reason: TransitionReason


TRANSITIONS: dict[tuple[State, Trigger], Step] = {
    ("none", "holds"): Step("open", "opened"),
    ("open", "holds"): Step("open", "updated"),
    ("open", "changed"): Step("open", "changed_again"),
    ("open", "eased"): Step("resolving", "recovering"),
    ("open", "returned"): Step("resolving", "returned"),
    ("open", "acknowledge"): Step("acknowledged", "acknowledged"),
    ("open", "resolve"): Step("resolved", "resolved_by_hand"),
    ("open", "accept"): Step("resolved", "accepted"),
    ("open", "note"): Step("open", "noted"),
    ("acknowledged", "holds"): Step("acknowledged", "updated"),
    ("acknowledged", "changed"): Step("acknowledged", "changed_again"),
    ("acknowledged", "eased"): Step("resolving", "recovering"),
    ("acknowledged", "returned"): Step("resolving", "returned"),
    ("acknowledged", "acknowledge"): Step("acknowledged", "acknowledged"),
    ("acknowledged", "unacknowledge"): Step("open", "unacknowledged"),
    ("acknowledged", "expired"): Step("open", "acknowledgement_expired"),
    ("acknowledged", "resolve"): Step("resolved", "resolved_by_hand"),
    ("acknowledged", "accept"): Step("resolved", "accepted"),
    ("acknowledged", "note"): Step("acknowledged", "noted"),
    # Back to acknowledged where somebody had it before: see `step`.
    ("resolving", "holds"): Step("open", "recurred"),
    ("resolving", "changed"): Step("open", "changed_again"),
    ("resolving", "held"): Step("resolved", "recovered"),
    ("resolving", "resolve"): Step("resolved", "resolved_by_hand"),
    ("resolving", "accept"): Step("resolved", "accepted"),
    ("resolving", "note"): Step("resolving", "noted"),
    ("resolved", "note"): Step("resolved", "noted"),
    ("resolved", "retire"): Step("closed", "retired"),
    # A new episode: a new id, with `reopen_of` the old one.
    ("resolved", "holds"): Step("open", "opened"),
    ("resolved", "changed"): Step("open", "opened"),
    ("closed", "holds"): Step("open", "opened"),
    ("closed", "changed"): Step("open", "opened"),
}
LIVE: frozenset[State] = frozenset({"pending", "open", "acknowledged", "resolving"})


def step(state: State, trigger: Trigger, acknowledged: bool = False) -> Step | None:
    """The transition for a trigger, or None where the table has none.

    `acknowledged`: somebody has it, which an incident that recurs while resolving remembers.

    >>> step("resolving", "holds", acknowledged=True)
    Step(state='acknowledged', reason='recurred')
    >>> step("none", "eased") is None
    True
    """
    found = TRANSITIONS.get((state, trigger))
    if found is not None and state == "resolving" and found.state == "open" and acknowledged:
        return Step("acknowledged", found.reason)
    return found


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for (state, trigger), found in TRANSITIONS.items():
        source = "[*]" if state == "none" else state
        reopens = state in ("resolved", "closed") and found.state == "open"
        again = " (a new episode)" if reopens else ""
        lines.append(f"    {source} --> {found.state}: {trigger} / {found.reason}{again}")
    lines.append("    resolving --> acknowledged: holds / recurred (had been acknowledged)")
    lines.append("    closed --> [*]")
    return "\n".join(lines)


if __name__ == "__main__":
    print(diagram())
