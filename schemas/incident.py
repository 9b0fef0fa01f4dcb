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
# Why a transition happened. Log word, metric label and test name at once; docs/lifecycle.md
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
    """A field and its value, as `scanner.station=CT2`."""
    share: Share
    """Share of the studies, 0 to 1."""
    shift: float
    """How far it moved, in standard deviations of the reference."""


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the incident rests on. `since` is the estimated start of a change.

    `before` and `after` are means of the series in its own unit; `reference_n` and `current_n`
    the observations they rest on; `examples` at most 20 study keys.
    """

    detector: Text | None = None
    """Which detector decided."""
    statistic: float | None = None
    """Its statistic when it decided."""
    threshold: float | None = None
    """The threshold that the statistic reached."""
    reference_n: Count | None = None
    """Observations that `before` rests on."""
    current_n: Count | None = None
    """Observations that `after` rests on."""
    before: float | None = None
    """Mean of the series before, in its own unit."""
    after: float | None = None
    """Mean since, in its own unit."""
    since: Time | None = None
    """Estimated start of the change."""
    affected_count: Count | None = None
    """How many studies were affected."""
    diagnosis: Annotated[list[Text], Meta(max_length=5)] | None = None
    """What explains it, the likeliest first, from a closed set of words."""
    slices: Annotated[list[Slice], Meta(max_length=20)] | None = None
    """Which parts of the studies moved."""
    examples: Annotated[list[StudyKey], Meta(max_length=20)] | None = None
    """Keys of some of the studies affected."""


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
    """Id of the episode."""
    seq: Positive
    """1, 2, 3, ... without gaps within an incident."""
    fingerprint: Name
    """Of kind, site, model and subject: the same trouble again has the same."""
    kind: IncidentKind
    """What is wrong."""
    state: IncidentState
    """Where it stands."""
    reason: TransitionReason
    """Why this transition."""
    severity: Severity
    """How bad it is."""
    site: Site
    """Where it happened; also the key of the message."""
    title: Annotated[str, Meta(max_length=200)]
    """One line, without patient data."""
    opened_at: Time
    """When the episode began."""
    last_seen: Time
    """When it was last seen to be true."""
    at: Time
    """When this transition became true."""
    evidence: Evidence
    """What it rests on."""
    model: Name | None = None
    """The model concerned."""
    model_version: Name | None = None
    """Its version, where one is concerned."""
    subject: Name | None = None
    """The feature, finding or feed, as `acquisition.pixel_mm`."""
    reopen_of: Name | None = None
    """The earlier episode of the same trouble."""
    actor: Name | None = None
    """Who did it, where a person did."""
    note: Text | None = None
    """What that person wrote."""
    runbook: Text | None = None
    """What to do, from the configuration."""
    owner: Text | None = None
    """Who answers for it, from the configuration."""
    suggested_codes: Annotated[list[Text], Meta(max_length=16)] | None = None
    """IMDRF codes; a suggestion, never a decision."""
    acknowledged_until: Time | None = None
    """When the acknowledgement expires, while somebody has it."""
    reopen_count: Count = 0
    """How often this episode was true again soon after it had been resolved."""
    folded_into: Name | None = None
    """The `flapping` incident that is to be told instead of this one."""
