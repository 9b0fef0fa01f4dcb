"""Detectors as votes on the readings of a series, each with its part of the series' share."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import detectors
from detectors.cat_sr import CategoryDetector
from detectors.votes import VOTES, VOTES_OF_WORDS
from streams.seen import Floats, Readings, Vote

MIXTURE = "cat_sr"
States = Mapping[str, detectors.State]


class Mixture(NamedTuple):
    """How often each cell occurred in a reference, and how much its values depend on each other."""

    counts: Sequence[int]
    variance_ratio: float = 1.0


class ScoreVote:
    """A detector on normal scores."""

    def __init__(self, detector: detectors.Detector) -> None:
        self._detector = detector
        self.threshold = detector.threshold
        self.state = detector.state

    def run(self, readings: Readings, days: Floats) -> int | None:
        """See streams.seen.Vote."""
        assert readings.scores is not None
        return self._detector.run(readings.scores, days)

    @property
    def statistic(self) -> float:
        """See streams.seen.Vote."""
        return self._detector.statistic

    @property
    def changed_n(self) -> int:
        """See streams.seen.Vote."""
        return self._detector.changed_n


class CellVote:
    """A detector on the cells of a mixture."""

    def __init__(self, detector: CategoryDetector) -> None:
        self._detector = detector
        self.threshold = detector.threshold
        self.state = detector.state

    def run(self, readings: Readings, days: Floats) -> int | None:
        """See streams.seen.Vote."""
        return self._detector.run(readings.cells, days)

    @property
    def statistic(self) -> float:
        """See streams.seen.Vote."""
        return self._detector.statistic

    @property
    def changed_n(self) -> int:
        """See streams.seen.Vote."""
        return self._detector.changed_n


def number_votes(
    promise: detectors.Promise, reference_n: int, mixture: Mixture, states: States
) -> dict[str, Vote]:
    """Of a series of numbers; a vote with a readable state goes on, the others begin anew."""
    votes: dict[str, Vote] = {}
    for kind, part in VOTES.items():
        if kind == MIXTURE:
            votes[kind] = _cell_vote(promise.part(part), mixture, states.get(kind))
        else:
            votes[kind] = _score_vote(kind, promise.part(part), reference_n, states.get(kind))
    return votes


def word_votes(promise: detectors.Promise, mixture: Mixture, states: States) -> dict[str, Vote]:
    """Of a series of words, or of yes and no."""
    return {
        kind: _cell_vote(promise.part(part), mixture, states.get(kind))
        for kind, part in VOTES_OF_WORDS.items()
    }


def _score_vote(
    kind: str, promise: detectors.Promise, reference_n: int, state: detectors.State | None
) -> ScoreVote:
    if state is not None:
        with suppress(detectors.StateUnreadable):
            return ScoreVote(detectors.restore(kind, promise, reference_n, state))
    return ScoreVote(detectors.make(kind, promise, reference_n))


def _cell_vote(
    promise: detectors.Promise, mixture: Mixture, state: detectors.State | None
) -> CellVote:
    days, counts, ratio = promise.days, mixture.counts, mixture.variance_ratio
    if state is not None:
        with suppress(detectors.StateUnreadable):
            return CellVote(CategoryDetector.restore(days, counts, state, ratio))
    return CellVote(CategoryDetector(days, counts, ratio))
