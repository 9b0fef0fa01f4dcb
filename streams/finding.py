"""What a stage concluded about one thing it watches: it holds, it changed, it eased.

`streams.incidents.stage` turns findings into incidents. A finding is dated by when it became true.
"""

from typing import Literal

from msgspec import Struct

from schemas.fields import Severity
from schemas.incident import Evidence, IncidentKind

# holds: the condition is true (again, still). changed: true in a new way. eased: shown to be over
# by fresh data. returned: back at the old level. None of them ever follows from missing data.
Signal = Literal["holds", "changed", "eased", "returned"]

MONITOR_SITE = "radvigil"
"""The site of what the monitor says of itself."""


class Finding(Struct, frozen=True, kw_only=True):
    """`hold_us`: how long it must stay eased. `update_us`: how often news of it may be told.

    `pending_us`: how long it must not be shown to be over before its incident opens; 0: at once.
    """

    signal: Signal
    kind: IncidentKind
    site: str
    at_us: int
    title: str
    severity: Severity
    model: str | None = None
    model_version: str | None = None
    subject: str | None = None
    evidence: Evidence = Evidence()
    since_us: int | None = None  # when it became true, where that is before `at_us`
    hold_us: int = 0
    update_us: int = 0
    pending_us: int = 0
    owner: str | None = None
    runbook: str | None = None
