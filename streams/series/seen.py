"""What the life of a series needs of its kind: numbers or words, a sample, a frozen reference."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

import detectors
from detectors import IN_FULL
from detectors.day_levels import DayLevels
from schemas.series import Note

SeriesKind = Literal["number", "yes_no", "word"]
SeriesId = tuple[str, str, str]
"""Site, model ("" for the studies themselves), subject."""
Floats: TypeAlias = NDArray[np.float64]
States: TypeAlias = Mapping[str, detectors.State]
"""Of votes, by their kind."""
NO_STATES: States = {}


class Seen(NamedTuple):
    """Consecutive observations of one series, as columns."""

    values: Floats | Sequence[str]
    uniforms: Floats
    """Place each value among its equals; of no use to words."""
    ats_us: NDArray[np.int64]
    weekhours: NDArray[np.uint8]

    @property
    def n(self) -> int:
        """How many."""
        return len(self.ats_us)

    @property
    def weekdays(self) -> NDArray[np.int64]:
        """The local day of the week of each."""
        return self.weekhours.astype(np.int64) // 24

    def part(self, start: int, stop: int | None = None) -> "Seen":
        """The observations from `start` to before `stop`."""
        cut = slice(start, stop)
        return Seen(self.values[cut], self.uniforms[cut], self.ats_us[cut], self.weekhours[cut])


class Readings(NamedTuple):
    """Observations held against a reference, ready for the votes."""

    scores: Floats | None
    """Normal scores; None for words."""
    cells: NDArray[np.int64]
    """Cells of the mixture."""
    weekhours: NDArray[np.int64]
    """The local hour of the week of each."""
    shown: Floats = IN_FULL
    """What part of a lasting shift each score shows: see detectors.Detector."""
    drawn: Floats = IN_FULL
    """What part of how far its square lies from one is believed: see detectors.Detector."""

    @property
    def weekdays(self) -> NDArray[np.int64]:
        """The local day of the week of each."""
        return self.weekhours // 24

    def part(self, start: int, stop: int) -> "Readings":
        """Those from `start` to before `stop`."""
        cut = slice(start, stop)
        return Readings(
            None if self.scores is None else self.scores[cut],
            self.cells[cut],
            self.weekhours[cut],
            self.shown[cut],
            self.drawn[cut],
        )


class Row:
    """Observations handed in at once, and what a reference makes of them."""

    def __init__(self, seen: Seen, days: Floats) -> None:
        self.seen = seen
        self.days = days
        """The time before each observation."""
        self._against: tuple[Frozen, int, Readings] | None = None

    def against(self, reference: "Frozen", start: int) -> tuple[Readings, int]:
        """Readings from `start` on, made once for all of them; and where they begin."""
        if self._against is None or self._against[0] is not reference:
            self._against = reference, start, reference.readings(self.seen.part(start))
        _, first, readings = self._against
        return readings, first


Counts = tuple[Sequence[int], Sequence[int]]
"""How often each cell of a mixture came in the reference, and since a change."""
NO_COUNTS: Counts = ((), ())


class Moved(Struct, frozen=True):
    """The word whose share moved most, and its share before and since."""

    word: str | None
    """None for words that the reference did not have, or had so seldom that it does not tell."""
    before: float
    after: float


class Sample(Protocol):
    """What a reference is learnt from."""

    @property
    def n(self) -> int:
        """How many observations."""

    @property
    def is_of_names(self) -> bool:
        """Whether it has more different words than a category has."""

    def take(self, seen: Seen) -> int:
        """Let it grow; how many it took, fewer only if the last one was a word too many."""

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """The values as they are drawn."""

    def freeze(self, *, of_usual_days: bool = False, notes: Sequence[Note] = ()) -> "Frozen":
        """The reference that it makes, or that its usual kind of day does: streams/series/week.py.

        `notes` are what is known of it already.
        """


class Frozen(Protocol):
    """A reference, and how observations are held against it."""

    @property
    def n(self) -> int:
        """How many observations it rests on."""

    @property
    def mean(self) -> float:
        """Their mean, in the unit in which the series is drawn."""

    @property
    def ratio(self) -> float:
        """So many times as many observations say as much as independent ones would."""

    def moved(self, counts: Counts) -> Moved | None:
        """What moved most if cells came so often; None for what has no words, or did not come."""

    def moved_in(self, sample: "Sample") -> Moved | None:
        """The same of a sample."""

    def mean_of(self, sample: Sample) -> float:
        """The mean of a sample in the same unit."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be known before it is trusted."""

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """The values as they are drawn."""

    def unseen(self, values: Floats | Sequence[str]) -> list[int]:
        """The places of the words that the reference does not have."""

    def readings(self, seen: Seen) -> Readings:
        """Scores and cells of observations."""

    def arm(
        self,
        promise: detectors.Promise,
        states: Mapping[str, detectors.State],
        levels: DayLevels | None = None,
    ) -> "dict[str, Vote]":
        """The votes, each with its part of the promise; those with a readable state go on.

        Days that have levels of their own make a reference of numbers worth less.
        """

    def levels(self, known: DayLevels | None) -> DayLevels | None:
        """What is known of the levels of days when it comes into force; None for words."""

    def levelled(self, readings: Readings, levels: DayLevels | None) -> Readings:
        """The next ones without the levels of days, of which they tell in turn."""

    def tell(self, sample: "Sample", levels: DayLevels | None, *, again: bool) -> None:
        """What came while it was not watched, and has not changed, tells of the days as well.

        `again`: the day before was held against another reference.
        """

    def agrees(
        self, fresh: "Sample", levels: DayLevels | None = None, states: States = NO_STATES
    ) -> bool:
        """Whether a fresh sample shows no difference beyond what days have of their own.

        Numbers know those by `levels`, words by what blocks have told in `states` of the votes.
        """

    def apart(self, fresh: "Sample") -> float:
        """How far a fresh sample's distribution is from its own: 0 to 1."""

    def to_bytes(self) -> bytes:
        """What its kind restores it from."""


class Vote(Protocol):
    """A detector on the readings that it takes."""

    def run(self, readings: Readings, days: Floats) -> int | None:
        """Feed it readings and the time before each; which of them alarmed, from 0."""

    @property
    def statistic(self) -> float:
        """The evidence now, or that of the alarm just raised."""

    @property
    def threshold(self) -> float:
        """What the evidence has to reach."""

    @property
    def changed_n(self) -> int:
        """After an alarm: how many observations ago the change began, as estimated."""

    @property
    def counts(self) -> Counts:
        """Right after an alarm of a mixture, of the days that alarmed. Else none."""

    def learnt(self) -> detectors.State | None:
        """What of it outlasts an alarm of any vote; None if nothing does. It begins anew."""

    def state(self) -> detectors.State:
        """All there is to know."""
