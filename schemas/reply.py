"""What became of a command: carried out, or why not."""

from typing import Literal

from msgspec import Struct

from schemas.command import Action
from schemas.fields import Count, Name, Positive, Site, Time

# docs/lifecycle.md says what each means.
ReplyReason = Literal[
    "ok",
    "repeated",
    "unknown_incident",
    "stale_seq",
    "no_transition",
    "nothing_matched",
    "unknown_field",
    "unknown_silence",
    "no_until",
    "too_late",
    "too_long",
    "too_many",
]


class Reply(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.reply.v1",
):
    """One for every command that was taken, a repeated one as well.

    A command that is delivered again is told what became of it the first time.
    """

    command_id: Name
    """The command that is answered."""
    site: Site
    """Its site; also the key of the message."""
    action: Action
    """What was wanted."""
    accepted: bool
    """Whether it was carried out; of a repeated command, whether it was the first time."""
    reason: ReplyReason
    """`ok`, or why nothing was done."""
    at: Time
    """When the command was given."""
    incident: Name | None = None
    """The incident aimed at, where it was one."""
    seq: Positive | None = None
    """The seq of that incident now: of a stale command, what to look at."""
    affected_n: Count = 0
    """How many incidents or series the command changed, or a silence matches now."""
