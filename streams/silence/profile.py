"""How many arrivals an hour of the week brings, and how much more they vary than by chance.

Each of the 168 hours forgets by a factor of e^(-1/8) when it is learnt anew, once a week, so that
it remembers about eight weeks; hours that are left out (the feed's own outage, maintenance) neither
teach nor forget. An hour's rate is drawn towards that of the same hour on all weekdays, or on both
days of the weekend, with the weight of two weeks (an empirical-Bayes shrinkage).

Counts are taken as negative binomial, Var(n) = e + a e^2. The dispersion a is the moment estimate
over what was expected before each hour was learnt, so it holds the profile's own error too.
"""

from collections.abc import Iterable
from math import exp

from msgspec import Struct, field

from streams.silence.feed import FeedId
from streams.site_time import WEEK_HOURS

KEEP_WEEKLY = exp(-1 / 8)
KEEP_HOURLY = exp(-1 / (8 * WEEK_HOURS))
PSEUDO_WEEKS = 2.0
USUAL_DISPERSION, USUAL_WEIGHT = 0.1, 20.0  # an hour's coefficient of variation of .3, until shown
LEAST_DISPERSION = 1e-3
RATED_AFTER = WEEK_HOURS  # learnt hours until what is expected is compared with what comes
KNOWN_AFTER = 2 * WEEK_HOURS  # and until it is judged by it
_WEEKEND_FROM = 120


class Profile(Struct):
    """`sums` of arrivals and `weeks` learnt, per hour of the week; both forget alike.

    `arrivals` and `hours` are their sums with hourly forgetting, for the mean rate; `excess` and
    `square` the two sums of the dispersion. `active_hours`: learnt hours in which anything came.
    """

    id: FeedId
    sums: list[float] = field(default_factory=lambda: [0.0] * WEEK_HOURS)
    weeks: list[float] = field(default_factory=lambda: [0.0] * WEEK_HOURS)
    learnt_hours: int = 0
    active_hours: int = 0
    arrivals: float = 0.0
    hours: float = 0.0
    excess: float = 0.0
    square: float = 0.0

    @property
    def is_known(self) -> bool:
        """Whether two full weeks have been learnt."""
        return self.learnt_hours >= KNOWN_AFTER

    @property
    def per_hour(self) -> float:
        """Mean arrivals an hour, day and night."""
        return self.arrivals / self.hours if self.hours else 0.0

    @property
    def dispersion(self) -> float:
        """By how much the variance exceeds Poisson's, per square of the mean."""
        estimate = (self.excess + USUAL_DISPERSION * USUAL_WEIGHT) / (self.square + USUAL_WEIGHT)
        return max(LEAST_DISPERSION, estimate)

    def expected(self, weekhour: int) -> float:
        """Arrivals expected in a whole hour of the week."""
        alike = _ALIKE[weekhour]
        weeks = self.weeks[alike]
        shared_weeks = sum(weeks)
        if not shared_weeks:
            return self.per_hour
        shared = sum(self.sums[alike]) / shared_weeks
        own_n = self.sums[weekhour] + PSEUDO_WEEKS * shared
        return own_n / (self.weeks[weekhour] + PSEUDO_WEEKS)

    def shrink(self, parts: Iterable[float]) -> None:
        """From now on only so much of each hour of the week is expected."""
        self.sums = [n * part for n, part in zip(self.sums, parts, strict=True)]

    def learn(self, weekhour: int, n: int) -> None:
        """Take the count of a whole hour."""
        if self.learnt_hours >= RATED_AFTER:
            expected = self.expected(weekhour)
            self.excess = self.excess * KEEP_HOURLY + (n - expected) ** 2 - expected
            self.square = self.square * KEEP_HOURLY + expected * expected
        self.sums[weekhour] = self.sums[weekhour] * KEEP_WEEKLY + n
        self.weeks[weekhour] = self.weeks[weekhour] * KEEP_WEEKLY + 1
        self.arrivals = self.arrivals * KEEP_HOURLY + n
        self.hours = self.hours * KEEP_HOURLY + 1
        self.learnt_hours += 1
        self.active_hours += n > 0


def _alike(weekhour: int) -> slice:
    """The same hour on all weekdays, or on both days of the weekend."""
    hour = weekhour % 24
    if weekhour < _WEEKEND_FROM:
        return slice(hour, _WEEKEND_FROM, 24)
    return slice(_WEEKEND_FROM + hour, WEEK_HOURS, 24)


_ALIKE = tuple(_alike(weekhour) for weekhour in range(WEEK_HOURS))
