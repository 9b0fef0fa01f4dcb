"""How many arrivals an hour of the week brings, and how much more they vary than by chance.

Each of the 168 hours forgets by a factor of e^(-1/8) when it is learnt anew, once a week, so that
it remembers about eight weeks; hours that are left out (the feed's own outage, maintenance) neither
teach nor forget. An hour's rate is drawn towards that of the same hour on all weekdays, or on both
days of the weekend, with the weight of two weeks, and with less where the feed's days tell less of
each other: given what came, the mean of a gamma rate weighs the others as (1 / e + a) / v weeks
(empirical Bayes), v being how uneven the days are, the square of the coefficient of variation of
an hour's rate. That is a moment estimate over the whole week, made anew once a day.

A day of the week on which nothing has ever come is closed: nothing is expected then, and it tells
nothing of other days. So a clinic is not missed on the days on which it is closed.

Counts are taken as negative binomial, Var(n) = e + a e^2. The dispersion a is the moment estimate
over what was expected before each hour was learnt, so it holds the profile's own error too.
"""

from collections.abc import Iterable
from math import exp
from statistics import fmean

from msgspec import Struct, field

from streams.silence.feed import FeedId
from streams.site_time import WEEK_HOURS

KEEP_WEEKLY = exp(-1 / 8)
KEEP_HOURLY = exp(-1 / (8 * WEEK_HOURS))
PSEUDO_WEEKS = 2.0
USUAL_DISPERSION, USUAL_WEIGHT = 0.1, 20.0  # an hour's coefficient of variation of .3, until shown
LEAST_DISPERSION = 1e-3
USUAL_UNEVENNESS, LEAST_UNEVENNESS = 0.02, 3e-3
RATED_AFTER = WEEK_HOURS  # learnt hours until what is expected is compared with what comes
KNOWN_AFTER = 2 * WEEK_HOURS  # and until it is judged by it
_WEEKEND_FROM = 120


class Profile(Struct):
    """`sums` of arrivals and `weeks` learnt, per hour of the week; both forget alike.

    `arrivals` and `hours` are their sums with hourly forgetting, for the mean rate; `excess` and
    `square` the two sums of the dispersion. `active_hours`: learnt hours in which anything came.
    `unevenness` of days is what was found when the last day was learnt.
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
    unevenness: float = USUAL_UNEVENNESS

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
        if not self._is_open(weekhour):
            return 0.0
        alike = _ALIKE[weekhour]
        open_weeks = sum(self.weeks[other] for other in _hours(alike) if self._is_open(other))
        if not open_weeks:
            return self.per_hour
        shared = sum(self.sums[alike]) / open_weeks
        shared_n = min(PSEUDO_WEEKS * shared, (1 + self.dispersion * shared) / self.unevenness)
        own_n, own_weeks = self.sums[weekhour], self.weeks[weekhour]
        if not shared_n:
            return 0.0
        return (own_n + shared_n) * shared / (own_weeks * shared + shared_n)

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
        if self.learnt_hours % 24 == 0:
            self.unevenness = self._found_unevenness()

    def _is_open(self, weekhour: int) -> bool:
        """Whether anything has ever come on this day of the week."""
        midnight = weekhour - weekhour % 24
        return any(self.sums[midnight : midnight + 24])

    def _found_unevenness(self) -> float:
        """By how much days differ beyond what counts do by chance, per square of the mean."""
        excess, square = USUAL_UNEVENNESS * USUAL_WEIGHT, USUAL_WEIGHT
        dispersion = self.dispersion
        is_open = [self._is_open(midnight) for midnight in range(0, WEEK_HOURS, 24)]
        for alike in KINDS_OF_HOUR:
            days = [hour for hour in _hours(alike) if self.weeks[hour] and is_open[hour // 24]]
            if len(days) < 2:
                continue
            weeks = [self.weeks[hour] for hour in days]
            rates = [self.sums[hour] / self.weeks[hour] for hour in days]
            mean = fmean(rates)
            chance = mean * (1 + dispersion * mean) * fmean(1 / worth(known) for known in weeks)
            excess += sum((rate - mean) ** 2 for rate in rates) - (len(rates) - 1) * chance
            square += (len(rates) - 1) * mean * mean
        return max(LEAST_UNEVENNESS, excess / square)


def worth(weeks: float) -> float:
    """How many weeks of equal weight tell as much as these, of which the older count less."""
    return weeks * (1 + KEEP_WEEKLY) / (2 - weeks * (1 - KEEP_WEEKLY))


def _alike(weekhour: int) -> slice:
    """The same hour on all weekdays, or on both days of the weekend."""
    hour = weekhour % 24
    if weekhour < _WEEKEND_FROM:
        return slice(hour, _WEEKEND_FROM, 24)
    return slice(_WEEKEND_FROM + hour, WEEK_HOURS, 24)


def _hours(alike: slice) -> range:
    return range(alike.start, alike.stop, alike.step)


_ALIKE = tuple(_alike(weekhour) for weekhour in range(WEEK_HOURS))
KINDS_OF_HOUR = (*_ALIKE[:24], *_ALIKE[_WEEKEND_FROM : _WEEKEND_FROM + 24])
