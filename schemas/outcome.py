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
    study: StudyKey
    model: Name
    outcome: OutcomeKind
    due: Time
    at: Time
    revision: Positive
