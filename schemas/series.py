"""A point of a watched series: a block of observations, so that a change can be drawn."""

from typing import Literal

from msgspec import Struct

from schemas.fields import Count, Name, Numbers, Positive, Site, Time

Phase = Literal["learning", "watching", "relearning"]


class SeriesPoint(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="radvigil.series.v1",
):
    """`n` observations from `since` to `at`: their mean and range in the series' own unit.

    `statistics` holds each detector's statistic divided by its threshold: 1 is an alarm.
    `score` is the mean normal score against the frozen reference, in sd; absent while learning.
    """

    site: Site
    subject: Name
    since: Time
    at: Time
    n: Positive
    mean: float
    low: float
    high: float
    phase: Phase
    reference_n: Count
    model: Name | None = None
    score: float | None = None
    statistics: Numbers | None = None
