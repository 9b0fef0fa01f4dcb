"""What may happen to a series: it leaves its reference, it returns, a word comes that was new."""

from typing import Literal

from msgspec import Struct

from streams.series.blocks import Since
from streams.series.seen import Frozen, Moved, Sample, Vote


class Change(Struct, frozen=True):
    """`since_us` is the estimated start; means are in the unit in which the series is drawn.

    `ended`: an episode is over because the series begins anew, or is no category any more.
    """

    what: Literal["alarm", "changed", "returned", "ended"]
    at_us: int
    again: bool
    """Whether the series was already away from its reference."""
    since_us: int
    before: float = 0.0
    after: float = 0.0
    moved: Moved | None = None
    """Of words: which moved most. `before` and `after` are shares of the usual one."""
    reference_n: int = 0
    current_n: int = 0
    detector: str | None = None
    statistic: float | None = None
    threshold: float | None = None
    changed_n: int = 0
    """Of an alarm: how many observations ago the change began, as estimated."""


class NewWord(Struct, frozen=True):
    """`holds`: words that the reference does not have have come `n` times since `since_us`.

    Otherwise that is over. `word` was the first of them.
    """

    holds: bool
    at_us: int
    since_us: int
    word: str
    n: int
    reference_n: int


def alarmed(
    kind: str, vote: Vote, reference: Frozen, since: Since, at_us: int, *, again: bool
) -> Change:
    """A vote has alarmed: this is what came since the change that it estimates."""
    return Change(
        what="alarm",
        at_us=at_us,
        again=again,
        since_us=min(since.at_us, at_us),
        before=reference.mean,
        after=since.mean,
        moved=reference.moved(vote.counts),
        reference_n=reference.n,
        current_n=since.n,
        detector=kind,
        statistic=vote.statistic,
        threshold=vote.threshold,
        changed_n=vote.changed_n,
    )


def relearnt(
    before: Frozen, sample: Sample, at_us: int, since_us: int, *, returned: bool, again: bool
) -> Change:
    """After an alarm enough has come to know where the series is."""
    return Change(
        what="returned" if returned else "changed",
        at_us=at_us,
        again=again,
        since_us=since_us,
        before=before.mean,
        after=before.mean_of(sample),
        moved=before.moved_in(sample),
        reference_n=before.n,
        current_n=sample.n,
    )
