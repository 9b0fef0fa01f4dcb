"""What every detector promises, and the checks all of them share."""

from math import isfinite
from typing import Any, NamedTuple, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors._compiled import compiled

State: TypeAlias = dict[str, Any]
"""Numbers, strings, bytes and lists of them: fit for msgpack, and without any Python path."""

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

MIN_REFERENCE_N = 50
MIN_ARL = 1_000.0
"""The shortest run length that a detector of counts was measured at; a shorter one becomes this."""


class StateUnreadable(Exception):
    """A saved state of another format or another River: begin anew with `make`."""


class Promise(NamedTuple):
    """On average at least `days` between two false alarms, begun anew after each.

    `per_day` is the pace of observations that it was granted at. A detector that counts
    observations instead of days converts with it, and keeps its promise up to that pace.
    """

    days: float
    per_day: float

    @property
    def arl(self) -> float:
        """The average run length: observations between two false alarms, at that pace."""
        return self.days * self.per_day

    def part(self, part: float) -> "Promise":
        """What one of several detectors on the same series is allowed: their false alarms add up.

        >>> Promise(30, 1000).part(0.5)
        Promise(days=60.0, per_day=1000)
        """
        return Promise(self.days / part, self.per_day)


class Dependence(NamedTuple):
    """How far observations depend on those before: `ratio` as many are worth as much.

    `block_n` is the length of blocks whose means are as good as independent, 1 for independent
    observations; `effective_n` what a sample is worth. Not `promised`: the sample is too short to
    show how far the dependence reaches, or worth fewer than 50 independent observations. Such a
    series is watched, and nothing promised. `spread_ratio` is the ratio of the spread scores: a
    level that wanders need not have a spread that does. `detectors.dependence` measures it.
    """

    ratio: float
    block_n: int
    effective_n: float
    promised: bool
    spread_ratio: float = 1.0


IN_FULL: Floats = np.ones(0)
"""Each score shows all of a lasting shift."""
INDEPENDENT = Dependence(ratio=1.0, block_n=1, effective_n=float("inf"), promised=True)


class Detector(Protocol):
    """Watches one series of normal scores for a change against its frozen reference.

    `reference_n` is the number of values in the reference that the scores were made with; how well
    it is known decides how soon a small change can be believed. An alarm ends what was watched:
    the next score begins anew, against the reference. However scores are cut into calls, the
    result is the same to the bit.
    """

    def __init__(
        self, promise: Promise, reference_n: int, dependence: Dependence = INDEPENDENT
    ) -> None: ...

    def run(
        self, scores: Floats, days: Floats, shown: Floats = IN_FULL, drawn: Floats = IN_FULL
    ) -> int | None:
        """Feed scores in order. The index of the one that alarmed (none after it is read), or None.

        `days` has for each the time since the observation before it, never less than 0; `shown`
        what part of a lasting shift it shows, above 0 and at most 1 (`detectors.day_levels`);
        `drawn` what part of how far its square lies from one is believed
        (there too): who weighs scores alike passes over them. Raises ValueError when
        a number is not finite or a time negative; then nothing was read.
        """

    @property
    def statistic(self) -> float:
        """The evidence now, or that of the alarm just raised; an alarm means >= `threshold`."""

    @property
    def threshold(self) -> float:
        """What the evidence has to reach."""

    @property
    def changed_n(self) -> int:
        """After an alarm: how many observations ago the change began, as estimated. Else 0."""

    def state(self) -> State:
        """All there is to know; `restore` resumes from it bit for bit."""

    @classmethod
    def restore(
        cls,
        promise: Promise,
        reference_n: int,
        state: State,
        dependence: Dependence = INDEPENDENT,
    ) -> Self:
        """Resume; a new promise changes the threshold and keeps the evidence.

        Raises StateUnreadable when this code cannot read the state.
        """


def check_promise(promise: Promise) -> None:
    """Raise ValueError for a promise that is none."""
    if not all(isfinite(part) and part > 0 for part in promise):
        raise ValueError("a promise must be a finite, positive number of days and a day")


def check_settings(promise: Promise, reference_n: int) -> None:
    """Raise ValueError for a promise that is none or a reference that is too small."""
    check_promise(promise)
    if reference_n < MIN_REFERENCE_N:
        raise ValueError(f"reference_n must be at least {MIN_REFERENCE_N}")


def check_days(days: Floats, n: int) -> None:
    """Raise ValueError unless there are n times, none negative."""
    if len(days) != n:
        raise ValueError("each observation needs its time since the one before")
    if not _are_times(days):
        raise ValueError("a time since the observation before is negative or not finite")


def check_scores(scores: Floats, days: Floats) -> None:
    """Raise ValueError unless all are finite: one NaN would blind a detector for good."""
    check_days(days, len(scores))
    if not are_finite(scores):
        raise ValueError("a score is not finite")


@compiled
def _are_times(days: Floats) -> bool:
    for day in days:  # noqa: SIM110 - all() of a generator cannot be compiled
        if not 0 <= day < np.inf:
            return False
    return True


@compiled
def are_finite(scores: Floats) -> bool:
    """Whether no score is an infinity or NaN."""
    for score in scores:  # noqa: SIM110
        if not -np.inf < score < np.inf:
            return False
    return True
