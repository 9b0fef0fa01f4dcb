"""A prediction: what a model said about a study, or why it said nothing."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Name, Number, Numbers, Share, Site, StudyKey, Text, Time

PredictionStatus = Literal["completed", "failed", "rejected", "not_applicable", "cancelled"]


class Output(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding with at least one of a score (0..1), a call, or a measured value."""

    finding: Name
    """What was looked for."""
    score: Share | None = None
    """Probability or score from 0 to 1."""
    positive: bool | None = None
    """The call that the model made."""
    value: Number | None = None
    """A measured value."""
    unit: Text | None = None
    """Unit of `value`."""

    def __post_init__(self) -> None:
        if self.score is None and self.positive is None and self.value is None:
            raise ValueError("an output needs a score, positive or value")


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why there is no completed result, by a code of a scheme."""

    code: Name
    """Code of the reason."""
    scheme: Text | None = None
    """The scheme that the code is of."""
    text: Text | None = None
    """The reason in words, without patient data."""


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
    """Where it happened; also the key of the message."""
    study: StudyKey
    """Opaque key of the study, pseudonymised upstream."""
    model: Name
    """The model's name, as configured."""
    model_version: Name
    """Its version."""
    status: PredictionStatus
    """What became of the request."""
    at: Time
    """When the result was available."""
    outputs: Annotated[list[Output], Meta(max_length=64)] | None = None
    """Its findings: not empty if completed, else absent or empty."""
    prediction: Name | None = None
    """The producer's own key of this result."""
    event_id: Name | None = None
    """Idempotency key: the same one again is the same event."""
    role: Literal["live", "shadow"] = "live"
    """A shadow result is watched, and settles nothing."""
    requested_at: Time | None = None
    """When it was asked for."""
    started_at: Time | None = None
    """When the model began."""
    reason: Reason | None = None
    """Why it is not completed."""
    features: Numbers | None = None
    """The model's own quality numbers: uncertainty, embedding distance and the like."""

    def __post_init__(self) -> None:
        if (self.status == "completed") != bool(self.outputs):
            raise ValueError("outputs must be non-empty if and only if status is completed")
