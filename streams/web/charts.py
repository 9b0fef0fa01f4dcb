"""Charts as geometry: everything in per cent of the plot, so that a template only draws. Pure.

Lines are in a viewBox of 1000 x 100 that is stretched; texts and marks stand beside it in per cent
and keep their size. Nothing here is coloured: classes are, in the style sheet.
"""

from collections.abc import Sequence
from math import isfinite, log10
from typing import NamedTuple

from streams.web.view_outcomes import Counts
from streams.web.view_series import Point
from streams.web.words import Clockface, count, number

_FAINT = -6.5  # evidence weaker than this, in powers of ten, is drawn as this


class Mark(NamedTuple):
    """A moment, from the left in per cent, and what it was."""

    x: float
    kind: str
    text: str


class Tick(NamedTuple):
    """A place on an axis in per cent, and its label."""

    at: float
    text: str


class Bar(NamedTuple):
    """A stacked part of an interval: left, top, width and height in per cent."""

    kind: str
    x: float
    y: float
    w: float
    h: float


class Chart(NamedTuple):
    """What is drawn; `summary` says it in a sentence, `rows` as a table under `head`."""

    summary: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    path: str = ""
    area: str = ""
    band: tuple[float, float] | None = None
    threshold: float | None = None
    bars: Sequence[Bar] = ()
    marks: Sequence[Mark] = ()
    unjudged: float | None = None


class Scale:
    """A linear scale onto 0..100 from the left, or from the top if it is turned."""

    def __init__(self, low: float, high: float, *, down: bool = False) -> None:
        self.low, self.high = (low, high) if high > low else (low - 0.5, low + 0.5)
        self._down = down

    def __call__(self, value: float) -> float:
        """The place in per cent, inside the plot."""
        share = (value - self.low) / (self.high - self.low)
        share = min(1.0, max(0.0, share))
        return round(100 * (1 - share if self._down else share), 2)


def outage_chart(
    counts: Sequence[Counts],
    step_us: int,
    from_us: int,
    marks: Sequence[tuple[int, str, str]],
    clock: Clockface,
    site: str,
    proved_us: int | None = None,
) -> Chart | None:
    """Results per interval by what became of them; None where there were none.

    What is later than `proved_us` is not judged yet, and shown so.
    """
    if not any(one.due for one in counts):
        return None
    start_us = from_us // step_us * step_us
    until_us = start_us + len(counts) * step_us
    x, most = Scale(start_us, until_us), max(one.due for one in counts)
    y = Scale(0, most, down=True)
    bars = []
    for index, one in enumerate(counts):
        left = x(start_us + index * step_us)
        width, floor = max(0.3, 100 / len(counts) - 0.15), 0
        for kind, n in (
            ("ok", one.on_time),
            ("late", one.late),
            ("failed", one.failed),
            ("missing", one.missing),
        ):
            if n:
                top = y(floor + n)
                bars.append(Bar(kind, left, top, round(width, 2), round(y(floor) - top, 2)))
                floor += n
    total = Counts(*(sum(n) for n in zip(*counts, strict=True)))
    due = count(total.due, "result was", "results were")
    return Chart(
        summary=(
            f"{due} due: {total.on_time:,} came on time, {total.late:,} late, "
            f"{total.failed:,} failed, {total.missing:,} did not come."
        ),
        x_ticks=time_ticks(start_us, until_us, clock, site),
        y_ticks=[Tick(y(value), f"{value:,}") for value in sorted({0, most // 2, most})],
        head=("from", "due", "on time", "late", "failed", "missing"),
        rows=[
            (
                clock.at(start_us + index * step_us, site).text,
                *(f"{n:,}" for n in (one.due, one.on_time, one.late, one.failed, one.missing)),
            )
            for index, one in enumerate(counts)
            if one.due
        ],
        bars=bars,
        unjudged=x(proved_us) if proved_us is not None and proved_us < until_us else None,
        marks=_marks(marks, x),
    )


def series_chart(
    points: Sequence[Point],
    before: float | None,
    after: float | None,
    since_us: int | None,
    marks: Sequence[tuple[int, str, str]],
    clock: Clockface,
    site: str,
) -> Chart | None:
    """Block means, with the band that held 9 of 10 of them before the change; None if too few."""
    if len(points) < 2:
        return None
    normal = [p.mean for p in points if since_us is None or p.at_us <= since_us]
    band = _band(normal)
    shown = [p.mean for p in points] + [v for v in (*(band or ()), before, after) if v is not None]
    margin = (max(shown) - min(shown)) * 0.08
    x = Scale(points[0].since_us, points[-1].at_us)
    y = Scale(min(shown) - margin, max(shown) + margin, down=True)
    ticks = _round_ticks(y.low, y.high)
    return Chart(
        summary=_told(points, band),
        x_ticks=time_ticks(points[0].since_us, points[-1].at_us, clock, site),
        y_ticks=[Tick(y(value), number(value)) for value in ticks],
        head=("until", "n", "mean", "least", "greatest"),
        rows=[
            (
                clock.at(p.at_us, site).text,
                f"{p.n:,}",
                number(p.mean),
                number(p.low),
                number(p.high),
            )
            for p in points
        ],
        path=_path([(x(p.at_us), y(p.mean)) for p in points]),
        band=None if band is None else (y(band[1]), round(y(band[0]) - y(band[1]), 2)),
        marks=_marks(marks, x),
    )


def evidence_chart(
    points: Sequence[Point],
    marks: Sequence[tuple[int, str, str]],
    clock: Clockface,
    site: str,
    crossed_us: int,
) -> Chart | None:
    """The strongest statistic over its threshold, by its magnitude; it was 1 at `crossed_us`.

    A block is told when it is full, and evidence begins anew after the alarm: it shows no 1.
    """
    known = [(p.at_us, p.statistic) for p in points if p.statistic is not None]
    if len(known) < 2:
        return None
    crosses = points[0].since_us <= crossed_us <= points[-1].at_us
    known = sorted([*known, *([(crossed_us, 1.0)] if crosses else [])])
    x, y = Scale(points[0].since_us, points[-1].at_us), Scale(_FAINT, 1, down=True)
    path = _path([(x(at_us), y(_magnitude(value))) for at_us, value in known])
    return Chart(
        summary=f"It crossed its threshold at {clock.at(crossed_us, site).text}.",
        x_ticks=time_ticks(points[0].since_us, points[-1].at_us, clock, site),
        y_ticks=[Tick(y(-6), "10⁻⁶"), Tick(y(-3), "0.001"), Tick(y(0), "1")],
        head=("until", "statistic / threshold"),
        rows=[(clock.at(at_us, site).text, number(value)) for at_us, value in known],
        path=path,
        area=f"{path} V100 H{x(known[0][0]) * 10:g} Z",
        threshold=y(0),
        marks=_marks(marks, x),
    )


def time_ticks(from_us: int, until_us: int, clock: Clockface, site: str) -> list[Tick]:
    """Three moments: the beginning, the middle, the end."""
    middle = (from_us + until_us) // 2
    return [
        Tick(place, clock.at(at_us, site).text)
        for place, at_us in ((0, from_us), (50, middle), (100, until_us))
    ]


def _marks(marks: Sequence[tuple[int, str, str]], x: Scale) -> list[Mark]:
    return [Mark(x(at_us), kind, text) for at_us, kind, text in marks if x.low <= at_us <= x.high]


def _magnitude(statistic: float) -> float:
    return log10(max(statistic, 10.0**_FAINT))


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{left * 10:g} {top:g}" for left, top in places)


def _band(means: Sequence[float]) -> tuple[float, float] | None:
    """Where 9 of 10 block means lay; None from fewer than 8."""
    if len(means) < 8:
        return None
    ordered = sorted(means)
    cut = len(ordered) // 20
    return ordered[cut], ordered[-1 - cut]


def _told(points: Sequence[Point], band: tuple[float, float] | None) -> str:
    n = sum(point.n for point in points)
    words = f"{n:,} observations; the newest block has a mean of {number(points[-1].mean)}"
    if band is None:
        return f"{words}."
    return f"{words}; 9 of 10 blocks before were between {number(band[0])} and {number(band[1])}."


def _round_ticks(low: float, high: float) -> list[float]:
    """Up to five round values inside.

    >>> _round_ticks(0.132, 0.151)
    [0.135, 0.14, 0.145, 0.15]
    >>> _round_ticks(0.1, 0.9), _round_ticks(0, 10)
    ([0.2, 0.4, 0.6, 0.8], [2.0, 4.0, 6.0, 8.0, 10.0])
    """
    span = high - low
    if not isfinite(span) or span <= 0:
        return [low]
    step = 10.0 ** int(log10(span) // 1)
    step *= next(part for part in (0.2, 0.25, 0.5, 1, 2) if span / (step * part) <= 5)
    first = int(low // step) + 1
    return [round(first * step + i * step, 12) for i in range(6) if first * step + i * step <= high]
