"""How often a model's calls were read, and what the radiologists said: a table of counts.

Not every study is read, and called ones are read more often. Given the call, being read is taken to
say nothing more of the finding: so PPV and FOR need no weights, and sensitivity, specificity and
prevalence follow from them and the call rate (Begg and Greenes, Biometrics 1983).
"""

from math import log, sqrt
from typing import NamedTuple

from msgspec import Struct

_BLOCK_N = 100
_BLOCKS = 20


class Estimate(NamedTuple):
    """A share as log odds, with the standard error of those."""

    log_odds: float
    se: float


class Table(Struct, array_like=True):
    """Studies by call; of those, the ones that were read; of those, the finding present."""

    called_n: int = 0
    called_read_n: int = 0
    called_present_n: int = 0
    uncalled_n: int = 0
    uncalled_read_n: int = 0
    uncalled_present_n: int = 0

    def add(self, called: bool, present: bool | None) -> None:
        """Count a study; `present` is None where no report says."""
        read, positive = present is not None, present is True
        if called:
            self.called_n += 1
            self.called_read_n += read
            self.called_present_n += positive
        else:
            self.uncalled_n += 1
            self.uncalled_read_n += read
            self.uncalled_present_n += positive

    def plus(self, other: "Table", sign: int = 1) -> "Table":
        """Both together, or with `sign` -1 this one without the other."""
        mine, others = _counts(self), _counts(other)
        return Table(*(a + sign * b for a, b in zip(mine, others, strict=True)))

    @property
    def studies_n(self) -> int:
        """All studies."""
        return self.called_n + self.uncalled_n

    @property
    def present_n(self) -> int:
        """Studies read in which the finding was present."""
        return self.called_present_n + self.uncalled_present_n

    @property
    def absent_n(self) -> int:
        """Studies read in which it was not."""
        return self.called_read_n + self.uncalled_read_n - self.present_n

    def read_share(self, called: bool) -> float:
        """The share of the studies with this call that were read; never 0 or 1."""
        if called:
            return (self.called_read_n + 0.5) / (self.called_n + 1)
        return (self.uncalled_read_n + 0.5) / (self.uncalled_n + 1)

    def call_rate(self) -> Estimate:
        """The share of studies that the model calls."""
        return _estimate(self.called_n, self.studies_n)

    def ppv(self) -> Estimate:
        """The share of calls that the radiologists confirm."""
        return _estimate(self.called_present_n, self.called_read_n)

    def false_omission(self) -> Estimate:
        """The share of studies not called that they contradict: the finding was missed."""
        return _estimate(self.uncalled_present_n, self.uncalled_read_n)

    def sensitivity(self) -> Estimate:
        """Of all studies with the finding, read or not, the share that was called.

        Its odds are call rate x PPV over (1 - call rate) x FOR; the three errors are independent.
        """
        called, present = self.called_present_n + 0.5, self.uncalled_present_n + 0.5
        rate = self.call_rate()
        log_odds = (
            rate.log_odds
            + log(called / (self.called_read_n + 1))
            - log(present / (self.uncalled_read_n + 1))
        )
        variance = rate.se**2 + _log_variance(called, self.called_read_n + 1)
        return Estimate(log_odds, sqrt(variance + _log_variance(present, self.uncalled_read_n + 1)))


class Block(Struct, array_like=True):
    """Consecutive studies, the first of them made at `since_us`."""

    since_us: int
    table: Table


class Recent(Struct):
    """The last 1,900 to 2,000 studies that were held against their reports."""

    total: Table
    blocks: list[Block]

    def add(self, at_us: int, called: bool, present: bool | None) -> None:
        """Take the next study, in the order in which they were made."""
        if not self.blocks or self.block_is_full:
            self.blocks.append(Block(at_us, Table()))
        self.blocks[-1].table.add(called, present)
        self.total.add(called, present)
        if len(self.blocks) > _BLOCKS:
            self.total = self.total.plus(self.blocks.pop(0).table, sign=-1)

    @property
    def block_is_full(self) -> bool:
        """Whether the next study begins a block."""
        return bool(self.blocks) and self.blocks[-1].table.studies_n >= _BLOCK_N

    def since(self, at_us: int, *, whole: bool = False) -> Table:
        """What is kept from then on, to the next block; the newest block in any case.

        `whole` leaves out the block that the next study may belong to.
        """
        table = Table()
        for block in reversed(self.blocks[:-1] if whole else self.blocks):
            if block.since_us < at_us and table.studies_n:
                break
            table = table.plus(block.table)
        return table


def _counts(table: Table) -> tuple[int, ...]:
    return (
        table.called_n,
        table.called_read_n,
        table.called_present_n,
        table.uncalled_n,
        table.uncalled_read_n,
        table.uncalled_present_n,
    )


def _estimate(yes_n: int, n: int) -> Estimate:
    yes, no = yes_n + 0.5, n - yes_n + 0.5
    return Estimate(log(yes / no), sqrt(1 / yes + 1 / no))


def _log_variance(yes: float, n: float) -> float:
    """Of the logarithm of a share."""
    return (1 - yes / n) / yes
