"""Detectors as votes on the readings of a series, each with its part of the series' share."""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

import detectors
from detectors.cat_sr import CategoryDetector
from detectors.overdispersion import together
from detectors.votes import VOTES, VOTES_OF_WORDS
from streams.budget import AHEAD
from streams.series.seen import NO_COUNTS, Counts, Floats, Readings, States, Vote
from streams.series.vote_by_day import TOLD, ByDay, CellBasis, VoteByDay

MIXTURE = "cat_sr"


class ScoreVote:
    """A detector on normal scores."""

    def __init__(self, detector: detectors.Detector) -> None:
        self._detector = detector
        self.threshold = detector.threshold
        self.state = detector.state

    def run(self, readings: Readings, days: Floats) -> int | None:
        """See streams.series.seen.Vote."""
        assert readings.scores is not None
        return self._detector.run(readings.scores, days, readings.shown, readings.drawn)

    @property
    def statistic(self) -> float:
        """See streams.series.seen.Vote."""
        return self._detector.statistic

    @property
    def changed_n(self) -> int:
        """See streams.series.seen.Vote."""
        return self._detector.changed_n

    @property
    def counts(self) -> Counts:
        """See streams.series.seen.Vote."""
        return NO_COUNTS

    def learnt(self) -> detectors.State | None:
        """See streams.series.seen.Vote."""
        return None


class CellVote:
    """A detector on the cells of a mixture."""

    def __init__(self, detector: CategoryDetector) -> None:
        self._detector = detector
        self.threshold = detector.threshold
        self.state = detector.state

    def run(self, readings: Readings, days: Floats) -> int | None:
        """See streams.series.seen.Vote."""
        return self._detector.run(readings.cells, days, readings.weekdays)

    @property
    def statistic(self) -> float:
        """See streams.series.seen.Vote."""
        return self._detector.statistic

    @property
    def changed_n(self) -> int:
        """See streams.series.seen.Vote."""
        return self._detector.changed_n

    @property
    def counts(self) -> Counts:
        """See streams.series.seen.Vote."""
        return self._detector.counts

    def learnt(self) -> detectors.State | None:
        """What blocks of observations have told: see streams.series.seen.Vote."""
        self._detector.begin_anew()
        return self._detector.state()


class Basis(NamedTuple):
    """What the votes of a series know of its reference."""

    n: int
    cells: CellBasis
    dependence: detectors.Dependence = detectors.INDEPENDENT
    by_day: ByDay | None = None
    """Where the mixture of weekends is another one than that of weekdays."""


def number_votes(promise: detectors.Promise, basis: Basis, states: States) -> dict[str, Vote]:
    """Of a series of numbers; a vote with a readable state goes on, the others begin anew."""
    return _votes(VOTES, promise, basis, states)


def word_votes(promise: detectors.Promise, basis: Basis, states: States) -> dict[str, Vote]:
    """Of a series of words, or of yes and no."""
    return _votes(VOTES_OF_WORDS, promise, basis, states)


def _votes(
    parts: Mapping[str, float], promise: detectors.Promise, basis: Basis, states: States
) -> dict[str, Vote]:
    return {
        kind: _cell_vote(promise.part(part), basis, states.get(kind))
        if kind == MIXTURE
        else _score_vote(kind, promise.part(part), basis, states.get(kind))
        for kind, part in parts.items()
    }


def _score_vote(
    kind: str, promise: detectors.Promise, basis: Basis, state: detectors.State | None
) -> ScoreVote:
    n, dependence = basis.n, basis.dependence
    if state is not None:
        with suppress(detectors.StateUnreadable):
            return ScoreVote(detectors.restore(kind, promise, n, state, dependence))
    return ScoreVote(detectors.make(kind, promise, n, dependence))


def _cell_vote(promise: detectors.Promise, basis: Basis, state: detectors.State | None) -> Vote:
    days, per_day = promise.days, promise.per_day / AHEAD
    if basis.by_day is not None:
        weekdays, weekends = (one._replace(per_day=per_day) for one in basis.by_day)
        return VoteByDay.resume(days, (weekdays, weekends), state)
    cells = basis.cells._replace(per_day=per_day)
    if state is not None and TOLD in state:
        return CellVote(cells.knowing(together(state[TOLD])).detector(days))
    with suppress(detectors.StateUnreadable):
        return CellVote(cells.detector(days, state))
    return CellVote(cells.detector(days))
