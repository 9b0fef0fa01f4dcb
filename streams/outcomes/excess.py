"""Whether the share of bad outcomes is shown to exceed what is tolerated: policy = "rate".

For models where a rare miss is normal. Within the false-alarm budget by BetSR (detectors), whose
evidence is held in days, so that no change of pace overspends it; and over when a run of clean
outcomes shows the share to be back below the tolerated one.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct, field

from detectors.bet_sr import NO_EVIDENCE, raised
from streams.clock import NEVER_US
from streams.pace import DAY_US
from streams.share_bet import clean_run

_FIRST_N = 50  # outcomes before the first bet: a model that is hardly used takes no share
_SILENCE_SHARE = 0.01  # of the promise: a longer silence weighs no more, it is no evidence


Verdict = Literal["shown", "clean"] | None


class Excess(Struct, omit_defaults=True):
    """Bets against the tolerated share; `days` between two false alarms are granted at the first.

    The evidence of version 1 was held in outcomes, under another name: such bets begin anew.
    """

    tolerated_share: float
    seen_n: int = 0
    bad_n: int = 0
    since_us: int = 0
    clean_n: int = 0
    days: float | None = None
    newest_us: int = -NEVER_US
    evidence_days: list[float] = field(default_factory=list)
    statistic: float = 0.0

    def take(self, bad: bool, at_us: int, grant: Callable[[], float]) -> Verdict:
        """`shown`: the bet is won, the share exceeds. `clean`: a run that shows it does not.

        `grant` gives the days between two false alarms, once.
        """
        self.since_us = self.since_us or at_us
        newest_us, self.newest_us = self.newest_us, max(self.newest_us, at_us)
        elapsed_us = 0 if newest_us == -NEVER_US else self.newest_us - newest_us
        self.seen_n += 1
        self.bad_n += bad
        self.clean_n = 0 if bad else self.clean_n + 1
        if self.days is None:
            if self.seen_n >= _FIRST_N:
                self.days = grant()
            return None
        if self._bet(bad, min(elapsed_us / DAY_US, self.days * _SILENCE_SHARE), self.days):
            return "shown"
        run_n = clean_run(self.tolerated_share)
        if self.clean_n >= run_n:  # as long as the run goes on: it is no part of what comes next
            self.seen_n = self.bad_n = 0
        return "clean" if self.clean_n == run_n else None

    def _bet(self, bad: bool, elapsed_days: float, days: float) -> bool:
        """Bet on one more outcome; whether that wins. A good one is no evidence of bad ones."""
        evidence = self.evidence_days or NO_EVIDENCE
        self.evidence_days = raised(evidence, self.tolerated_share, bad, elapsed_days)
        self.statistic = sum(self.evidence_days) / len(self.evidence_days)
        shown = bad and self.statistic >= days
        if shown:
            self.evidence_days = []
        return shown

    @property
    def share(self) -> float:
        """The share of bad outcomes since the last clean run."""
        return self.bad_n / self.seen_n if self.seen_n else 0.0
