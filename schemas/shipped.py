"""A reference as it travels: from `radvigil reference export` to `radvigil reference import`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Name, Positive, Site, Text

LONGEST_CONTENT = 786_432
# 100,000 numbers of 4 bytes fit, and with them the message stays below its bound.
Base64 = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9+/]{4,}={0,2}(?!\n)$", max_length=LONGEST_CONTENT)
]


class Shipped(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a series was like, ready to be held against; it names no study and no patient."""

    site: Site
    """Where it was learnt."""
    kind: Literal["number", "yes_no", "word"]
    """What the values of the series are."""
    n: Positive
    """How many observations it rests on."""
    per_day: Annotated[float, Meta(ge=1e-6, le=1e12)]
    """How many of them came in a day."""
    content: Base64
    """The frozen reference in its own versioned format, as base64."""
    number: Positive = 1
    """Its number among those of its series."""
    notes: Annotated[list[Text], Meta(max_length=8)] | None = None
    """What is to be known of it before it is trusted."""


class ReferenceLine(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.reference.v1",
):
    """A line of an exported file: which series, and its reference."""

    subject: Name
    """Name of the series, as `acquisition.kvp`."""
    reference: Shipped
    """The reference that is in force."""
    model: Name | None = None
    """The model, for series of a model."""
    since: Text | None = None
    """When it came into force, for people to read."""
