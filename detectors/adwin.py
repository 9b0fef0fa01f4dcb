"""River's ADWIN on normal scores: a window that grows as long as all its parts agree.

It is fed 10 z with delta = 300 / ARL: at that scale its variance term rules, and delta is close to
proportional to the false-alarm rate. 300 keeps the promise for every ARL and reference accepted
here (measured, docs/DETECTION.md). The window begins with a stand-in for the reference, so a change
right after the freeze is compared with what came before.

ADWIN measures the variance of single values, which says too little of their means where values
depend on each other: there it raised up to three times what it promised, block means of 32 included
(references of 500). So it abstains there, and its part of the series' promise lapses.

It counts observations, not days: its promise is kept up to the pace that it was granted at.

Every 8 observations all cuts are looked at. The evidence is that of the strongest one: the
difference of the means over what it may be by chance.
"""

from functools import lru_cache
from math import sqrt
from statistics import NormalDist
from typing import Self

from river.__version__ import __version__ as _RIVER
from river._river_rust.drift import AdaptiveWindowing  # river.drift: all of scipy.stats, a second

from detectors import _river_window
from detectors._contract import (
    IN_FULL,
    INDEPENDENT,
    MIN_ARL,
    Dependence,
    Floats,
    Promise,
    State,
    StateUnreadable,
    check_scores,
    check_settings,
)
from detectors._river_window import Cut

_FORMAT = 1
_SCALE = 10.0
_DELTA_ARL = 300.0
_CHECK_EVERY = 8
_UNSET_DELTA = 0.002  # what River takes by itself: every window has ours set before it is asked
_GOLDEN_SHARE = (sqrt(5) - 1) / 2


class Detector:
    """ADWIN with the reference as the oldest part of its window."""

    threshold = 1.0
    _adwin: AdaptiveWindowing
    _unchecked: int

    def __init__(
        self, promise: Promise, reference_n: int, dependence: Dependence = INDEPENDENT
    ) -> None:
        check_settings(promise, reference_n)
        self._abstains = dependence.ratio > 1
        self._delta = _DELTA_ARL / max(promise.arl, MIN_ARL)
        self._reference_n = reference_n
        self._found: Cut | None = None
        self._resume(_reference_window(reference_n))

    def run(
        self, scores: Floats, days: Floats, shown: Floats = IN_FULL, drawn: Floats = IN_FULL
    ) -> int | None:
        """See detectors.Detector."""
        check_scores(scores, days)
        if not len(scores):
            return None
        self._found = None
        if self._abstains:
            return None
        unchecked = self._unchecked + len(scores)
        before = self._window() if unchecked >= _CHECK_EVERY else b""
        update = self._adwin.update
        scaled = (_SCALE * scores).tolist()
        for index, value in enumerate(scaled):
            if update(value):
                self._found = self._cut_found(before, scaled[: index + 1])
                self._resume(_reference_window(self._reference_n))
                return index
        self._unchecked = unchecked % _CHECK_EVERY
        return None

    @property
    def statistic(self) -> float:
        """The evidence of the strongest cut; 1 is what ADWIN allows to chance."""
        return (self._found or _river_window.strongest_cut(self._window())).ratio

    @property
    def changed_n(self) -> int:
        """The observations after the strongest cut, those of the reference left out."""
        return self._found.newer_n if self._found else 0

    def state(self) -> State:
        """River's own bytes of the window, with the version that wrote them."""
        return {
            "format": _FORMAT,
            "river": _RIVER,
            "window": self._window(),
            "found": list(self._found) if self._found else None,
        }

    @classmethod
    def restore(
        cls,
        promise: Promise,
        reference_n: int,
        state: State,
        dependence: Dependence = INDEPENDENT,
    ) -> Self:
        """See detectors.Detector. Only the River that wrote a window is trusted to read it."""
        if (state.get("format"), state.get("river")) != (_FORMAT, _RIVER):
            raise StateUnreadable("written by another version")
        if not _river_window.is_window(state["window"]):
            raise StateUnreadable("not a window")
        detector = cls(promise, reference_n, dependence)
        detector._resume(state["window"])
        detector._found = Cut(*state["found"]) if state["found"] else None
        return detector

    def _window(self) -> bytes:
        window: bytes = self._adwin.__getstate__()
        return window

    def _resume(self, window: bytes) -> None:
        self._unchecked = _river_window.values_read(window) % _CHECK_EVERY
        self._adwin = _adwin(_river_window.with_settings(window, self._delta, _CHECK_EVERY))

    def _cut_found(self, before: bytes, scaled: list[float]) -> Cut:
        """The strongest cut of the window as it was when River found one and shortened it."""
        unchecked = _adwin(_river_window.with_settings(before, self._delta, _river_window.NEVER))
        for value in scaled:
            unchecked.update(value)
        window = unchecked.__getstate__()
        ratio, newer_n = _river_window.strongest_cut(window)
        return Cut(ratio, min(newer_n, int(unchecked.get_width()) - self._reference_n))


def _adwin(window: bytes | None = None) -> AdaptiveWindowing:
    adwin = AdaptiveWindowing(
        delta=_UNSET_DELTA,
        clock=_river_window.NEVER,
        max_buckets=_river_window.MAX_BUCKETS,
        min_window_length=_river_window.MIN_PART,
        grace_period=_river_window.GRACE,
    )
    if window is not None:
        adwin.__setstate__(window)
    return adwin


@lru_cache(maxsize=256)
def _reference_window(n: int) -> bytes:
    """A window of n values that stand for the scores of the reference against itself.

    Normal quantiles at multiples of the golden ratio: every stretch of them is spread evenly, so
    the reference has the right mean and variance and no cut within it looks like a change.
    """
    quantile = NormalDist().inv_cdf
    adwin = _adwin()
    for i in range(n):
        adwin.update(_SCALE * quantile((0.5 + i * _GOLDEN_SHARE) % 1))
    window: bytes = adwin.__getstate__()
    return window
