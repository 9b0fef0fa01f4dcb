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


class Label(Struct, frozen=True, kw_only=True):
    """What the report says of a finding; what it does not mention is left out."""

    finding: Name
    value: Literal["present", "absent", "uncertain"]


class Feedback(Struct, frozen=True, kw_only=True):
    """A radiologist's verdict on one finding of one model."""

    model: Name
    finding: Name
    verdict: Literal["agree", "disagree"]


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
    study: StudyKey
    report: Name
    status: ReportStatus
    at: Time
    version: Positive | None = None
    reader: Name | None = None
    event_id: Name | None = None
    labels: Annotated[list[Label], Meta(max_length=64)] | None = None
    text: LongText | None = None
    feedback: Annotated[list[Feedback], Meta(max_length=64)] | None = None
