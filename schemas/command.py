"""What a person does, as an event in the same log: acknowledge, resolve, silence, rebaseline."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Count, Name, Positive, Site, Text, Time
from schemas.shipped import Shipped

Action = Literal[
    "acknowledge",
    "unacknowledge",
    "resolve",
    "silence",
    "unsilence",
    "maintain",
    "rebaseline",
    "note",
]


class Command(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.command.v1",
):
    """Aimed at one incident or at all that the matchers name (kind, site, model, subject).

    `expected_seq` is the seq of the incident that the person saw: a command against an older
    one is refused. `origin` says where it was given (cli, slack, pagerduty, web). `text` is the
    note, or the word `accepted` when a resolved drift is the new normal.

    A `rebaseline` says what the normal is: with `reference_number` an earlier reference of the
    series that it names, with `reference` one that was shipped, and else what is now.
    """

    command_id: Name
    """Idempotency key: the same one again is the same command."""
    site: Site
    """The site of the incidents aimed at."""
    action: Action
    """What to do."""
    actor: Name
    """Who wants it."""
    at: Time
    """When it was wanted."""
    incident: Name | None = None
    """The incident aimed at; or else `matchers`."""
    matchers: Annotated[dict[Name, Text], Meta(max_length=8)] | None = None
    """Fields of the incidents aimed at, and the value of each."""
    expected_seq: Positive | None = None
    """The seq of the incident that the person saw."""
    until: Time | None = None
    """When a silence, a maintenance or an acknowledgement ends."""
    origin: Text | None = None
    """Where it was given: cli, slack, pagerduty, web."""
    text: Text | None = None
    """The note, or `accepted`."""
    reference_number: Count | None = None
    """Of a rebaseline: the earlier reference that is the normal again; 0: the one before."""
    reference: Shipped | None = None
    """Of a rebaseline of one series: the reference to hold it against."""

    def __post_init__(self) -> None:
        if self.incident is None and not self.matchers:
            raise ValueError("a command names an incident or has matchers")

    @property
    def names_reference(self) -> bool:
        """Whether it says what the normal is by a reference."""
        return self.action == "rebaseline" and (
            self.reference_number is not None or self.reference is not None
        )
