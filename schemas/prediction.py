"""A prediction: what a model said about a study, or why it said nothing."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Name, Number, Numbers, Share, Site, StudyKey, Text, Time

PredictionStatus = Literal["completed", "failed", "rejected", "not_applicable", "cancelled"]


class Output(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding with at least one of a score (0..1), a call, or a measured value."""

    finding: Name
    score: Share | None = None
    positive: bool | None = None
    value: Number | None = None
    unit: Text | None = None

    def __post_init__(self) -> None:
        if self.score is None and self.positive is None and self.value is None:
            raise ValueError("an output needs a score, positive or value")


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why there is no completed result, by a code of a scheme."""

    code: Name
    scheme: Text | None = None
    text: Text | None = None


class Prediction(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.prediction.v1",
):
    """Turnaround is `at` minus the study's `at`; inference time is `at` minus `started_at`."""

    site: Site
    study: StudyKey
    model: Name
    model_version: Name
    status: PredictionStatus
    at: Time
    outputs: Annotated[list[Output], Meta(max_length=64)] | None = None
    prediction: Name | None = None
    event_id: Name | None = None
    role: Literal["live", "shadow"] = "live"
    requested_at: Time | None = None
    started_at: Time | None = None
    reason: Reason | None = None
    features: Numbers | None = None

    def __post_init__(self) -> None:
        if (self.status == "completed") != bool(self.outputs):
            raise ValueError("outputs must be non-empty if and only if status is completed")
