"""The configuration as frozen structs; names and defaults are the contract (docs/CONFIGURATION.md).

`schemas.config_file` reads one TOML file into `Config`. Secrets never stand in the file: every
secret is a `NAME_env` (an environment variable) or a `NAME_file` (a path).
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from schemas.fields import Name, Positive, Seconds, Severity, Share, Site, Text

Days = Annotated[float, Meta(gt=0, le=3660)]


class Kafka(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Partitions of every topic, and how to reach the broker."""

    partitions: Annotated[int, Meta(ge=1, le=1000)] = 6
    replication: Annotated[int, Meta(ge=1, le=15)] = 3
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username_env: Text | None = None
    username_file: Text | None = None
    password_env: Text | None = None
    password_file: Text | None = None
    ca_file: Text | None = None
    cert_file: Text | None = None
    key_file: Text | None = None
    instance: Text | None = None  # static membership: one name per deployment slot


class Topic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`rekey` puts a re-keying agent in front, for producers that cannot key by site."""

    rekey: bool = False


class Topics(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of single input topics."""

    studies: Topic = Topic()
    predictions: Topic = Topic()
    reports: Topic = Topic()
    commands: Topic = Topic()


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most `false_incidents` per `per_days` days over all drift and silence monitors together.

    `sites` is how many sites share it; None means as many as are configured, at least 1 per
    partition.
    """

    false_incidents: Annotated[float, Meta(gt=0, le=10_000)] = 1.0
    per_days: Days = 30
    sites: Positive | None = None


class Clock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How late an event may reach the broker, how wrong a stamp may be, when we call ourselves behind."""

    lateness_s: Annotated[float, Meta(ge=0, le=86_400)] = 60
    max_skew_s: Annotated[float, Meta(ge=0, le=86_400)] = 300
    stale_after_s: Seconds = 300


class Bounds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is remembered, and for how long. Hitting a bound is counted and shown."""

    settled_s: Seconds = 7 * 86_400
    waiting_s: Seconds = 86_400  # a prediction or report whose study has not come
    waiting_per_site: Positive = 10_000
    closed_s: Seconds = 30 * 86_400  # resolved incidents are closed after this
    series_per_site: Positive = 2_000
    categories_per_series: Positive = 64


class Reference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """After so many observations, or days, a series' reference is frozen."""

    observations: Annotated[int, Meta(ge=50, le=100_000)] = 2_000
    max_days: Days = 60


class Range(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From `min` to `max`, both included; at least one of them."""

    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise ValueError("a range needs min or max")


Match = dict[Name, list[str | float | bool] | Range]


class Deadlines(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds per priority; a priority left out takes the next less urgent one's."""

    routine: Seconds
    urgent: Seconds | None = None
    stat: Seconds | None = None


class Outage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When bad outcomes become an incident, and when it is over.

    `every`: after `open_after` bad studies of an episode. `rate`: when the share of bad ones is
    shown to exceed `tolerated_share`, within the false-alarm budget.
    """

    open_after: Positive = 1
    hold_s: Seconds = 300
    update_s: Seconds = 60
    policy: Literal["every", "rate"] = "every"
    tolerated_share: Annotated[float, Meta(gt=0, lt=1)] = 0.05


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Clinical limits of a finding, where a team has them."""

    min_ppv: Share | None = None
    max_for: Share | None = None


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model: which studies it must answer, how fast, with what, and who cares."""

    name: Name
    applies: Match = {}
    starts_at: Literal["received", "stable", "complete"] = "complete"
    deadline_s: Seconds | Deadlines = 3600.0
    findings: tuple[Name, ...] = ()
    missing: Outage = Outage()
    failed: Outage = Outage()
    incomplete: Outage = Outage()
    late: Outage = Outage(policy="rate")
    intended_use: Match = {}
    limits: dict[Name, Limits] = {}
    criticality: Severity = "error"
    owner: Text | None = None
    runbook: Text | None = None


class Watch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which series are watched, by shell-style patterns on their names, and how they are sliced."""

    include: tuple[Name, ...] = ("*",)
    exclude: tuple[Name, ...] = ()
    slices: tuple[Name, ...] = ("scanner.station", "scanner.model", "patient.sex")


class Maintenance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recurring window: a cron expression in the site's zone, and its length."""

    cron: Text
    minutes: Positive


class SiteSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a site; unknown sites are accepted and counted."""

    name: Site
    timezone: Text | None = None
    maintenance: list[Maintenance] = []


class _Receiver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    name: Name


class Slack(_Receiver, tag="slack"):
    """Slack by bot token; Socket Mode by app token, or signed HTTP by signing secret."""

    channel: Text
    url: Text = "https://slack.com/api/"
    token_env: Text | None = None
    token_file: Text | None = None
    app_token_env: Text | None = None
    app_token_file: Text | None = None
    signing_secret_env: Text | None = None
    signing_secret_file: Text | None = None


class PagerDuty(_Receiver, tag="pagerduty"):
    """PagerDuty Events v2."""

    url: Text = "https://events.pagerduty.com/v2/enqueue"
    routing_key_env: Text | None = None
    routing_key_file: Text | None = None
    webhook_secret_env: Text | None = None
    webhook_secret_file: Text | None = None


class Webhook(_Receiver, tag="webhook"):
    """Any HTTP endpoint, signed by Standard Webhooks."""

    url: Text
    secret_env: Text | None = None
    secret_file: Text | None = None


class Alertmanager(_Receiver, tag="alertmanager"):
    """Prometheus Alertmanager's API v2."""

    url: Text
    username_env: Text | None = None
    username_file: Text | None = None
    password_env: Text | None = None
    password_file: Text | None = None


class Teams(_Receiver, tag="teams"):
    """A Microsoft Teams workflow; its URL is a secret."""

    url_env: Text | None = None
    url_file: Text | None = None


class Email(_Receiver, tag="email"):
    """SMTP."""

    host: Text
    sender: Text
    to: list[Text]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 587
    username_env: Text | None = None
    username_file: Text | None = None
    password_env: Text | None = None
    password_file: Text | None = None


class Log(_Receiver, tag="log"):
    """The worker's own log."""


Receiver = Slack | PagerDuty | Webhook | Alertmanager | Teams | Email | Log


class Escalation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told next when nobody has acknowledged after so long."""

    after_s: Seconds
    receivers: list[Name]


class Route(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """First match wins unless `continue`; no route at all means the log."""

    receivers: list[Name]
    match: dict[Name, list[Text]] = {}
    continue_: bool = field(default=False, name="continue")
    escalate: list[Escalation] = []


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything but the models has a default."""

    prefix: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")] = "radvigil"
    broker: Text = "embedded"
    timezone: Text = "UTC"
    kafka: Kafka = Kafka()
    topics: Topics = Topics()
    budget: Budget = Budget()
    clock: Clock = Clock()
    bounds: Bounds = Bounds()
    reference: Reference = Reference()
    models: list[Model] = field(default_factory=list, name="model")
    watch: Watch = Watch()
    sites: list[SiteSettings] = field(default_factory=list, name="site")
    receivers: list[Receiver] = field(default_factory=list, name="receiver")
    routes: list[Route] = field(default_factory=list, name="route")
