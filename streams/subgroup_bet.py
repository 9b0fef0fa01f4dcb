"""Is one group served worse than the rest by more than a margin? A bet on the difference.

Whenever the group has a new study, it is paired with what has come of the rest since the last pair:
D is the difference of their shares of bad answers, between -1 and 1. While the group is worse by at
most the margin m, E[D] <= m whatever both shares are, so each L = 1 + b (D - m) is a fair or losing
bet, and M <- (M + days since the last pair) L, averaged over the stakes b, less the days gone by is
a supermartingale: at most one false alarm in `days` (Waudby-Smith and Ramdas 2024, "Estimating
means of bounded random variables by betting"; Shin, Ramdas and Rinaldo 2023, "E-detectors").
Nothing is estimated, and both shares may move together as they like.
"""

from math import log

from msgspec import Struct, field

_DAY_US = 86_400_000_000
_STAKES = (0.1, 0.25, 0.5, 0.9)  # of the most that a bet may risk
_FOLLOWED = 1  # the stake by which a beginning is estimated
BACK_DAYS = 30.0
"""A gap that is still there is taken to be closed at most once in so many days on average."""


class Tally(Struct, array_like=True):
    """Studies, and the bad answers among them."""

    n: int = 0
    bad: int = 0

    def add(self, bad: bool) -> None:
        """One more."""
        self.n += 1
        self.bad += bad

    def less(self, other: "Tally") -> "Tally":
        """Those that are not among the others."""
        return Tally(self.n - other.n, self.bad - other.bad)

    @property
    def share(self) -> float:
        """Of bad answers."""
        return self.bad / self.n if self.n else 0.0


def _none() -> list[float]:
    return [0.0] * len(_STAKES)


class GapBet(Struct, omit_defaults=True):
    """One group against the rest. Tallies count from the beginning of all.

    `paired`, `begun`: the group and the rest at the last pair, and where the gap began by estimate
    (Page 1954: where the sum of log bets last was not above 0).
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

    def take(self, bad: bool, rest: Tally, margin: float, at_us: int) -> bool:
        """One more study of the group; whether it made a pair with the rest."""
        self.group.add(bad)
        was_group, was_rest = self.paired
        others = rest.less(was_rest)
        if not others.n:
            return False
        own = self.group.less(was_group)
        days = self._elapsed_days(at_us)
        excess = own.share - others.share - margin
        self._follow(excess / (1 + margin), rest, at_us)
        self.worse = _raised(self.worse, excess / (1 + margin), days)
        if self.back is not None:
            self.back = _raised(self.back, -excess / (1 + margin), days)
        self.paired = (Tally(self.group.n, self.group.bad), rest)
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
        return sum(self.back or ()) / len(_STAKES)

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

    def _follow(self, excess: float, rest: Tally, at_us: int) -> None:
        if self.log_sum <= 0:
            self.begun, self.since_us, self.log_sum = self.paired, at_us, 0.0
        self.log_sum += log(1 + _STAKES[_FOLLOWED] * excess)

    def _elapsed_days(self, at_us: int) -> float:
        newest_us = at_us if self.newest_us is None else self.newest_us
        self.newest_us = max(newest_us, at_us)
        return (self.newest_us - newest_us) / _DAY_US


def _raised(evidence: list[float], excess: float, days: float) -> list[float]:
    """`excess` is scaled to be -1 at the least."""
    pairs = zip(evidence, _STAKES, strict=True)
    return [(m + days) * (1 + stake * excess) for m, stake in pairs]
