"""Who is told: receivers, and the routes that lead incidents to them.

Every secret is a `NAME_env` (an environment variable) or a `NAME_file` (a path), at most one of
the two. Every address can be set, for proxies, private clouds and tests.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from schemas.fields import Name, Positive, Seconds, Severity, Text

RoutedField = Literal["kind", "severity", "site", "model", "subject", "owner"]
Wait = Annotated[float, Meta(ge=0, le=86_400)]


class Recipient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every receiver has, whatever its kind."""

    name: Name
    """What routes call it."""
    min_severity: Severity = "info"
    """It is told nothing that is less severe."""
    send_resolved: bool = True
    """Whether it is told that an incident is over."""
    deadline_s: Seconds = 86_400.0
    """What could not be delivered in this time is given up, and that is an incident."""
    fallback: Name | None = None
    """The receiver that is told instead when this one cannot be reached."""
    ca_file: Text | None = None
    """Certificates to trust, PEM, where the receiver's is not a public one's."""
    proxy: Text | None = None
    """Address of the proxy that leads to it; else that of the environment."""


class Slack(
    Recipient, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="slack"
):
    """Slack by bot token; Socket Mode by app token, or signed HTTP by signing secret."""

    channel: Text
    """Where to post: `#name` or a channel id."""
    url: Text = "https://slack.com/api/"
    """Address of the Web API."""
    token_env: Text | None = None
    """Environment variable with the bot token (xoxb-)."""
    token_file: Text | None = None
    """File with the bot token."""
    app_token_env: Text | None = None
    """Environment variable with the app token (xapp-) for Socket Mode."""
    app_token_file: Text | None = None
    """File with the app token."""
    signing_secret_env: Text | None = None
    """Environment variable with the signing secret, when Slack calls us over HTTP."""
    signing_secret_file: Text | None = None
    """File with the signing secret."""
    users: dict[Text, Name] = {}
    """Who may press buttons: Slack user ids, and what they are called here; nobody named: all."""


class PagerDuty(
    Recipient,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="pagerduty",
):
    """PagerDuty, Events API v2."""

    url: Text = "https://events.pagerduty.com/v2/enqueue"
    """Where events are sent."""
    routing_key_env: Text | None = None
    """Environment variable with the integration's routing key."""
    routing_key_file: Text | None = None
    """File with the routing key."""
    webhook_secret_env: Text | None = None
    """Environment variable with the secret of the webhook that calls us back."""
    webhook_secret_file: Text | None = None
    """File with that secret."""
    users: dict[Text, Name] = {}
    """PagerDuty user ids, and what they are called here."""


class Webhook(
    Recipient,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="webhook",
):
    """Any HTTP endpoint; signed as Standard Webhooks describes where there is a secret."""

    url: Text
    """Where incidents are posted."""
    secret_env: Text | None = None
    """Environment variable with the signing secret (whsec_)."""
    secret_file: Text | None = None
    """File with the signing secret."""


class Alertmanager(
    Recipient,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="alertmanager",
):
    """Prometheus Alertmanager, API v2."""

    url: Text
    """Address of the Alertmanager, without `/api/v2`."""
    username_env: Text | None = None
    """Environment variable with the user of basic authentication."""
    username_file: Text | None = None
    """File with that user."""
    password_env: Text | None = None
    """Environment variable with the password of basic authentication."""
    password_file: Text | None = None
    """File with that password."""


class Teams(
    Recipient, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="teams"
):
    """A Microsoft Teams workflow; its address is a secret."""

    url_env: Text | None = None
    """Environment variable with the workflow's address."""
    url_file: Text | None = None
    """File with the workflow's address."""


class Email(
    Recipient, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="email"
):
    """Mail, by SMTP."""

    host: Text
    """The mail server."""
    sender: Text
    """The From address."""
    to: Annotated[list[Text], Meta(min_length=1, max_length=64)]
    """The recipients."""
    port: Annotated[int, Meta(ge=1, le=65_535)] = 587
    """The mail server's port."""
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """How the connection is protected; with `starttls` nothing is ever sent in the clear."""
    username_env: Text | None = None
    """Environment variable with the user to log in as."""
    username_file: Text | None = None
    """File with that user."""
    password_env: Text | None = None
    """Environment variable with the password."""
    password_file: Text | None = None
    """File with the password."""


class Log(
    Recipient, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="log"
):
    """The worker's own log."""


Receiver = Slack | PagerDuty | Webhook | Alertmanager | Teams | Email | Log


class Escalation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told next when nobody has acknowledged."""

    after_s: Seconds
    """Seconds since the incident opened; while somebody has acknowledged it, it waits."""
    receivers: Annotated[list[Name], Meta(min_length=1, max_length=64)]
    """Names of receivers."""


class Route(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """First match wins unless `continue`; an incident that no route matches goes to the log."""

    receivers: Annotated[list[Name], Meta(min_length=1, max_length=64)]
    """Names of receivers; `log` is there without being configured."""
    match: dict[Name, list[Text]] = {}
    """Incident fields (kind, severity, site, model, subject, owner) and the values that match.

    Values are exact or patterns as in a shell: `*_drift`. A field that an incident does not have
    is empty."""
    continue_: bool = field(default=False, name="continue")
    """Whether the routes below are tried as well."""
    group_by: Annotated[tuple[RoutedField, ...], Meta(max_length=6)] = ("site", "model")
    """What incidents have in common that are told together; always the site."""
    group_wait_s: Wait = 30.0
    """How long the first of a group waits for others, and for what explains it; critical: not."""
    group_interval_s: Wait = 300.0
    """What joins a group that was told, and new numbers of what was, is told at most this often."""
    repeat_s: Seconds = 14_400.0
    """An open incident that nobody has acknowledged is told again after so long."""
    storm_n: Positive = 10
    """More incidents of a site than this, told to a receiver for the first time within
    `storm_window_s`, become one digest."""
    storm_window_s: Seconds = 60.0
    """The length of time in which a storm shows."""
    escalate: list[Escalation] = []
    """Further steps while nobody acknowledges."""
