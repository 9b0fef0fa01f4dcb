"""A point of a watched series: a block of observations, so that a change can be drawn."""

from typing import Literal

from msgspec import Struct

from schemas.fields import Count, Name, Numbers, Positive, Site, Time

Phase = Literal["learning", "watching", "relearning"]
# unstable_reference: the sample was still moving when it was frozen. not_promised: its values
# depend on each other so much that no false-alarm rate can be kept; its incidents are `info` only.
# weekdays_only, weekends_only: it holds no whole week yet; what comes on other days is learnt only.
# part_of_a_day: it holds not even a day, so hours come that it does not know; soon it has two days.
Note = Literal[
    "unstable_reference", "not_promised", "weekdays_only", "weekends_only", "part_of_a_day"
]


class SeriesPoint(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.series.v1",
):
    """`n` observations from `since` to `at`: their mean and range in the series' own unit.

    A yes is 1 and a no 0. Of words the share is told that are the reference's most frequent one,
    or the first one that came where there is no reference yet. `statistics` holds each detector's
    statistic divided by its threshold: 1 is an alarm.
    `score` is the mean normal score against the frozen reference, in sd; absent while learning.
    """

    site: Site
    """Where it happened; also the key of the message."""
    subject: Name
    """Name of the series, as `acquisition.kvp`."""
    since: Time
    """When its first observation was made."""
    at: Time
    """When its last observation was made."""
    n: Positive
    """How many observations."""
    mean: float
    """Their mean."""
    low: float
    """The least of them."""
    high: float
    """The greatest of them."""
    phase: Phase
    """Whether the reference is still being learned."""
    reference_n: Count
    """Observations in the reference."""
    model: Name | None = None
    """The model, for series of a model."""
    score: float | None = None
    """Mean normal score against the reference."""
    statistics: Numbers | None = None
    """Each detector's statistic divided by its threshold: 1 is an alarm."""
    notes: list[Note] | None = None
    """What is to be known of the reference before it is trusted."""
