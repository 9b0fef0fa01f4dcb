"""How a series learns a reference: a sample that grows until it is complete."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from schemas.config import Reference
from streams.clock import NEVER_US, seconds_to_us
from streams.pace import DAY_US, Pace
from streams.series.seen import Frozen, Sample, Seen
from streams.series.week import PART_OF_A_DAY, is_of_usual_days

_DAY_S = 86_400
_LEAST_RELEARN_N = 60
_STRONG_DEPENDENCE = 10.0  # variance ratio from which half a reference is too short to judge by


class Goal(NamedTuple):
    """A sample is complete with `n` observations, or with `least_n` after so long."""

    n: int
    us: int = NEVER_US
    least_n: int = 1


class Settings(Struct, frozen=True):
    """When there is a reference: after so many observations, or so long with `least_n`.

    It holds a whole week after `week_us`, or with `most_n`: where those come sooner, no hospital's
    pace, it is not waited for.
    """

    observations: int
    max_us: int
    least_n: int = 50
    week_us: int = 0
    most_n: int = 100_000

    @property
    def first(self) -> Goal:
        """When the first reference is frozen."""
        return Goal(self.observations, self.max_us, self.least_n)

    @property
    def days(self) -> Goal:
        """When one that was of a part of a day is of days."""
        return Goal(self.most_n, min(2 * DAY_US, self.week_us))

    @property
    def week(self) -> Goal:
        """When one that went on growing holds a whole week."""
        return Goal(self.most_n, self.week_us)


def settings_of(reference: Reference) -> Settings:
    """What the configuration says of it."""
    return Settings(
        observations=reference.observations,
        max_us=seconds_to_us(reference.max_days * _DAY_S),
        week_us=seconds_to_us(reference.min_days * _DAY_S),
    )


def relearn_n(reference: Frozen) -> int:
    """How many observations show where a series is after an alarm: half as many as it rests on.

    As many, where each follows the last.
    """
    strong = reference.ratio > _STRONG_DEPENDENCE
    return max(_LEAST_RELEARN_N, reference.n if strong else reference.n // 2)


class Learning:
    """The sample, and the pace at which it grows; each new one has another `generation`."""

    def __init__(self, settings: Settings, new_sample: Callable[[], Sample]) -> None:
        self.settings = settings
        self._new_sample = new_sample
        self.pace = Pace()
        self.sample = new_sample()
        self.generation = 0

    def again_n(self, reference: Frozen) -> int:
        """See `relearn_n`; of one that has grown to a week no more than of the first one."""
        first_n, needed_n = self.settings.observations, relearn_n(reference)
        return needed_n if reference.n <= first_n else -(-needed_n * first_n // reference.n)

    def begin(self) -> None:
        """Throw the sample away, and begin another."""
        self.pace, self.sample = Pace(), self._new_sample()
        self.generation += 1

    def take(self, part: Seen, goal: Goal) -> tuple[int, bool]:
        """Grow up to where the sample is complete: how many were taken, and whether it is.

        A word too many ends the sample as well, incomplete.
        """
        sample, pace, gap_max_us = self.sample, self.pace, self.settings.max_us
        soonest_us = min(goal.us, gap_max_us)
        if sample.n + part.n < goal.n and pace.stays_under(part.ats_us, soonest_us):
            return sample.take(part), False
        elapsed_us = pace.elapsed_with(part.ats_us, gap_max_us)
        numbers = np.arange(sample.n + 1, sample.n + part.n + 1)
        late = (numbers >= goal.least_n) & (elapsed_us >= goal.us)
        complete = np.flatnonzero((numbers >= goal.n) | late)
        taken = int(complete[0]) + 1 if len(complete) else part.n
        part = part.part(0, taken)
        pace.take(part.ats_us, int(elapsed_us[taken - 1]))
        taken = sample.take(part)
        return taken, bool(len(complete)) and not sample.is_of_names

    @property
    def has_enough(self) -> bool:
        """Whether a reference could be made of it, though it is not complete."""
        return self.sample.n >= self.settings.least_n

    def beside(self, original: Frozen, provisional: Frozen | None) -> Goal | None:
        """What is sampled beside watching: more days for a reference of few.

        After an alarm as much as shows where it is.
        """
        settings, notes = self.settings, (provisional or original).notes
        if provisional is None and PART_OF_A_DAY in notes:
            return settings.days
        if is_of_usual_days(notes):
            return settings.week
        if provisional is None:
            return None
        return settings.week._replace(least_n=self.again_n(original))

    @property
    def holds_day(self) -> bool:
        """Whether it is as long as a day, or grows too fast for one."""
        return self._holds(min(DAY_US, self.settings.week_us))

    @property
    def holds_week(self) -> bool:
        """Whether it is as long as a week, or grows too fast for one."""
        return self._holds(self.settings.week_us)

    def _holds(self, length_us: int) -> bool:
        needs, n, elapsed_us = self.settings, self.sample.n, self.pace.elapsed_us
        too_fast = elapsed_us < needs.week_us * n // needs.most_n
        return elapsed_us >= length_us or n >= needs.most_n or too_fast

    def missing(self, goal: Goal) -> tuple[int, int]:
        """How many further observations, or which stamp, may complete it: never fewer, or before.

        The stamp is 0 where nothing is known of it yet.
        """
        first_us = self.pace.first_us or 0
        return goal.n - self.sample.n, first_us and min(first_us + goal.us, NEVER_US)
