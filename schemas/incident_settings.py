"""The configuration's section `[incidents]`: how incidents come back, calm down and are held."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.fields import Seconds


class IncidentSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How incidents come back, calm down and are held."""

    reopen_s: Annotated[float, Meta(ge=0, le=604_800)] = 1_800
    """What is true again so soon after it was resolved is the same incident; 0: it is a new one."""
    acknowledged_s: Seconds = 86_400
    """An acknowledgement without an end of its own expires after this."""
    severity_hold_s: Annotated[float, Meta(ge=0, le=86_400)] = 600
    """So long it must be less grave before its severity falls; it rises at once."""
    flapping_cycles: Annotated[int, Meta(ge=2, le=50)] = 4
    """What comes and goes so often within `flapping_s` is folded into one `flapping` incident."""
    flapping_s: Annotated[float, Meta(ge=60, le=86_400)] = 3_600
    """Within which time; and how long it must stay as it is before it no longer is flapping."""
