"""Which incidents become tickets, where, and how they look there.

Secrets as everywhere: a `NAME_env` (an environment variable) or a `NAME_file` (a path). With a user
the token is that user's (HTTP basic); without one it is sent as a bearer token.
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.fields import Name, Number, Seconds, Severity, Text

FieldValue = Text | Number | list[Text | dict[Name, Text]] | dict[Name, Text]
Fields = Annotated[dict[Name, FieldValue], Meta(max_length=64)]
BySeverity = dict[Severity, Text]
_Label = Annotated[str, Meta(pattern=r"^[^\s\"]{1,100}(?!\n)$", max_length=100)]


class Tracked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every tracker has, whatever its kind."""

    name: Name
    """Of this section, and of its consumer group `<prefix>.tickets.NAME`."""
    url: Text
    """Address of the tracker, as `https://hospital.atlassian.net`."""
    match: dict[Name, list[Text]] = {}
    """As in a route: the incidents that get a ticket. One that has a ticket is followed to its end,
    whatever becomes of it."""
    min_severity: Severity = "error"
    """Less severe incidents get no ticket."""
    closes: bool = True
    """Whether the ticket is closed with its incident; else that is only written into it."""
    user_env: Text | None = None
    """Environment variable with the user."""
    user_file: Text | None = None
    """File with the user."""
    token_env: Text | None = None
    """Environment variable with the API token or the password."""
    token_file: Text | None = None
    """File with it."""
    timeout_s: Seconds = 30.0
    """How long a request may take."""
    ca_file: Text | None = None
    """Certificates to trust, PEM, where the tracker's is not a public one's."""
    proxy: Text | None = None
    """Address of the proxy that leads to it; else that of the environment."""


class Jira(
    Tracked, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="jira"
):
    """Jira Cloud, REST API v3."""

    project: Text
    """Key of the project in which issues are created."""
    issue_type: Text = "Task"
    """Name of the issue type."""
    priority: BySeverity = {}
    """Name of the priority by severity; where there is none, the project's default."""
    labels: Annotated[list[_Label], Meta(max_length=16)] = []
    """Labels besides our own, which begin with `radvigil-`."""
    fields: Fields = {}
    """Further fields of a new issue, as Jira's API wants them: `components = [{ name = "AI" }]`."""
    acknowledged_status: Text | None = None
    """The status an issue moves to when somebody acknowledges; none: it stays."""
    closed_status: Text | None = None
    """The status it moves to when the incident is over; none: the first of category done."""
    reopened_status: Text | None = None
    """The status it moves to when the incident is back; none: the first that is not done."""
    closing_fields: Fields = {}
    """Fields that closing asks for: `resolution = { name = "Done" }`."""
    settle_s: Seconds = 60.0
    """How long its search may take to know a new issue. After a creation whose end is not known
    nothing is created for so long."""


class ServiceNow(
    Tracked,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="servicenow",
):
    """ServiceNow, Table API."""

    table: Text = "incident"
    """The table of the tickets."""
    assignment_group: Text | None = None
    """Name or sys_id of the group."""
    impact: BySeverity = {}
    """Impact by severity, else 1 for critical, 2 for error and 3. The priority is made of it and
    of the urgency, there."""
    urgency: BySeverity = {}
    """Urgency by severity, else the same."""
    fields: Fields = {}
    """Further fields of a new record: `category = "software"`."""
    acknowledged_state: Text = "2"
    """State when somebody acknowledges: in progress."""
    closed_state: Text = "6"
    """State when the incident is over: resolved."""
    reopened_state: Text = "2"
    """State when it is back: in progress."""
    close_code: Text = "Solved (Permanently)"
    """Resolution code of what is over."""
    closing_fields: Fields = {}
    """Further fields that closing asks for."""
    settle_s: Seconds = 10.0
    """How long a query may take to know a new record. After a creation whose end is not known
    nothing is created for so long."""


Tickets = Jira | ServiceNow
