"""Whether the share of bad outcomes is shown to exceed what is tolerated: policy = "rate".

For models where a rare miss is normal. Within the false-alarm budget by BetSR (detectors), and
over when a run of clean outcomes shows the share to be back below the tolerated one.
"""

from collections.abc import Callable
from math import ceil, log, log1p
from typing import Literal

from msgspec import Struct, field

from detectors import MIN_ARL
from detectors.bet_sr import NO_EVIDENCE, raised

_PACE_N = 50  # outcomes from which the pace is learnt before the first bet
_DAY_US = 86_400_000_000


class Excess(Struct, omit_defaults=True):
    """Bets against the tolerated share; `arl` is granted once the pace of outcomes is known."""

    tolerated_share: float
    seen_n: int = 0
    bad_n: int = 0
    since_us: int = 0
    clean_n: int = 0
    arl: float | None = None
    evidence: list[float] = field(default_factory=list)
    statistic: float = 0.0

    def take(
        self, bad: bool, at_us: int, grant: Callable[[float], float]
    ) -> Literal["shown", "clean"] | None:
        """`shown`: the bet is won, the share exceeds. `clean`: a run that shows it does not.

        `grant` gives the average run length, in outcomes, for a pace of outcomes a day.
        """
        self.since_us = self.since_us or at_us
        self.seen_n += 1
        self.bad_n += bad
        self.clean_n = 0 if bad else self.clean_n + 1
        if self.arl is None:
            self._learn_pace(at_us, grant)
            return None
        self.evidence = raised(self.evidence or NO_EVIDENCE, self.tolerated_share, bad)
        self.statistic = sum(self.evidence) / len(self.evidence)
        if bad and self.statistic >= self.arl:  # a good outcome is no evidence of bad ones
            self.evidence = []
            return "shown"
        if self.clean_n == self.clean_run:
            self.seen_n = self.bad_n = 0
            return "clean"
        return None

    @property
    def clean_run(self) -> int:
        """Good outcomes in a row that show the share to be lower, at 95 % (rule of three)."""
        return ceil(log(0.05) / log1p(-self.tolerated_share))

    @property
    def share(self) -> float:
        """The share of bad outcomes since the last clean run."""
        return self.bad_n / self.seen_n if self.seen_n else 0.0

    def _learn_pace(self, at_us: int, grant: Callable[[float], float]) -> None:
        if self.seen_n >= _PACE_N:
            days = max(at_us - self.since_us, 1) / _DAY_US
            self.arl = max(grant(self.seen_n / days), MIN_ARL)
