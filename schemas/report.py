"""A radiologist's report: labels by the site's own labeller, and feedback on the AI."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import LongText, Name, Positive, Site, StudyKey, Time

ReportStatus = Literal[
    "registered",
    "partial",
    "preliminary",
    "final",
    "corrected",
    "amended",
    "appended",
    "cancelled",
    "entered_in_error",
]


class Label(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the report says of a finding; what it does not mention is left out."""

    finding: Name
    """What the report speaks of."""
    value: Literal["present", "absent", "uncertain"]
    """What it says of it."""
    rule: Name | None = None
    """The labeller's rule, in the words of its lexicon, never of the report."""
    version: Name | None = None
    """Version of the labeller and of its lexicons."""


class Feedback(Struct, frozen=True, kw_only=True):
    """A radiologist's verdict on one finding of one model."""

    model: Name
    """The model that is judged."""
    finding: Name
    """The finding that is judged."""
    verdict: Literal["agree", "disagree"]
    """The radiologist's verdict."""


class Report(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.report.v1",
):
    """`text` is sent only where the topic may carry it; it is turned into labels and dropped."""

    site: Site
    """Where it happened; also the key of the message."""
    study: StudyKey
    """Opaque key of the study, pseudonymised upstream."""
    report: Name
    """Key of the report."""
    status: ReportStatus
    """As FHIR DiagnosticReport names it."""
    at: Time
    """When it reached this status."""
    version: Positive | None = None
    """1, 2, ... where the report is numbered."""
    reader: Name | None = None
    """Pseudonym of the radiologist."""
    event_id: Name | None = None
    """Idempotency key: the same one again is the same event."""
    labels: Annotated[list[Label], Meta(max_length=64)] | None = None
    """Findings by the site's own labeller."""
    text: LongText | None = None
    """The report's text, only where the topic may carry it."""
    feedback: Annotated[list[Feedback], Meta(max_length=64)] | None = None
    """Verdicts on what models said."""
