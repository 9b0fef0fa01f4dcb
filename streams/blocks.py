"""A series in blocks: its recent past in little space, to date a change and to draw it."""

from msgspec import Struct, field

BLOCK_N = 50
_KEPT = 64


class Block(Struct):
    """Consecutive observations: when, how many, and their sum and range in the series' unit."""

    since_us: int
    at_us: int
    n: int
    total: float
    low: float
    high: float
    score_total: float = 0.0
    scored_n: int = 0


class Since(Struct, frozen=True):
    """The observations since an estimated change, to whole blocks."""

    at_us: int
    n: int
    mean: float


class Blocks(Struct):
    """The block that is filling, and the last full ones, oldest first."""

    full: list[Block] = field(default_factory=list)
    filling: Block | None = None

    def add(self, value: float, at_us: int, score: float | None) -> None:
        """Take one observation."""
        block = self.filling
        if block is None or block.n == BLOCK_N:
            self.close()
            self.filling = block = Block(at_us, at_us, 0, 0.0, value, value)
        block.n += 1
        block.at_us = at_us
        block.total += value
        block.low = min(block.low, value)
        block.high = max(block.high, value)
        if score is not None:
            block.score_total += score
            block.scored_n += 1

    def close(self) -> None:
        """Put the filling block to the full ones, and let the oldest go."""
        if self.filling is not None:
            self.full.append(self.filling)
            self.filling = None
            del self.full[:-_KEPT]

    def just_filled(self) -> Block | None:
        """The block that the last observation completed, if it did."""
        return self.filling if self.filling is not None and self.filling.n == BLOCK_N else None

    def since(self, changed_n: int) -> Since:
        """The last blocks that hold at least `changed_n` observations."""
        at_us, n, total = 0, 0, 0.0
        for block in reversed([*self.full, *([self.filling] if self.filling else [])]):
            at_us, n, total = block.since_us, n + block.n, total + block.total
            if n >= changed_n:
                break
        return Since(at_us=at_us, n=n, mean=total / n if n else 0.0)
