"""Observations held against a reference, up to the first alarm, and drawn."""

from collections.abc import Mapping

from streams.blocks import Blocks
from streams.seen import Floats, Frozen, Readings, Row, Vote


def judge(
    votes: Mapping[str, Vote], reference: Frozen, row: Row, cut: tuple[int, int], blocks: Blocks
) -> tuple[int, str | None]:
    """Those from where to before where; how many were taken, and which vote alarmed.

    No votes: on days that the reference does not know nothing is judged.
    """
    (start, stop), kind, scores = cut, None, None
    if votes:
        readings, first = row.against(reference, start)
        part = readings.part(start - first, stop - first)
        taken, kind = _first_alarm(votes, part, row.days[start:stop])
        stop, scores = start + taken, part.scores
    seen = row.seen.part(start, stop)
    drawn = [] if scores is None else scores[: seen.n].tolist()
    images, ats_us = reference.images(seen.values), seen.ats_us.tolist()
    blocks.extend(images, ats_us, drawn, judged=bool(votes))
    return seen.n, kind


def _first_alarm(votes: Mapping[str, Vote], part: Readings, days: Floats) -> tuple[int, str | None]:
    """How many were taken up to the first alarm of any vote, and whose it is.

    None is fed what comes after the alarm of one before it: what the last ones learn outlasts
    the alarm, and would depend on how observations are cut.
    """
    taken, opened = len(days), None
    for kind, vote in votes.items():
        index = vote.run(part, days)
        if index is not None and (opened is None or index + 1 < taken):
            taken, opened = index + 1, kind
            part, days = part.part(0, taken), days[:taken]
    return taken, opened
