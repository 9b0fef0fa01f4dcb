"""How a series learns a reference: a sample that grows until it is complete."""

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from schemas.config import Reference
from streams.clock import seconds_to_us
from streams.pace import Pace
from streams.seen import Sample, Seen

_DAY_S = 86_400


class Settings(Struct, frozen=True):
    """When a reference is complete: after so many observations, or so long with `least_n`.

    Not before `min_us`, so that it holds a weekend. Where that would take more than `most_n`, no
    hospital's pace, there is no waiting.
    """

    observations: int
    max_us: int
    least_n: int = 50
    min_us: int = 0
    most_n: int = 100_000

    @property
    def hurried_us(self) -> int:
        """The observations of one sample in less than this are more than `most_n` in `min_us`."""
        return self.min_us * self.observations // self.most_n


def settings_of(reference: Reference) -> Settings:
    """What the configuration says of it."""
    return Settings(
        observations=reference.observations,
        max_us=seconds_to_us(reference.max_days * _DAY_S),
        min_us=seconds_to_us(reference.min_days * _DAY_S),
    )


class Learning:
    """The sample, and the pace at which it grows; each new one has another `generation`."""

    def __init__(self, settings: Settings, new_sample: Callable[[], Sample]) -> None:
        self._settings = settings
        self._new_sample = new_sample
        self.pace = Pace()
        self.sample = new_sample()
        self.generation = 0

    def begin(self) -> None:
        """Throw the sample away, and begin another."""
        self.sample = self._new_sample()
        self.generation += 1

    def take(self, part: Seen) -> tuple[int, bool]:
        """Grow up to where the sample is complete: how many were taken, and whether it is.

        A word too many ends the sample as well, incomplete.
        """
        if self._stays_incomplete(part):
            return self.sample.take(part), False
        needs = self._settings
        elapsed_us = self.pace.elapsed_with(part.ats_us, needs.max_us)
        numbers = np.arange(self.sample.n + 1, self.sample.n + part.n + 1)
        at_least, at_most = numbers >= needs.observations, numbers >= needs.most_n
        many = at_least & (elapsed_us >= needs.min_us)
        late = (numbers >= needs.least_n) & (elapsed_us >= needs.max_us)
        too_fast = (numbers == needs.observations) & (elapsed_us < needs.hurried_us)
        complete = np.flatnonzero(many | late | too_fast | at_most)
        taken = int(complete[0]) + 1 if len(complete) else part.n
        part = part.part(0, taken)
        self.pace.take(part.ats_us, int(elapsed_us[taken - 1]))
        taken = self.sample.take(part)
        return taken, bool(len(complete)) and not self.sample.is_of_names

    @property
    def has_enough(self) -> bool:
        """Whether a reference could be made of it, though it is not complete."""
        return self.sample.n >= self._settings.least_n

    @property
    def missing(self) -> tuple[int, int]:
        """How many further observations, or which stamp, may complete it: never fewer, or before.

        The stamp is 0 where nothing is known of it yet.
        """
        needs, first_us = self._settings, self.pace.first_us or 0
        if self.sample.n < needs.observations:
            return needs.observations - self.sample.n, first_us and first_us + needs.max_us
        return needs.most_n - self.sample.n, first_us and first_us + needs.min_us

    def _stays_incomplete(self, part: Seen) -> bool:
        """The usual case, in which only the pace goes on."""
        needs, n = self._settings, self.sample.n + part.n
        if n < needs.observations:
            return self.pace.stays_under(part.ats_us, needs.max_us)
        return n < needs.most_n and self.pace.stays_under(part.ats_us, needs.min_us)
