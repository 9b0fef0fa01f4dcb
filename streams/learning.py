"""How a series learns a reference: a sample that grows until it is complete."""

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from streams.pace import Pace
from streams.seen import Sample, Seen


class Settings(Struct, frozen=True):
    """When a reference is complete: after so many observations, or so long with `least_n`."""

    observations: int
    max_us: int
    least_n: int = 50


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
        if self.sample.n + part.n < self._settings.observations and self.pace.stays_under(
            part.ats_us, self._settings.max_us
        ):
            return self.sample.take(part), False
        elapsed_us = self.pace.elapsed_with(part.ats_us, self._settings.max_us)
        numbers = np.arange(self.sample.n + 1, self.sample.n + part.n + 1)
        late = (elapsed_us >= self._settings.max_us) & (numbers >= self._settings.least_n)
        complete = np.flatnonzero((numbers >= self._settings.observations) | late)
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
        first_us = self.pace.first_us
        from_us = 0 if first_us is None else first_us + self._settings.max_us
        return self._settings.observations - self.sample.n, from_us
