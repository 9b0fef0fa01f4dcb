"""One watched series: it learns a reference, is held against it, and after an alarm learns again.

learning -> watching -> (alarm) -> relearning -> watching -> ...

After an alarm the reference stays, and a provisional one is learnt from what comes. If that sample
agrees with the reference, the series has returned. If not, it is watched against the provisional
one, so that a second change or a return is seen, and nothing alarms for ever.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from math import sqrt
from typing import Any, Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

import detectors
from detectors.reference import Reference
from schemas.series import Phase
from streams.blocks import BLOCK_N, Block, Blocks

_LEAST_RELEARN_N = 60
_MAX_ARL = 1e12
_SECOND_US = 1_000_000
_DAY_US = 86_400_000_000
_KS_1_PERCENT = 1.63  # Smirnov's two-sample statistic, alpha = 0.01


class Settings(Struct, frozen=True):
    """When a reference is complete, and which detectors vote."""

    observations: int
    max_us: int
    least_n: int = 50
    kinds: tuple[str, ...] = ("adwin", "page_hinkley")


class Pace(Struct, omit_defaults=True):
    """How long a sample has been growing, by its stamps; one wild stamp must not decide it."""

    first_us: int | None = None
    newest_us: int = 0

    def see(self, at_us: int, gap_max_us: int) -> int:
        """The elapsed time with one more observation; a gap longer than allowed does not count."""
        if self.first_us is None:
            self.first_us = self.newest_us = at_us
        if at_us - self.newest_us > gap_max_us:
            self.first_us += at_us - self.newest_us
        self.newest_us = max(self.newest_us, at_us)
        return self.elapsed_us

    @property
    def elapsed_us(self) -> int:
        """From the first observation to the newest."""
        return self.newest_us - (self.first_us or 0)


class Change(Struct, frozen=True):
    """What happened to a series. `since_us` is the estimated start; means are in its own unit."""

    what: Literal["alarm", "changed", "returned"]
    at_us: int
    again: bool  # whether the series was already away from its reference
    since_us: int
    before: float
    after: float
    reference_n: int
    current_n: int
    detector: str | None = None
    statistic: float | None = None
    threshold: float | None = None


class Seen(NamedTuple):
    """Consecutive observations of one series; `uniforms` place a value among its equals."""

    values: list[float]
    uniforms: list[float]
    ats_us: list[int]

    def part(self, start: int, stop: int) -> "Seen":
        """The observations from `start` to before `stop`."""
        return Seen(self.values[start:stop], self.uniforms[start:stop], self.ats_us[start:stop])


class Series:
    """The state of one series; `streams.series_record` writes it down."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.phase: Phase = "learning"
        self.pace = Pace()
        self.sample: list[float] = []
        self.sample_generation = 0
        self.original: Reference | None = None
        self.provisional: Reference | None = None
        self.arl: float | None = None
        self.detectors: dict[str, detectors.Detector] = {}
        self.changed_us = 0
        self.blocks = Blocks()

    @property
    def reference(self) -> Reference | None:
        """What the series is held against now."""
        return self.provisional or self.original

    def observe(self, seen: Seen, grant: Callable[[float], float]) -> Iterator[Change | Block]:
        """Take values in order; what happened, and the blocks that they filled.

        `grant` gives the average run length for a pace of observations a day. However the values
        are cut into calls, the result is the same.
        """
        start = 0
        while start < len(seen.values):
            part = seen.part(start, start + self.blocks.room)
            taken, change = (
                self._watch(part) if self.phase == "watching" else self._collect(part, grant)
            )
            start += taken
            if change is not None:
                yield change
            if self.blocks.room == BLOCK_N:
                yield self.blocks.full[-1]

    def may_freeze(self, queued: Seen) -> bool:
        """Whether its reference may be complete with what is queued; if not, it is not."""
        if self.phase != "learning":
            return False
        if len(self.sample) + len(queued.values) >= self._settings.observations:
            return True
        first_us = self.pace.first_us
        since_us = queued.ats_us[0] if first_us is None else first_us
        return queued.ats_us[-1] - since_us >= self._settings.max_us

    def accept(self) -> None:
        """What is now is the normal: the provisional reference becomes the reference."""
        if self.phase == "relearning":
            self.original = self.provisional = None
            self.pace = Pace()
            self.phase = "learning"
        elif self.provisional is not None:
            self.original, self.provisional = self.provisional, None
            self._arm()
        elif self.original is not None:
            self.original, self.pace = None, Pace()
            self._start_sample("learning")

    def statistics(self) -> dict[str, float]:
        """Each detector's statistic over its threshold: 1 is an alarm."""
        return {kind: d.statistic / d.threshold for kind, d in self.detectors.items()}

    def _collect(self, part: Seen, grant: Callable[[float], float]) -> tuple[int, Change | None]:
        """Let the sample grow up to where it is complete."""
        if self.phase == "learning":
            taken = self._learn(part, grant)
            return taken, None
        missing_n = self._relearn_n() - len(self.sample)
        part = part.part(0, max(missing_n, 1))
        self.sample += part.values
        self.blocks.extend(part.values, part.ats_us)
        complete = len(self.sample) >= self._relearn_n()
        return len(part.values), self._relearnt(part.ats_us[-1]) if complete else None

    def _learn(self, part: Seen, grant: Callable[[float], float]) -> int:
        n = len(self.sample)
        complete_at = (
            taken
            for taken, at_us in enumerate(part.ats_us, start=1)
            if self._is_complete(n + taken, self.pace.see(at_us, self._settings.max_us))
        )
        taken = next(complete_at, None)
        part = part.part(0, taken or len(part.values))
        self.sample += part.values
        self.blocks.extend(part.values, part.ats_us)
        if taken is not None:
            self._freeze(grant)
        return len(part.values)

    def _is_complete(self, n: int, elapsed_us: int) -> bool:
        if n >= self._settings.observations:
            return True
        return elapsed_us >= self._settings.max_us and n >= self._settings.least_n

    def _freeze(self, grant: Callable[[float], float]) -> None:
        if self.arl is None:
            elapsed_us = max(self.pace.elapsed_us, _SECOND_US)
            self.arl = grant(len(self.sample) / (elapsed_us / _DAY_US))
        self.original = Reference(self.sample)
        self._watch_from_now()

    def _watch(self, part: Seen) -> tuple[int, Change | None]:
        """Feed the votes up to the first alarm of any."""
        assert self.reference is not None
        scores = self.reference.scores(part.values, part.uniforms)
        alarms = [
            (index, kind)
            for kind, detector in self.detectors.items()
            if (index := detector.run(scores)) is not None
        ]
        if not alarms:
            self.blocks.extend(part.values, part.ats_us, scores)
            return len(scores), None
        first = min(index for index, _ in alarms)
        kind = next(kind for index, kind in alarms if index == first)
        taken = first + 1
        self.blocks.extend(part.values[:taken], part.ats_us[:taken], scores[:taken])
        return taken, self._alarm(kind, self.detectors[kind], part.ats_us[first])

    def _alarm(self, kind: str, detector: detectors.Detector, at_us: int) -> Change:
        assert self.reference is not None
        since = self.blocks.since(detector.changed_n)
        change = Change(
            what="alarm",
            at_us=at_us,
            again=self.provisional is not None,
            since_us=min(since.at_us, at_us),
            before=self.reference.mean,
            after=since.mean,
            reference_n=self.reference.n,
            current_n=since.n,
            detector=kind,
            statistic=detector.statistic,
            threshold=detector.threshold,
        )
        self.changed_us = change.since_us
        self._start_sample("relearning")
        return change

    def _relearn_n(self) -> int:
        assert self.original is not None
        return max(_LEAST_RELEARN_N, self.original.n // 2)

    def _relearnt(self, at_us: int) -> Change:
        assert self.original is not None
        again = self.provisional is not None
        fresh = Reference(self.sample)
        returned = agree(self.original, fresh)
        before = self.provisional or self.original
        self.provisional = None if returned else fresh
        self._watch_from_now()
        return Change(
            what="returned" if returned else "changed",
            at_us=at_us,
            again=again,
            since_us=self.changed_us,
            before=before.mean,
            after=fresh.mean,
            reference_n=before.n,
            current_n=fresh.n,
        )

    def _start_sample(self, phase: Phase) -> None:
        self.phase = phase
        self.sample = []
        self.sample_generation += 1
        self.detectors = {}

    def _watch_from_now(self) -> None:
        self._start_sample("watching")
        self._arm()

    def _arm(self) -> None:
        assert self.reference is not None
        self.detectors = {
            kind: detectors.make(kind, self._vote_arl, self.reference.n)
            for kind in self._settings.kinds
        }

    @property
    def _vote_arl(self) -> float:
        """Each detector's average run length: it has its part of the series' share.

        Kept within what the detectors were measured for; that can only make alarms rarer, but
        for series of more than 1e12 observations to a false alarm.
        """
        assert self.arl is not None
        arl = self.arl * len(self._settings.kinds)
        return min(max(arl, detectors.MIN_ARL), _MAX_ARL)

    def resume(self, states: dict[str, dict[str, Any]]) -> None:
        """Take up the detectors of a checkpoint; one that cannot be read begins anew."""
        if self.phase != "watching":
            return
        self._arm()
        assert self.reference is not None
        for kind, state in states.items():
            if kind not in self.detectors:
                continue
            with suppress(detectors.StateUnreadable):
                restored = detectors.restore(kind, self._vote_arl, self.reference.n, state)
                self.detectors[kind] = restored


def agree(reference: Reference, fresh: Reference) -> bool:
    """Whether two samples show no difference (two-sample Kolmogorov-Smirnov at 1 %).

    Ties make the test say "agree" too readily by a little; they are compared mid-step to mid-step.
    """
    old, new = reference.values, fresh.values
    grid = np.union1d(old, new)
    gap = _cumulative(old, grid) - _cumulative(new, grid)
    return float(np.abs(gap).max()) <= _KS_1_PERCENT * sqrt(1 / len(old) + 1 / len(new))


def _cumulative(values: NDArray[Any], grid: NDArray[Any]) -> NDArray[Any]:
    return np.searchsorted(values, grid, side="right") / len(values)
