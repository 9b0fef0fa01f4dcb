"""Observations of one series in few words: a value a minute, and what they brought about."""

from collections.abc import Sequence
from random import Random

import numpy as np

from streams.series.change import Change, NewWord
from streams.series.learning import Settings
from streams.series.number import NumberSample
from streams.series.seen import Seen, SeriesKind
from streams.series.watched import Happening, Series
from streams.series.word import WordSample, YesNoSample

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
SHORT = Settings(observations=100, max_us=60 * DAY_US)
DAYS = 60.0
SAMPLES = {"number": NumberSample, "yes_no": YesNoSample, "word": WordSample}
Values = Sequence[float] | Sequence[str]


def seen(values: Values, start: int = 0, every_us: int = MINUTE_US) -> Seen:
    """So many observations after the first `start`, in the same steps; draws by their place."""
    places = np.arange(start, start + len(values))
    columns = list(values) if values and isinstance(values[0], str) else np.array(values, float)
    return Seen(
        columns,
        (places * 0.6180339887 + 0.37) % 1,
        places * every_us,
        (places * every_us // (60 * MINUTE_US) % 168).astype(np.uint8),
    )


def told_alike(
    using: Settings, kind: SeriesKind, row: Seen, cuts: Sequence[int]
) -> list[Happening]:
    """What a series tells of a row, at once and cut into such sizes: the same."""
    whole, cut = Series(using, SAMPLES[kind]), Series(using, SAMPLES[kind])
    at_once = list(whole.observe(row, lambda _: DAYS))
    in_parts, start = [], 0
    for size in [*cuts, row.n]:
        if start < row.n:
            in_parts += cut.observe(row.part(start, start + size), lambda _: DAYS)
        start += size
    assert at_once == in_parts
    assert whole.states() == cut.states()
    return at_once


class Fed:
    """A series that is fed a value a minute; noise of one around a level, or words."""

    def __init__(self, using: Settings = SHORT, seed: int = 1, kind: SeriesKind = "number") -> None:
        self.series = Series(using, SAMPLES[kind])
        self.random = Random(seed)
        self.n = 0
        self.grants: list[bool] = []
        self.said: list[Happening] = []

    def feed(self, values: Values, every_us: int = MINUTE_US) -> list[Change]:
        """The changes that these values brought about."""
        said = list(self.series.observe(seen(values, self.n, every_us), self.grant))
        self.n += len(values)
        self.said += said
        return [what for what in said if isinstance(what, Change)]

    def around(self, level: float, n: int) -> list[Change]:
        """Noise of one around a level."""
        return self.feed([self.random.gauss(level, 1.0) for _ in range(n)])

    def words(self, weights: dict[str, float], n: int) -> list[Change]:
        """Words of a mixture."""
        return self.feed(self.random.choices([*weights], [*weights.values()], k=n))

    def news(self) -> list[NewWord]:
        """What was told of words never seen before."""
        return [what for what in self.said if isinstance(what, NewWord)]

    def grant(self, promised: bool) -> float:
        """Days for its share."""
        self.grants.append(promised)
        return DAYS
