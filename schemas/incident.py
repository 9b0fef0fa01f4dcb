"""An incident: one message per transition of one episode, with its evidence."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Count, Name, Positive, Severity, Share, Site, StudyKey, Text, Time

IncidentKind = Literal[
    "missing_output",
    "failed_output",
    "incomplete_output",
    "latency",
    "silence",
    "partial_silence",
    "input_drift",
    "output_drift",
    "performance_drift",
    "calibration_drift",
    "new_value",
    "version_change",
    "version_disagreement",
    "subgroup_gap",
    "off_label",
    "data_quality",
    "clock_skew",
    "monitor_stale",
    "flapping",
]
IncidentState = Literal["pending", "open", "acknowledged", "resolving", "resolved", "closed"]
# Why a transition happened. Log word, metric label and test name at once; docs/ARCHITECTURE.md
# says what each means.
TransitionReason = Literal[
    "pending",
    "opened",
    "held",
    "updated",
    "changed_again",
    "severity_changed",
    "acknowledged",
    "unacknowledged",
    "acknowledgement_expired",
    "recovering",
    "returned",
    "recurred",
    "recovered",
    "resolved_by_hand",
    "accepted",
    "noted",
    "reopened",
    "retired",
]


class Slice(Struct, frozen=True, kw_only=True):
    """A part of the studies, its share of them, and how far it moved (in sd of the reference)."""

    slice: Name
    share: Share
    shift: float


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the incident rests on. `since` is the estimated start of a change.

    `before` and `after` are means of the series in its own unit; `reference_n` and `current_n`
    the observations they rest on; `examples` at most 20 study keys.
    """

    detector: Text | None = None
    statistic: float | None = None
    threshold: float | None = None
    reference_n: Count | None = None
    current_n: Count | None = None
    before: float | None = None
    after: float | None = None
    since: Time | None = None
    affected_count: Count | None = None
    slices: Annotated[list[Slice], Meta(max_length=20)] | None = None
    examples: Annotated[list[StudyKey], Meta(max_length=20)] | None = None


class Incident(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.incident.v1",
):
    """`at` dates this transition by when it became true; `opened_at` the first of the episode."""

    incident: Name
    seq: Positive
    fingerprint: Name
    kind: IncidentKind
    state: IncidentState
    reason: TransitionReason
    severity: Severity
    site: Site
    title: Annotated[str, Meta(max_length=200)]
    opened_at: Time
    last_seen: Time
    at: Time
    evidence: Evidence
    model: Name | None = None
    model_version: Name | None = None
    subject: Name | None = None
    reopen_of: Name | None = None
    actor: Name | None = None
    note: Text | None = None
    runbook: Text | None = None
    owner: Text | None = None
    suggested_codes: Annotated[list[Text], Meta(max_length=16)] | None = None
