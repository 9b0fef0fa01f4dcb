"""Streams that never change, of every kind that the promise must survive; and ones that do."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PER_DAY = 250
FIRST_HOUR = 9  # of the week in which a stream begins
_ONE_IN_20 = 1.6449

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Draw = Callable[[np.random.Generator, int], Any]


class Stream(NamedTuple):
    """Values in order, each with the hour of the week."""

    values: Floats
    weekhours: NDArray[np.int64]
    per_day: int = PER_DAY

    @property
    def weekdays(self) -> NDArray[np.int64]:
        """The day of the week of each."""
        return self.weekhours // 24

    def part(self, start: int, stop: int | None = None) -> "Stream":
        """The values from `start` to before `stop`."""
        return Stream(self.values[start:stop], self.weekhours[start:stop], self.per_day)


def _autoregressive(rng: np.random.Generator, n: int) -> Floats:
    noise, values = rng.normal(size=n).tolist(), np.empty(n)
    last = noise[0] / (1 - 0.3**2) ** 0.5
    for i, fresh in enumerate(noise):
        values[i] = last = 0.3 * last + fresh
    return values


def _patients(rng: np.random.Generator, n: int) -> Floats:
    """Four images of each patient in a row, correlated by .5."""
    patients = np.repeat(rng.normal(size=-(-n // 4)), 4)[:n]
    return (patients + rng.normal(size=n)) / 2**0.5


def _hours(n: int, per_day: int = PER_DAY) -> Floats:
    """Those gone by since the week began."""
    return np.arange(n) * 24 / per_day + FIRST_HOUR


def _weekend(hours: Floats) -> Floats:
    return np.where(hours % 168 >= 120, 0.3, 0.0)


def _day(hours: Floats) -> Floats:
    return 0.5 * np.sin(hours * 2 * np.pi / 24)


def _cycle(n: int, per_day: int = PER_DAY) -> Floats:
    """A day's cycle of .5 sd, and a week's: .3 sd at the weekend."""
    hours = _hours(n, per_day)
    return _day(hours) + _weekend(hours)


def _both(rng: np.random.Generator, n: int) -> Floats:
    """Each follows the last, and comes four to a patient."""
    return _autoregressive(rng, n) + _patients(rng, n)


def _days(rng: np.random.Generator, n: int, least: float, most: float) -> Any:
    """Yes and no, 100 a day from the morning on; each local day has its own share."""
    days = (np.arange(n) * 24 // 100 + FIRST_HOUR) // 24
    return rng.random(n) < rng.uniform(least, most, size=days[-1] + 1)[days]


INDEPENDENT: dict[str, Draw] = {
    # scores are ranks, so all continuous distributions give the same: this stands for all of them
    "continuous": lambda rng, n: rng.lognormal(sigma=1.0, size=n),
    "score, U-shaped": lambda rng, n: rng.beta(0.3, 0.5, size=n).round(2),
    "slices": lambda rng, n: rng.choice([1, 1.5, 2, 3, 5], p=[0.35, 0.05, 0.3, 0.2, 0.1], size=n),
    "yes in 5 %": lambda rng, n: rng.random(n) < 0.05,
}
DEPENDENT: dict[str, Draw] = {
    "each follows the last, .3": _autoregressive,
    "4 images a patient": _patients,
    "slices, 4 alike": lambda rng, n: np.repeat(INDEPENDENT["slices"](rng, -(-n // 4)), 4)[:n],
    "day and week": lambda rng, n: rng.normal(size=n) + _cycle(n),
    "all three": lambda rng, n: _both(rng, n) + _cycle(n),
    "all three, weekends alike": lambda rng, n: _both(rng, n) + _day(_hours(n)),
    "all three, days alike": lambda rng, n: _both(rng, n) + _weekend(_hours(n)),
    "all three, 1000 a day": lambda rng, n: _both(rng, n) + _cycle(n, 1000),
    "yes in 5 %, 4 images a patient": lambda rng, n: _patients(rng, n) > _ONE_IN_20,
    "yes in 5 %, each follows, .3": lambda rng, n: _autoregressive(rng, n) > _ONE_IN_20 / 0.91**0.5,
    "yes in 5 %, each day 2 to 8 %": lambda rng, n: _days(rng, n, 0.02, 0.08),
    "yes in 30 %, each day 20 to 40 %": lambda rng, n: _days(rng, n, 0.2, 0.4),
}
DATA = INDEPENDENT | DEPENDENT
PER_DAY_OF = {
    "all three, 1000 a day": 1000,
    "yes in 5 %, each day 2 to 8 %": 100,
    "yes in 30 %, each day 20 to 40 %": 100,
}


class Change(NamedTuple):
    """What values are, and what becomes of them."""

    draw: Draw
    moved: Callable[[np.random.Generator, Floats], Floats]


def _normal(moved: Callable[[np.random.Generator, Floats], Floats]) -> Change:
    return Change(lambda rng, n: rng.normal(size=n), moved)


def _thicker(rng: np.random.Generator, mm: Floats) -> Floats:
    return np.where((mm == 1) & (rng.random(len(mm)) < 0.2), 2.0, mm)


CHANGES: dict[str, Change] = {
    ".25 sd": _normal(lambda rng, z: z + 0.25),
    ".5 sd": _normal(lambda rng, z: z + 0.5),
    "1 sd": _normal(lambda rng, z: z + 1.0),
    "spread x 1.25": _normal(lambda rng, z: z * 1.25),
    "5 % of another kind": _normal(lambda rng, z: np.where(rng.random(len(z)) < 0.05, z - 2.5, z)),
    "U-shaped score, logit + 1": Change(  # .30 sd of its logit
        lambda rng, n: rng.beta(0.4, 0.6, size=n).clip(1e-12, 1 - 1e-12),
        lambda rng, p: p * np.e / (1 - p + p * np.e),
    ),
    "a fifth of 1 mm slices now 2": Change(INDEPENDENT["slices"], _thicker),
    "yes in 5 %, then 10 %": Change(
        INDEPENDENT["yes in 5 %"], lambda rng, yes: (rng.random(len(yes)) < 0.10).astype(np.float64)
    ),
}


def stream(data: str, rng: np.random.Generator, n: int) -> Stream:
    """n values of one kind, 250 a day if not said otherwise."""
    per_day = PER_DAY_OF.get(data, PER_DAY)
    hours = np.arange(n) * 24 // per_day + FIRST_HOUR
    return Stream(np.asarray(DATA[data](rng, n), dtype=np.float64), hours % 168, per_day)


def of_no_cycle(values: Floats, per_day: int = PER_DAY) -> Stream:
    """Values in which no cycle is looked for: numbers of one hour, yes and no of one each day."""
    days = np.arange(len(values)) // per_day if np.isin(values, (0, 1)).all() else 0
    return Stream(values, np.zeros(len(values), dtype=np.int64) + days % 7 * 24, per_day)
