"""A message that could not be taken: where it lies, what is wrong with it, never what it says."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Count, Name, Site, Text, Time

Refusal = Literal[
    "oversized",
    "not_json",
    "not_utf8",
    "not_an_object",
    "unknown_type",
    "missing_field",
    "wrong_type",
    "out_of_range",
    "bad_time",
    "not_finite",
    "bad_pattern",
    "too_long",
    "too_many",
    "bad_value",
    "inconsistent",
    "not_an_event",
    "empty",
    "wrong_topic",
]


class DeadLetter(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.deadletter.v1",
):
    """The message itself stays at topic, partition and offset until that topic's retention.

    `sha256` (hex) and `size_bytes` tell whether a copy found elsewhere is the same message.
    In `replay`, `topic` is the file's name and `offset` the line, from 1.
    """

    topic: Name
    """The topic that the message lies in."""
    offset: Count
    """Its offset there."""
    path: Text
    """Where in the message it is wrong."""
    reason: Refusal
    """Why it is refused."""
    at: Time
    """When it arrived."""
    size_bytes: Count
    """Size of the message."""
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the message, in hexadecimal."""
    partition: Count | None = None
    """Its partition there."""
    site: Site | None = None
    """The site it names, where that could be read."""
    expected: Text | None = None
    """What should stand there."""
