"""One thing watched of a model's performance: shown to be worse, shown to be back.

An alarm tells that it is worse, and the bet begins anew against the same reference or limit: as
long as it stays so it is shown again and again, which updates one incident. Meanwhile a bet runs
the other way, that it is back; it is begun anew by every alarm, so only fresh data speak for it.
"""

from contextlib import suppress
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from detectors import StateUnreadable
from detectors.weighted_bet import CERTAIN, Floats, WeightedBet, raised

BACK_DAYS = 30.0
"""A thing that is still wrong is taken to be back at most once in so many days on average."""

ODDS = (1.5, 2.0, 4.0)
"""How many times the odds of a bad answer are bet to have grown."""

_BETTER_ODDS = (1 / 1.5, 1 / 3)


class Verdict(NamedTuple):
    """What was shown, by which evidence, since when by estimate, and the bet that won."""

    word: Literal["worse", "back"]
    statistic: float
    threshold: float
    since_us: int
    bet: int


class Question(NamedTuple):
    """What one study says of it. `expected` and `changed` as `WeightedBet.update` takes them."""

    answer: bool
    expected: Floats
    changed: Floats
    is_limit: bool = False
    mildest: tuple[int, ...] = (0, 0, 0)
    """For each bet the mildest one in its direction."""

    def back(self, bet: int) -> tuple[Floats, Floats]:
        """The chances of a yes while it is still wrong, and when it is not.

        Still wrong is what breaks the limit; or, against a reference, what is at least as far from
        its estimate as the mildest change that is looked for.
        """
        if self.is_limit:
            return self.expected, raised(self.expected, _BETTER_ODDS)
        middle = slice(len(self.expected) // 2, len(self.expected) // 2 + 1)
        return self.changed[middle, self.mildest[bet]], self.expected[middle, None]


class MonitorRecord(Struct, omit_defaults=True):
    """A monitor as it is written down; `bet` is the one that won last."""

    worse: dict[str, Any]
    back: dict[str, Any] | None = None
    bet: int = 0


class Monitor:
    """`days` between two false alarms; `weights` as of `WeightedBet`; how many bets."""

    def __init__(self, days: float, weights: Floats, bets_n: int, is_limit: bool = False) -> None:
        self.days = days
        self._weights = weights
        self._bets_n = bets_n
        self._back_bets_n = len(_BETTER_ODDS) if is_limit else 1
        self._worse: WeightedBet
        self._back: WeightedBet | None
        self.over()

    def take(self, question: Question, at_us: int) -> Verdict | None:
        """What the next study shows, if anything."""
        worse, back = self._worse, self._back
        if worse.update(question.answer, question.expected, question.changed, at_us):
            self._bet = worse.strongest
            self._back = WeightedBet(BACK_DAYS, CERTAIN, self._back_bets_n)
            return self._verdict("worse", worse)
        if back is None or not back.update(question.answer, *question.back(self._bet), at_us):
            return None
        self.over()  # what it was meanwhile makes no value of the reference more plausible
        return self._verdict("back", back)

    @property
    def is_worse(self) -> bool:
        """Whether it was shown to be worse, and not to be back."""
        return self._back is not None

    def over(self) -> None:
        """It is over: what comes next is a new episode."""
        self._bet = 0
        self._back = None
        self._worse = WeightedBet(self.days, self._weights, self._bets_n)

    def record(self) -> MonitorRecord:
        """To be written down."""
        back = None if self._back is None else self._back.state()
        return MonitorRecord(self._worse.state(), back, self._bet)

    def resume(self, record: MonitorRecord) -> None:
        """Go on from what was written; evidence that cannot be read begins anew."""
        self._bet = record.bet
        with suppress(StateUnreadable):
            self._worse = WeightedBet.restore(self.days, self._weights, self._bets_n, record.worse)
        if record.back is not None:
            self._back = WeightedBet(BACK_DAYS, CERTAIN, self._back_bets_n)
            with suppress(StateUnreadable):
                self._back = WeightedBet.restore(BACK_DAYS, CERTAIN, self._back_bets_n, record.back)

    def _verdict(self, word: Literal["worse", "back"], bet: WeightedBet) -> Verdict:
        return Verdict(word, bet.statistic, bet.threshold, bet.changed_us, self._bet)
