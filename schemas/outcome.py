"""What became of one study and one expected model, once it is settled."""

from typing import Literal

from msgspec import Struct

from schemas.fields import Name, Positive, Site, StudyKey, Time

OutcomeKind = Literal[
    "on_time",
    "late",
    "missing",
    "failed",
    "incomplete",
    "rejected",
    "not_applicable",
    "cancelled",
]


class Outcome(Struct, frozen=True, kw_only=True, tag_field="type", tag="radvigil.outcome.v1"):
    """`at` is the prediction's `at`, or `due` when nothing came.

    Better news supersedes worse once, with revision 2; there is never a revision 3.
    """

    site: Site
    """Where it happened; also the key of the message."""
    study: StudyKey
    """Key of the study."""
    model: Name
    """The model that was expected."""
    outcome: OutcomeKind
    """What became of it."""
    due: Time
    """When it was due."""
    at: Time
    """The prediction's `at`, or `due` when nothing came."""
    revision: Positive
    """1, or 2 where better news superseded it."""
