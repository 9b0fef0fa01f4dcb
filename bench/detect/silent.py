"""Feeds that fall silent, wholly or by half: STATISTICS.md, section 6."""

from collections.abc import Iterator
from statistics import median

from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table
from bench.silence import delay_h, held_out

TITLE = "silence, at one false alarm in five years of a feed"
FEEDS = ((200.0, 0.0, 70.0), (200.0, 0.11, 70.0), (5.0, 0.0, 2.0), (5.0, 0.11, 2.0))


def table(asked: Asked) -> Table:
    """See TITLE."""
    repeats, feeds, weeks = (3, 24, 16) if asked.quick else (9, 64, 52)
    rows = list(_rows(repeats, feeds, weeks))
    rows.append(Row(ALWAYS, "", {"all lost, hours": 0.0, "half lost, hours": 0.0}))
    rows.append(Row(NEVER, "", {"all lost, hours": None, "half lost, hours": None}))
    protocol = (
        f"{repeats} repetitions, eight weeks learnt, then the loss on a Tuesday at 10:00; median "
        f"hours. Held out: alarms over those allowed on {feeds} other feeds for {weeks} weeks "
        "(gap, partial), and the fixed timeout with as many of them."
    )
    return Table(TITLE, protocol, rows)


def _rows(repeats: int, feeds: int, weeks: int) -> Iterator[Row]:
    for per_hour, dispersion, mean_per_hour in FEEDS:
        held = held_out(mean_per_hour, dispersion, "hospital", feeds, weeks)
        whole, half = (
            median(delay_h(per_hour, dispersion, left, seed)[0] for seed in range(repeats))
            for left in (0.0, 0.5)
        )
        setting = f"{per_hour:g} an hour by day, dispersion {dispersion:g}"
        figures = {
            "all lost, hours": round(whole, 2),
            "half lost, hours": round(half, 1) if half < float("inf") else None,
            "held out, gap": round(held.gap, 2),
            "held out, partial": round(held.partial, 2),
        }
        yield Row(OURS, setting, {**figures})
        yield Row("fixed timeout", setting, {"all lost, hours": round(held.timeout_h, 1)})
