"""The configuration as frozen structs; names and defaults are the contract (docs/CONFIGURATION.md).

`schemas.config_file` reads one TOML file into `Config`. The text under a field is its
documentation: docs/CONFIGURATION.md is made from it.
"""

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct, field

from schemas.fields import Name, Positive, Seconds, Severity, Share, Text
from schemas.incident_settings import IncidentSettings
from schemas.ingest import IngestSettings
from schemas.kafka import Kafka, Topics
from schemas.oversight import Oversight
from schemas.performance import Performance
from schemas.routing import Receiver, Route
from schemas.silence import SilenceSettings
from schemas.site import SiteSettings, Weekend
from schemas.slices import SliceSettings
from schemas.tickets import Tickets
from schemas.watchdog import Watchdog
from schemas.web import WebSettings
from schemas.worklist import Worklist

Days = Annotated[float, Meta(gt=0, le=3660)]


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The one false-alarm promise, for all drift and silence monitors together."""

    false_incidents: Annotated[float, Meta(gt=0, le=10_000)] = 1.0
    """How many incidents are allowed on average when nothing has changed."""
    per_days: Days = 30
    """In how many days."""
    sites: Positive | None = None
    """How many sites share the promise; as many as are configured, and 1 per partition at least."""


class Clock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How late an event may reach the broker, how wrong a stamp may be, when we are behind."""

    lateness_s: Annotated[float, Meta(ge=0, le=86_400)] = 60
    """How late an event may reach the broker and still count."""
    max_skew_s: Annotated[float, Meta(ge=0, le=86_400)] = 300
    """A stamp further ahead than this is `clock_skew` and moves nothing."""
    stale_after_s: Seconds = 300
    """A worker that is further behind its promise than this says so: `monitor_stale`."""


class Bounds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is remembered, and for how long. Hitting a bound is counted and shown."""

    sites: Positive = 500
    """How many sites of one partition are taken beside those that are configured."""
    settled_s: Seconds = 7 * 86_400
    """How long a settled study is remembered, so that a repeat is known as one."""
    waiting_s: Seconds = 86_400
    """How long a prediction or report waits for its study."""
    waiting_per_site: Positive = 10_000
    """How many of them wait at one site."""
    patient_s: Seconds = 60 * 86_400
    """How long a patient is remembered, of whom the first study counts as an observation."""
    patients_per_site: Positive = 100_000
    """How many patients of a site are remembered."""
    closed_s: Seconds = 30 * 86_400
    """A resolved incident is closed after this."""
    series_per_site: Positive = 2_000
    """How many series of a site are watched."""
    categories_per_series: Positive = 64
    """How many different values of a text series are told apart."""


class Reference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When what a series was like so far becomes what it is compared with."""

    observations: Annotated[int, Meta(ge=50, le=100_000)] = 2_000
    """After so many the reference is frozen; below 500 detection suffers."""
    min_days: Annotated[float, Meta(ge=0, le=60)] = 8
    """One of fewer days is of weekdays alone, or of weekends: what comes on other days is learnt,
    and not judged. After so many days, or 100,000 observations, it is replaced by one of them all;
    one of a part of a day, by one of two days before that.
    8 hold a weekend; with 0 all days count as alike, and weekends that differ are changes."""
    max_days: Days = 60
    """Or after so many days, with the 50 observations that it needs at least."""


class Range(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From `min` to `max`, both included; at least one of them."""

    min: float | None = None
    """The least value that matches."""
    max: float | None = None
    """The greatest value that matches."""

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise ValueError("a range needs min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")


Match = dict[Name, list[str | float | bool] | Range]


class Deadlines(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds per priority; a priority left out takes the next less urgent one's."""

    routine: Seconds
    """For studies of priority routine."""
    urgent: Seconds | None = None
    """For urgent ones; `routine` where not given."""
    stat: Seconds | None = None
    """For stat ones; `urgent` where not given."""


class Outage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When bad outcomes become an incident, and when it is over."""

    open_after: Positive = 1
    """With policy `every`: the incident opens at so many bad studies of an episode."""
    hold_s: Seconds = 300
    """So long without another bad one before it is resolved."""
    update_s: Seconds = 60
    """The incident's numbers are told anew at most this often."""
    policy: Literal["every", "rate"] = "every"
    """`rate` opens only when the share of bad ones is shown to exceed `tolerated_share`."""
    tolerated_share: Annotated[float, Meta(ge=0.0001, lt=1)] = 0.05
    """With policy `rate`: the share of bad ones that is normal."""


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Clinical limits of a finding, where a team has them."""

    min_ppv: Share | None = None
    """Least share of positive calls that the radiologists confirm."""
    max_for: Share | None = None
    """Greatest share of negative calls that they contradict."""
    min_sensitivity: Share | None = None
    """Least share of the studies with the finding that are called."""


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model: which studies it must answer, how fast, with what, and who cares."""

    name: Name
    """As its predictions name it."""
    applies: Match = {}
    """Fields or attributes of the studies that it must answer: values, or a range; all must match.

    `sites` are the sites. Without any: every study."""
    starts_at: Literal["received", "stable", "complete"] = "complete"
    """The state of the study that starts its deadline."""
    deadline_s: Seconds | Deadlines = 3600.0
    """How long it may take: one number, or one per priority."""
    findings: Annotated[tuple[Name, ...], Meta(max_length=64)] = ()
    """What a complete answer contains; nothing listed: any answer is complete."""
    missing: Outage = Outage()
    """When outputs that do not come are an incident."""
    failed: Outage = Outage()
    """When failures are an incident."""
    incomplete: Outage = Outage()
    """When answers without all findings are an incident."""
    late: Outage = Outage(policy="rate")
    """When late answers are an incident; one that was called missing first is one of them.

    A table of yours without `policy` is of `every`."""
    intended_use: Match = {}
    """As `applies`: studies that it answers outside of this are used off label."""
    limits: dict[Name, Limits] = {}
    """Clinical limits per finding."""
    criticality: Severity = "error"
    """The severity of its outages."""
    owner: Text | None = None
    """Who answers for it; stands on its incidents."""
    runbook: Text | None = None
    """Address of what to do; stands on its incidents."""


Monitor = Literal[
    "silence",
    "performance",
    "version_change",
    "version_disagreement",
    "off_label",
    "data_quality",
    "subgroup_gap",
]
MONITORS: tuple[Monitor, ...] = get_args(Monitor)


class Watch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which series are watched, by shell-style patterns on their names, and how they are sliced."""

    include: tuple[Name, ...] = ("*",)
    """What is watched."""
    exclude: tuple[Name, ...] = ()
    """What of it is not."""
    slices: tuple[Name, ...] = ("scanner.station", "scanner.model", "patient.sex")
    """Fields that may explain a change: which part of the studies moved. Their values are told, in
    names of series and as evidence: name none that may hold patient data."""
    monitors: tuple[Monitor, ...] = MONITORS
    """What is watched beside deadlines and series; `subgroup_gap` needs `performance`, which reads.

    One left out costs nothing and forgets what it knew; its incidents that are open stay so until a
    person resolves them."""


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything but the models has a default."""

    prefix: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}(?!\n)$")] = "radvigil"
    """Of the topics and of the consumer group."""
    broker: Text = "embedded"
    """`host:port,host:port`, or `embedded`: a broker in memory, for trying out."""
    timezone: Text = "UTC"
    """Of the deployment, as in `Europe/Berlin`."""
    weekend: Weekend = "saturday-sunday"
    """Of the deployment: what series are like on these days is learnt apart.

    What has been learnt is kept when it is set anew, as of working days and weekends: right where
    a hospital moved its weekend; where the setting was wrong, `radvigil rebaseline` learns anew.
    """
    kafka: Kafka = Kafka()
    """Partitions and connection."""
    topics: Topics = Topics()
    """Settings of single input topics."""
    budget: Budget = Budget()
    """The false-alarm promise."""
    clock: Clock = Clock()
    """Lateness, skew and staleness."""
    bounds: Bounds = Bounds()
    """How much is remembered."""
    reference: Reference = Reference()
    """What series are compared with."""
    incidents: IncidentSettings = IncidentSettings()
    """How incidents come back, calm down and are held."""
    slices: SliceSettings = SliceSettings()
    """How parts of the studies are watched, and groups compared."""
    silence: SilenceSettings = SilenceSettings()
    """Feeds that say nothing, or too little."""
    performance: Performance = Performance()
    """What models say, held against the reports."""
    oversight: Oversight = Oversight()
    """Versions, shadows, intended use and data quality."""
    watchdog: Watchdog = Watchdog()
    """The monitor's own dead man's switch."""
    web: WebSettings = WebSettings()
    """The live page."""
    ingest: IngestSettings = IngestSettings()
    """Translation of hospital standards to events."""
    models: Annotated[list[Model], Meta(max_length=1000)] = field(
        default_factory=list, name="model"
    )
    """The models that are watched over."""
    watch: Watch = Watch()
    """Which series are watched."""
    sites: list[SiteSettings] = field(default_factory=list, name="site")
    """What is known of single sites."""
    receivers: list[Receiver] = field(default_factory=list, name="receiver")
    """Who can be told."""
    routes: list[Route] = field(default_factory=list, name="route")
    """Who is told what."""
    tickets: Annotated[list[Tickets], Meta(max_length=16)] = []
    """Trackers that get a ticket for each incident: `radvigil tickets`."""
    worklists: Annotated[list[Worklist], Meta(max_length=16)] = field(
        default_factory=list, name="worklist"
    )
    """Who is told that a result will not come: `radvigil worklist`."""
