"""A notification: what one receiver is to be told, decided in the shard and not yet sent."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Count, Name, Positive, Site, Time
from schemas.incident import Incident

NotificationAction = Literal["open", "update", "resolve"]
# Why it is told. Log word, metric label and test name at once; docs/ROUTING.md says what each is.
NotificationReason = Literal[
    "opened",
    "joined",
    "changed",
    "severity_raised",
    "acknowledged",
    "unacknowledged",
    "recovering",
    "resolved",
    "repeated",
    "escalated",
    "digest",
    "noted",
]


class Notification(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.notification.v1",
):
    """`at` is when it became due. It carries incidents whole; who sends it lets out what may leave.

    Everything with the same receiver and key is one message there, updated in place: the key is an
    incident's id, or a digest's when a storm was folded into one message.
    """

    notification: Name
    """Id, deterministic: of receiver, key and number."""
    receiver: Name
    """Which receiver of the configuration is told."""
    site: Site
    """Where it happened; also the key of the message."""
    key: Name
    """What is updated in place at the receiver: an incident's id, or a digest's."""
    number: Positive
    """1, 2, 3, ... without gaps within a receiver and key."""
    action: NotificationAction
    """Whether it begins, goes on or ends there; an end is never without a beginning."""
    why: NotificationReason
    """Why it is told."""
    disturb: bool
    """Worth a sound, a page or a new message; otherwise a quiet update in place."""
    incidents: Annotated[list[Incident], Meta(min_length=1, max_length=20)]
    """The newest state of each."""
    at: Time
    """When it became due."""
    more_n: Count = 0
    """Incidents that the list leaves out."""
