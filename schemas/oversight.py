"""Settings of the watches over versions, shadows, intended use and data quality.

Each table is named like the kind of incident that it is about.
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.fields import Name, Positive, Seconds


class VersionChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When another version of a model has taken over."""

    settled_after: Positive = 50
    """So many studies in a row answered by one version show that it alone is in use."""
    epoch_after: Positive = 5
    """So many in a row by a version never seen before, and its outputs get a reference anew."""


class VersionDisagreement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a shadow may differ from the live model, study by study."""

    margin: Annotated[float, Meta(ge=0.0001, lt=1)] = 0.05
    """The share of studies on which their calls may differ."""
    compare: dict[Name, Name] = {}
    """The live model that each shadow model is compared with; not named: the one of its name."""
    waiting_s: Seconds = 86_400
    """How long the one's answer waits for the other's."""
    waiting_per_site: Positive = 10_000
    """How many answers wait at one site."""


class OffLabel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much use outside a model's `intended_use` is tolerated."""

    tolerated_share: Annotated[float, Meta(ge=0, lt=1)] = 0.01
    """The share of its studies that may lie outside; 0: every one of them counts."""


class DataQuality(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is learnt of the data before stuck scores and missing fields are looked for."""

    learn_from: Annotated[int, Meta(ge=50, le=1_000)] = 200
    """So many studies show which scores repeat and which fields a site sends."""
    fields: Annotated[int, Meta(ge=0, le=200)] = 24
    """So many of the fields that a site usually sends are watched for being missing."""
    present_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    """A field is usual where at least this share of the studies has it."""


class Oversight(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Watches beside deadlines and drift."""

    version_change: VersionChange = VersionChange()
    """When another version of a model has taken over."""
    version_disagreement: VersionDisagreement = VersionDisagreement()
    """How far a shadow may differ from the live model."""
    off_label: OffLabel = OffLabel()
    """How much use outside a model's `intended_use` is tolerated."""
    data_quality: DataQuality = DataQuality()
    """Stuck scores, impossible values and missing fields."""
