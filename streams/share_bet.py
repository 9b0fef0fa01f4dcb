"""Whether a share of studies is shown to exceed what is tolerated, by a bet that is held in days.

Shiryaev-Roberts by betting (Shin, Ramdas, Rinaldo 2023, "E-detectors", NEJSDS): after each answer
M <- (M + days since the last) L, where L is the likelihood ratio of a larger share against the
tolerated one. While the chance of a yes, given what came before, is at most the tolerated share,
E[L] <= 1, so that M minus the days gone by is a supermartingale: the mean time between two false
alarms is at least the threshold, in days, at any pace and however the pace changes.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from math import ceil, lgamma, log, log1p, sqrt
from typing import NamedTuple

from msgspec import Struct, field

from detectors.bet_sr import NO_EVIDENCE, raised
from streams.clock import NEVER_US, from_us
from streams.finding import Signal

_FIRST_N = 50  # answers before the first bet: a monitor that is hardly used takes no share
_SILENCE_SHARE = 0.01  # of the promise: a longer silence weighs no more, it is no evidence
_DAY_US = 86_400_000_000
_EXAMPLES = 20
_ANY_IS_SHOWN = 0.0
_LEAST_TOLERATED = 0.01  # where none is, the share is shown to be below this before it eases


class Interval(NamedTuple):
    """Limits of a share."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.1%} to {self.high:.1%}"


def wilson(yes_n: int, n: int, z: float = 1.96) -> Interval:
    """The score interval of a share, at 95 % by default (Wilson 1927, JASA 22:209).

    >>> str(wilson(5, 100))
    '2.2% to 11.2%'
    """
    if n == 0:
        return Interval(0.0, 1.0)
    share, room = yes_n / n, z * z / n
    middle = share + room / 2
    half = sqrt(room * share * (1 - share) + room * room / 4)
    low, high = (middle - half) / (1 + room), (middle + half) / (1 + room)
    return Interval(max(0.0, low), min(1.0, high))


def direction(more_n: int, less_n: int) -> int:
    """1 or -1 where it is shown that differing pairs fall to one side, else 0.

    McNemar's question (1947, Psychometrika 12:153) as an e-process: the likelihood of the counts
    under a share drawn from Beta(1/2, 1/2) against that under one half. It exceeds 20 with a chance
    of at most 1 in 20 if there is no direction, however long one looks (Ville's inequality).

    >>> direction(12, 1), direction(6, 4), direction(0, 7)
    (1, 0, -1)
    """
    n = more_n + less_n
    log_evidence = n * log(2) + _log_beta(more_n + 0.5, less_n + 0.5) - _log_beta(0.5, 0.5)
    if log_evidence < log(20):
        return 0
    return 1 if more_n > less_n else -1


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


class ShareBet(Struct, omit_defaults=True):
    """Yes or no, study by study, against a tolerated share; and the episode that this makes.

    `seen_n` and `yes_n` count since the larger share began, as estimated: since what speaks for it
    was last all taken back (`rise` at 0, Page 1954, Biometrika 41:100), or from the last clean run;
    once it is told, until it is over. `days` is granted once, before the first bet. `accepted` is a
    share that a person has declared to be normal.
    """

    seen_n: int = 0
    yes_n: int = 0
    clean_n: int = 0
    affected_n: int = 0
    met_n: int = 0
    latest_us: int = -NEVER_US
    since_us: int | None = None
    days: float | None = None
    evidence: list[float] = field(default_factory=list)
    statistic: float = 0.0  # after the last yes
    told: bool = False
    eased: bool = False
    accepted: float = 0.0
    examples: list[str] = field(default_factory=list)
    rise: float = 0.0

    def affects(self, study: str, at_us: int) -> None:
        """One more study of which the answer is yes, whether it counts in the share or not."""
        self.affected_n += 1
        if self.since_us is None:
            self.since_us = at_us
        if len(self.examples) < _EXAMPLES:
            self.examples.append(study)

    def take(
        self, yes: bool, at_us: int, tolerated: float, grant: Callable[[], float]
    ) -> Signal | None:
        """What an answer means: `holds` when the share is shown to exceed, or still does.

        `eased` when a run of no alone shows it to be lower (at 95 %, the rule of three).
        `grant` gives the mean number of days between false alarms that is allowed.
        """
        tolerated = self.tolerated(tolerated)
        self.seen_n += 1
        self.yes_n += yes
        self.clean_n = 0 if yes else self.clean_n + 1
        is_shown = self._bet(yes, at_us, tolerated, grant)
        if is_shown:
            self.told, self.eased = True, False
        if is_shown or (yes and self.told and not self.eased):
            return "holds"
        if not self.told:
            self._may_begin(yes, tolerated)
        return self._run_clean() if self.clean_n == clean_run(tolerated) else None

    def tolerated(self, setting: float) -> float:
        """The tolerated share: as set, or as a person has accepted."""
        return max(setting, self.accepted)

    @property
    def since(self) -> datetime | None:
        """When the first yes came since it began."""
        return None if self.since_us is None else from_us(self.since_us)

    @property
    def share(self) -> float:
        """The share since it began."""
        return self.yes_n / self.seen_n if self.seen_n else 0.0

    def over(self) -> None:
        """The incident has ended: what comes next is a new episode."""
        self.told = self.eased = False
        self.evidence = []
        self._begin()

    def accept(self) -> None:
        """A person says that the share is normal now: up to its upper limit it is tolerated."""
        if self.told:
            self.accepted = min(wilson(self.yes_n, self.seen_n).high, 0.99)

    def _bet(self, yes: bool, at_us: int, tolerated: float, grant: Callable[[], float]) -> bool:
        if tolerated == _ANY_IS_SHOWN:
            return yes
        if self.days is None:
            self.met_n += 1
            self.latest_us = max(self.latest_us, at_us)
            if self.met_n >= _FIRST_N:
                self.days = grant()
            return False
        elapsed_days = 0.0
        if at_us > self.latest_us:
            elapsed_days = min((at_us - self.latest_us) / _DAY_US, self.days * _SILENCE_SHARE)
            self.latest_us = at_us
        self.evidence = raised(self.evidence or NO_EVIDENCE, tolerated, yes, elapsed_days)
        if not yes:
            return False  # it is no evidence of too many
        self.statistic = sum(self.evidence) / len(self.evidence)
        if self.statistic < self.days:
            return False
        self.evidence = []
        return True

    def _may_begin(self, yes: bool, tolerated: float) -> None:
        """Count anew where nothing speaks for a larger share any more."""
        known = max(tolerated, _LEAST_TOLERATED)
        larger = min(2 * known, (1 + known) / 2)
        self.rise += log(larger / known) if yes else log((1 - larger) / (1 - known))
        if self.rise <= 0:
            self._begin()

    def _run_clean(self) -> Signal | None:
        if self.told and not self.eased:
            self.eased = True
            return "eased"  # with the counts that were told: they begin anew when it is over
        if not self.told:
            self._begin()
        return None

    def _begin(self) -> None:
        self.seen_n = self.yes_n = self.affected_n = self.clean_n = 0
        self.since_us, self.examples, self.rise = None, [], 0.0


@cache
def clean_run(tolerated: float) -> int:
    """How many no in a row show a share to be at most the tolerated one, at 95 %.

    >>> clean_run(0.05)
    59
    """
    return ceil(log(0.05) / log1p(-max(tolerated, _LEAST_TOLERATED)))
