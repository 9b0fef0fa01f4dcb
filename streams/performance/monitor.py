"""One thing watched of a model's performance: shown to be worse, shown to be back.

An alarm tells that it is worse, and the bet begins anew against the same reference or limit: as
long as it stays so it is shown again and again, which updates one incident. Meanwhile a bet runs
the other way, that it is back; it is begun anew by every alarm, so only fresh data speak for it.
"""

from contextlib import suppress
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from detectors import StateUnreadable
from detectors.weighted_bet import Floats, WeightedBet, raised

BACK_DAYS = 30.0
"""A thing that is still wrong is taken to be back at most once in so many days on average."""

ODDS = (1.5, 2.0, 4.0)
"""How many times the odds of a bad answer are bet to have grown."""

_BETTER_ODDS = (1 / 1.5, 1 / 3)

Verdict = Literal["worse", "back"]


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
        it as the mildest change that is looked for.
        """
        if self.is_limit:
            return self.expected, raised(self.expected, _BETTER_ODDS)
        return self.changed[:, self.mildest[bet]], self.expected[:, None]


class MonitorRecord(Struct, omit_defaults=True):
    """A monitor as it is written down."""

    worse: dict[str, Any]
    back: dict[str, Any] | None = None
    told: bool = False
    bet: int = 0


class Monitor:
    """`days` between two false alarms; `weights` as of `WeightedBet`; how many bets."""

    def __init__(self, days: float, weights: Floats, bets_n: int, is_limit: bool = False) -> None:
        self.days = days
        self._weights = weights
        self._bets_n = bets_n
        self._back_bets_n = len(_BETTER_ODDS) if is_limit else 1
        self.told = False
        self.bet = 0
        self.worse = WeightedBet(days, weights, bets_n)
        self._back: WeightedBet | None = None

    def take(self, question: Question, at_us: int) -> Verdict | None:
        """What the next study shows, if anything."""
        answer = question.answer
        if self.worse.update(answer, question.expected, question.changed, at_us):
            self.told = True
            self.bet = self.worse.strongest
            self._back = self._new_back()
            return "worse"
        if self._back is None:
            return None
        return "back" if self._back.update(answer, *question.back(self.bet), at_us) else None

    def over(self) -> None:
        """Its incident has ended: what comes next is a new episode."""
        self.told = False
        self._back = None
        self.worse = WeightedBet(self.days, self._weights, self._bets_n)

    def record(self) -> MonitorRecord:
        """To be written down."""
        back = None if self._back is None else self._back.state()
        return MonitorRecord(self.worse.state(), back, self.told, self.bet)

    def resume(self, record: MonitorRecord) -> None:
        """Go on from what was written; evidence that cannot be read begins anew."""
        self.told, self.bet = record.told, record.bet
        with suppress(StateUnreadable):
            self.worse = WeightedBet.restore(self.days, self._weights, self._bets_n, record.worse)
        if record.back is not None:
            self._back = self._new_back()
            with suppress(StateUnreadable):
                self._back = WeightedBet.restore(
                    BACK_DAYS, self._weights, self._back_bets_n, record.back
                )

    def _new_back(self) -> WeightedBet:
        return WeightedBet(BACK_DAYS, self._weights, self._back_bets_n)
