"""Is one group served worse than the rest by more than a margin? A bet, block by block.

A block is closed by a study of the group once it holds `BLOCK_N` of the group and as many of the
rest. While the group is worse by at most the margin, what a bet on it wins is L with E[L] <= 1,
whatever both shares are and however they move together from block to block
(streams/slices/subgroup_block.py). So M <- (M + days since the last block) L, averaged over four
bets, less the days gone by, is a supermartingale: at most one false alarm in `days` (Shin, Ramdas
and Rinaldo 2023, "E-detectors"). What the rest's share is bet to be is learnt from earlier blocks,
and costs speed where it is wrong, never the promise.
"""

from math import log

from msgspec import Struct, field

from streams.slices.subgroup_block import Part, won

_DAY_US = 86_400_000_000
_STEPS = (0.07, 0.15, 0.3, 0.6)
"""Where the group's share is bet to lie: from the margin so far to the worst (or best) there is."""
_FOLLOWED = 1  # the bet by which a beginning is estimated
_REMEMBERED_N = 200.0
"""Of so many studies of the rest its share is expected to be what it was."""
_MOST = 1e30  # evidence beyond any promise, which stays a number
BLOCK_N = 10
BACK_DAYS = 30.0
"""A gap that is still there is taken to be closed at most once in so many days on average."""


class Tally(Struct, array_like=True):
    """Studies, the bad answers among them, and the sum over them of `odds` - 1."""

    n: int = 0
    bad: int = 0
    odds_above: float = 0.0

    def add(self, bad: bool, odds: float = 1.0) -> None:
        """One more; a bad answer is read `odds` times as often as a good one."""
        self.n += 1
        self.bad += bad
        self.odds_above += odds - 1

    def less(self, other: "Tally") -> "Tally":
        """Those that are not among the others."""
        return Tally(self.n - other.n, self.bad - other.bad, self.odds_above - other.odds_above)

    @property
    def part(self) -> Part:
        """As a part of a block."""
        return Part(self.n, self.bad, 1 + self.odds_above / self.n if self.n else 1.0)

    @property
    def share(self) -> float:
        """Of bad answers among all, read or not: those that are read, by the inverse of `odds`."""
        _, bad, odds = self.part
        return bad / (bad + (self.n - bad) * odds) if self.n else 0.0


def _none() -> list[float]:
    return [0.0] * len(_STEPS)


class GapBet(Struct, omit_defaults=True):
    """One group against the rest. Tallies count from the beginning of all.

    `paired`, `begun`: the group and the rest at the last block, and where the gap began by estimate
    (Page 1954: where the sum of log bets last was not above 0). `expected`: the rest's share.
    """

    group: Tally = field(default_factory=Tally)
    paired: tuple[Tally, Tally] = field(default_factory=lambda: (Tally(), Tally()))
    begun: tuple[Tally, Tally] = field(default_factory=lambda: (Tally(), Tally()))
    since_us: int = 0
    log_sum: float = 0.0
    worse: list[float] = field(default_factory=_none)
    back: list[float] | None = None  # while an alarm stands
    newest_us: int | None = None
    days: float | None = None
    expected: float | None = None

    def take(self, bad: bool, rest: Tally, margin: float, at_us: int, odds: float = 1.0) -> bool:
        """One more study of the group; whether it closed a block."""
        self.group.add(bad, odds)
        was_group, was_rest = self.paired
        if min(self.group.n - was_group.n, rest.n - was_rest.n) < BLOCK_N:
            return False
        own, others = self.group.less(was_group), rest.less(was_rest)
        days, expected = self._elapsed_days(at_us), self._expected(others)
        parts = own.part, others.part
        worse = [won(*parts, expected, margin, step) for step in _STEPS]
        self._follow(worse[_FOLLOWED], at_us)
        self.worse = _raised(self.worse, worse, days)
        if self.back is not None:
            back = [won(*parts, expected, margin, -step) for step in _STEPS]
            self.back = _raised(self.back, back, days)
        self.paired = (self.group.less(Tally()), rest)
        return True

    def is_shown(self, least_n: int) -> bool:
        """Whether it is worse by more than the margin, on enough studies of both."""
        group, rest = self.since
        enough = min(group.n, rest.n) >= least_n
        return enough and self.days is not None and self.statistic >= self.days

    @property
    def is_back(self) -> bool:
        """Whether a gap that was shown is shown to be within the margin again."""
        return self.back_statistic >= BACK_DAYS

    @property
    def back_statistic(self) -> float:
        """M of the bet that a gap that was shown is closed; 0 where none was."""
        return sum(self.back or ()) / len(_STEPS)

    @property
    def statistic(self) -> float:
        """M now."""
        return sum(self.worse) / len(self.worse)

    @property
    def since(self) -> tuple[Tally, Tally]:
        """The group and the rest since the gap began by estimate."""
        return self.paired[0].less(self.begun[0]), self.paired[1].less(self.begun[1])

    def alarmed(self) -> None:
        """It was told: it is to be shown again, and it may be shown to be over."""
        self.worse, self.back = _none(), _none()

    def begin(self) -> None:
        """What comes is a new episode."""
        self.worse, self.back = _none(), None
        self.begun, self.log_sum = self.paired, 0.0

    def _expected(self, others: Tally) -> float:
        """The rest's share by what came before this block, which is learnt."""
        before_n = min(self.paired[1].n, _REMEMBERED_N)
        expected = self.expected
        if expected is None:
            expected = self.paired[1].share if before_n else 0.5
        self.expected = expected + (others.share - expected) * others.n / (before_n + others.n)
        return expected

    def _follow(self, won_times: float, at_us: int) -> None:
        if self.log_sum <= 0:
            self.begun, self.since_us, self.log_sum = self.paired, at_us, 0.0
        self.log_sum += log(won_times)

    def _elapsed_days(self, at_us: int) -> float:
        newest_us = at_us if self.newest_us is None else self.newest_us
        self.newest_us = max(newest_us, at_us)
        return (self.newest_us - newest_us) / _DAY_US


def _raised(evidence: list[float], won_times: list[float], days: float) -> list[float]:
    pairs = zip(evidence, won_times, strict=True)
    return [min((m + days) * times, _MOST) for m, times in pairs]
