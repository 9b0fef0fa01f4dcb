"""A series in blocks: its recent past in little space, to date a change and to draw it."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

BLOCK_N = 64  # as the votes chunk what they are fed: a block costs each of them one pass
_KEPT = 50
_MARK_N = 8  # so many observations of a block are told apart
_MARKED = 4  # in so many of the last full ones: what is older is dated well enough by its ends


class Block(Struct, array_like=True):
    """Consecutive observations: when, how many, and their sum and range in the series' unit."""

    since_us: int
    at_us: int
    n: int
    total: float
    low: float
    high: float
    score_total: float = 0.0
    scored_n: int = 0
    judged: bool = True
    """Whether they may count as evidence: not those of days that the reference does not know."""
    marks: list[tuple[int, float]] = field(default_factory=list)
    """After each `_MARK_N` observations when the last of them was, and the sum so far."""

    def last(self, n: int) -> tuple[int, float]:
        """When the first of the last `n` observations was, and their sum: between marks, as if
        they had come evenly."""
        ats_us, totals = {0: self.since_us}, {0: 0.0}
        for count, (at_us, total) in enumerate(self.marks, start=1):
            ats_us[count * _MARK_N - 1], totals[count * _MARK_N] = at_us, total
        ats_us[self.n - 1], totals[self.n] = self.at_us, self.total
        first = self.n - n
        began_us = np.interp(first, [*ats_us], [*ats_us.values()])
        return int(began_us), self.total - float(np.interp(first, [*totals], [*totals.values()]))


class Since(Struct, frozen=True):
    """The observations since an estimated change; see `Block.last` for how exactly."""

    at_us: int
    n: int
    mean: float


class Blocks(Struct):
    """The block that is filling, and the last full ones, oldest first."""

    full: list[Block] = field(default_factory=list)
    filling: Block | None = None

    @property
    def room(self) -> int:
        """How many observations the block that is filling still takes."""
        return BLOCK_N if self.filling is None else BLOCK_N - self.filling.n

    def extend(
        self,
        values: Sequence[float],
        ats_us: Sequence[int],
        scores: Sequence[float] = (),
        *,
        judged: bool = True,
    ) -> None:
        """Take observations, at most as many as there is room for; one at least."""
        block = self.filling
        if block is None:
            first = values[0]
            self.filling = block = Block(ats_us[0], ats_us[0], 0, 0.0, first, first, judged=judged)
        for place, value in enumerate(values, start=block.n + 1):
            block.total += value  # one by one: however they are cut, the sum has the same bits
            if place % _MARK_N == 0:
                block.marks.append((ats_us[place - block.n - 1], block.total))
        for score in scores:
            block.score_total += score
        block.n += len(values)
        block.scored_n += len(scores)
        block.since_us = min(block.since_us, *ats_us)
        block.at_us = max(block.at_us, *ats_us)
        block.low = min(block.low, *values)
        block.high = max(block.high, *values)
        if block.n == BLOCK_N:
            self.end()

    def end(self) -> None:
        """The block that is filling ends here, full or not: with what comes a new one begins."""
        if self.filling is not None:
            self.full.append(self.filling)
            self.filling = None
            del self.full[:-_KEPT]
            if len(self.full) > _MARKED:  # another block: the old one may have been told
                self.full[-_MARKED - 1] = replace(self.full[-_MARKED - 1], marks=[])

    def since(self, changed_n: int) -> Since:
        """The last `changed_n` observations that were judged, as far back as they are kept."""
        at_us, n, total = 0, 0, 0.0
        for block in reversed([*self.full, *([self.filling] if self.filling else [])]):
            if not block.judged:
                continue
            taken = min(max(changed_n, 1) - n, block.n)
            at_us, more = block.last(taken)
            n, total = n + taken, total + more
            if n >= changed_n:
                break
        return Since(at_us=at_us, n=n, mean=total / n if n else 0.0)
