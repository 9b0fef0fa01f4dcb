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
    offset: Count
    path: Text
    reason: Refusal
    at: Time
    size_bytes: Count
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    partition: Count | None = None
    site: Site | None = None
    expected: Text | None = None
