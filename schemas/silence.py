"""Settings of the watch over feeds that fall silent."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.fields import Seconds, Severity


class SilenceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a feed that says nothing, or too little, is an incident; the budget sets how sure."""

    hold_s: Seconds = 300
    """So long must arrivals go on before the incident is resolved."""
    update_s: Seconds = 3600
    """The incident's numbers are told anew at most this often."""
    severity: Severity = "error"
    """Of silent studies and reports, and of several feeds; predictions take the model's
    `criticality`. Partial silence is a warning."""
    feeds_per_site: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """How many feeds of a site are watched: models, scanners, reports."""
    forget_days: Annotated[float, Meta(ge=14, le=3650)] = 60
    """A feed too rare to be watched is forgotten after so long without an arrival."""
