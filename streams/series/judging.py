"""Observations held against a reference, up to the first alarm, and drawn."""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from detectors import State, StateUnreadable
from detectors.day_levels import DayLevels
from streams.series.blocks import Blocks
from streams.series.seen import Floats, Frozen, Readings, Row, Vote

_LEVELS = "day_levels"


class Judges(NamedTuple):
    """Votes, which are given scores without the levels of days; words have none.

    No votes: on days that the reference does not know nothing is judged.
    """

    votes: Mapping[str, Vote]
    levels: DayLevels | None


def judge(
    judges: Judges, reference: Frozen, row: Row, cut: tuple[int, int], blocks: Blocks
) -> tuple[int, str | None]:
    """Those from where to before where; how many were taken, and which vote alarmed."""
    (start, stop), kind, scores = cut, None, None
    if judges.votes:
        readings, first = row.against(reference, start)
        part = readings.part(start - first, stop - first)
        taken, kind = _first_alarm(judges, reference, part, row.days[start:stop])
        stop, scores = start + taken, part.scores
    seen = row.seen.part(start, stop)
    drawn = [] if scores is None else scores[: seen.n].tolist()
    images, ats_us = reference.images(seen.values), seen.ats_us.tolist()
    blocks.extend(images, ats_us, drawn, judged=bool(judges.votes))
    return seen.n, kind


def written_states(
    votes: Mapping[str, Vote], learnt: Mapping[str, State], levels: DayLevels | None
) -> dict[str, State]:
    """Those of the votes, or what outlasts their alarm; and of the levels of days."""
    states = {kind: vote.state() for kind, vote in votes.items()} or {**learnt}
    return states if levels is None else {**states, _LEVELS: levels.state()}


def read_states(
    states: Mapping[str, State], reference: Frozen | None
) -> tuple[DayLevels | None, dict[str, State]]:
    """The levels of days, and the states of votes. Once the former were not written."""
    of_votes = {**states}
    written = of_votes.pop(_LEVELS, None)
    if written is not None:
        with suppress(StateUnreadable):
            return DayLevels.restore(written), of_votes
    return None if reference is None else reference.levels(None), of_votes


def _first_alarm(
    judges: Judges, reference: Frozen, part: Readings, days: Floats
) -> tuple[int, str | None]:
    """How many were taken up to the first alarm of any vote, and whose it is.

    None is fed what comes after the alarm of one before it: what the last ones learn outlasts
    the alarm, and would depend on how observations are cut.
    """
    votes, levels = judges
    before = levels and levels.copy()
    taken, opened = _first_of(votes, reference.levelled(part, levels), days)
    if levels and before and taken < len(days):
        reference.levelled(part.part(0, taken), before)
        levels.go_back_to(before)
    return taken, opened


def _first_of(votes: Mapping[str, Vote], part: Readings, days: Floats) -> tuple[int, str | None]:
    taken, opened = len(days), None
    for kind, vote in votes.items():
        index = vote.run(part, days)
        if index is not None and (opened is None or index + 1 < taken):
            taken, opened = index + 1, kind
            part, days = part.part(0, taken), days[:taken]
    return taken, opened
