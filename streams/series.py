"""One watched series: it learns a reference, is held against it, and after an alarm learns again.

learning -> watching -> (alarm) -> relearning -> watching -> ...

After an alarm the reference stays, and a provisional one is learnt from what comes. If that sample
agrees with the reference, the series has returned. If not, it is watched against the provisional
one, so that a second change or a return is seen, and nothing alarms for ever.
"""

from collections.abc import Callable
from contextlib import suppress
from math import sqrt
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

import detectors
from detectors.reference import Reference
from schemas.series import Phase
from streams.blocks import Blocks

_LEAST_RELEARN_N = 60
_MAX_ARL = 1e12
_DAY_US = 86_400_000_000
_KS_1_PERCENT = 1.63  # Smirnov's two-sample statistic, alpha = 0.01


class Settings(Struct, frozen=True):
    """When a reference is complete, and which detectors vote."""

    observations: int
    max_us: int
    least_n: int = 50
    kinds: tuple[str, ...] = ("adwin", "page_hinkley")


class Change(Struct, frozen=True):
    """What happened to a series. `since_us` is the estimated start; means are in its own unit."""

    what: Literal["alarm", "changed", "returned"]
    again: bool  # whether the series was already away from its reference
    since_us: int
    before: float
    after: float
    reference_n: int
    current_n: int
    detector: str | None = None
    statistic: float | None = None
    threshold: float | None = None


class Series:
    """The state of one series; `streams.series_record` writes it down."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.phase: Phase = "learning"
        self.first_us: int | None = None
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

    def observe(
        self, value: float, uniform: float, at_us: int, grant: Callable[[float], float]
    ) -> Change | None:
        """Take one value; `grant` gives the average run length for a pace of observations a day."""
        if self.first_us is None:
            self.first_us = at_us
        score = None
        change = None
        if self.phase == "watching" and self.reference is not None:
            score = self.reference.score(value, uniform)
            self.blocks.add(value, at_us, score)
            return self._watch(score, at_us)
        self.blocks.add(value, at_us, score)
        self.sample.append(value)
        if self.phase == "learning":
            self._learn(at_us, grant)
        elif len(self.sample) >= self._relearn_n():
            change = self._relearnt()
        return change

    def accept(self) -> None:
        """What is now is the normal: the provisional reference becomes the reference."""
        if self.phase == "relearning":
            self.original = self.provisional = self.first_us = None
            self.phase = "learning"
        elif self.provisional is not None:
            self.original, self.provisional = self.provisional, None
            self._arm()
        elif self.original is not None:
            self.original, self.first_us = None, None
            self._start_sample("learning")

    def statistics(self) -> dict[str, float]:
        """Each detector's statistic over its threshold: 1 is an alarm."""
        return {kind: d.statistic / d.threshold for kind, d in self.detectors.items()}

    def _learn(self, at_us: int, grant: Callable[[float], float]) -> None:
        elapsed_us = at_us - (self.first_us or at_us)
        enough = len(self.sample) >= self._settings.observations
        long_enough = elapsed_us >= self._settings.max_us
        if not enough and not (long_enough and len(self.sample) >= self._settings.least_n):
            return
        if self.arl is None:
            self.arl = grant(len(self.sample) / (max(elapsed_us, 1_000_000) / _DAY_US))
        self.original = Reference(self.sample)
        self._watch_from_now()

    def _watch(self, score: float, at_us: int) -> Change | None:
        for kind, detector in self.detectors.items():
            if detector.run((score,)) is not None:
                return self._alarm(kind, detector, at_us)
        return None

    def _alarm(self, kind: str, detector: detectors.Detector, at_us: int) -> Change:
        assert self.reference is not None
        since = self.blocks.since(detector.changed_n)
        change = Change(
            what="alarm",
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

    def _relearnt(self) -> Change:
        assert self.original is not None
        again = self.provisional is not None
        fresh = Reference(self.sample)
        returned = agree(self.original, fresh)
        before = self.provisional or self.original
        self.provisional = None if returned else fresh
        self._watch_from_now()
        return Change(
            what="returned" if returned else "changed",
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
