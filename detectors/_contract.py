"""What every score detector promises, and the checks all of them share."""

from collections.abc import Sequence
from math import isfinite
from typing import Any, Protocol, Self, TypeAlias

State: TypeAlias = dict[str, Any]
"""Numbers, strings, bytes and lists of them: fit for msgpack, and without any Python path."""

MIN_ARL = 1_000.0
MIN_REFERENCE_N = 50


class StateUnreadable(Exception):
    """A saved state of another format or another River: begin anew with `make`."""


class Detector(Protocol):
    """Watches one series of normal scores for a shift against its frozen reference.

    `arl` is the promise: on average at least so many in-control observations between two false
    alarms, begun anew after each. `reference_n` is the number of values in the reference that the
    scores were made with; how well it is known decides how soon a small shift can be believed.
    An alarm ends what was watched: the next score begins anew, against the reference.
    """

    def __init__(self, arl: float, reference_n: int) -> None: ...

    def run(self, scores: Sequence[float]) -> int | None:
        """Feed scores in order. The index of the one that alarmed (none after it is read), or None.

        Raises ValueError when a score is not finite; then none of them was read.
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
    def restore(cls, arl: float, reference_n: int, state: State) -> Self:
        """Resume; a new `arl` changes the threshold and keeps the evidence.

        Raises StateUnreadable when this code cannot read the state.
        """


def check_settings(arl: float, reference_n: int) -> None:
    """Raise ValueError for a promise or a reference outside what was measured to hold."""
    if not (isfinite(arl) and arl >= MIN_ARL):
        raise ValueError(f"arl must be a finite number of at least {MIN_ARL:g}")
    if reference_n < MIN_REFERENCE_N:
        raise ValueError(f"reference_n must be at least {MIN_REFERENCE_N}")


def check_finite(scores: Sequence[float]) -> None:
    """Raise ValueError unless all scores are finite: one NaN would blind a detector for good."""
    if not isfinite(sum(scores)):
        raise ValueError("a score is not finite")
