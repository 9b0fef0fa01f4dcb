"""A block of a series as a point to be drawn."""

from schemas.series import SeriesPoint
from streams.clock import from_us
from streams.series.blocks import Block
from streams.series.seen import SeriesId
from streams.series.watched import Series


def series_point(key: SeriesId, series: Series, block: Block) -> SeriesPoint:
    """The point of the block that the series has just filled."""
    site, model, subject = key
    reference = series.reference
    return SeriesPoint(
        site=site,
        model=model or None,
        subject=subject,
        since=from_us(block.since_us),
        at=from_us(block.at_us),
        n=block.n,
        mean=block.total / block.n,
        low=block.low,
        high=block.high,
        phase=series.phase,
        reference_n=reference.n if reference else series.learning.sample.n,
        score=block.score_total / block.scored_n if block.scored_n else None,
        statistics=_statistics(series) or None,
        notes=[*series.notes] or None,
    )


def _statistics(series: Series) -> dict[str, float]:
    """Each vote's statistic over its threshold: 1 is an alarm. ADWIN's is slow to compute."""
    return {
        kind: vote.statistic / vote.threshold
        for kind, vote in series.votes.items()
        if kind != "adwin"
    }
