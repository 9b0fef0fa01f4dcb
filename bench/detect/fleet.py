"""One promise over many series, on their own or moving together: STATISTICS.md, section 3."""

from collections.abc import Iterator
from statistics import fmean

import numpy as np

from bench.calibration_data import Floats
from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table
from bench.detect.watched import Alarms, votes

TITLE = "one false alarm in 1,000 observations of all series together"
BUDGET, REFERENCE_N, MONTHS = 1_000, 500, 2
SHIFT_SD, TOGETHER = 0.5, 0.5
ALONE = {"mean_sr": 1.0}


def table(asked: Asked) -> Table:
    """See TITLE."""
    series = 40 if asked.quick else 400
    rows = list(_rows(series))
    rows.append(Row(ALWAYS, "", {"series on their own": series * BUDGET, "delay": 1.0}))
    rows.append(Row(NEVER, "", {"series on their own": 0.0, "delay": None}))
    protocol = (
        f"{series} series of normal values, reference {REFERENCE_N}, {MONTHS} months of {BUDGET} "
        "observations of each; false alarms a month, 1 is allowed. Moving together: a common part "
        f"gives a correlation of {TOGETHER}; incidents: months with any. Delay: mean, of one "
        f"series that moves by {SHIFT_SD} sd, at the same threshold."
    )
    return Table(TITLE, protocol, rows)


def _rows(series: int) -> Iterator[Row]:
    for who, parts, arl in (
        ("votes, the promise split", None, BUDGET * series),
        ("MeanSR alone, the promise split", ALONE, BUDGET * series),
        ("MeanSR alone, each with the whole promise", ALONE, BUDGET),
    ):
        own, together = (_alarms(series, seed, parts, arl) for seed in (71, 72))
        months = {month for run in together for month in {place // BUDGET for place in run}}
        yield Row(
            OURS,
            who,
            {
                "series on their own": sum(map(len, own)) / MONTHS,
                "moving together": sum(map(len, together)) / MONTHS,
                "of which incidents": len(months) / MONTHS,
                "delay": _delay(parts, arl, 30 if series > 100 else 6),
            },
        )


def _alarms(series: int, seed: int, parts: dict[str, float] | None, arl: float) -> Alarms:
    rng = np.random.default_rng(seed)
    values: Floats = rng.normal(size=(series, REFERENCE_N + MONTHS * BUDGET))
    if seed == 72:
        common = rng.normal(size=values.shape[1])
        values = TOGETHER**0.5 * common + (1 - TOGETHER) ** 0.5 * values
    return votes(values[:, :REFERENCE_N], values[:, REFERENCE_N:], arl, parts)


def _delay(parts: dict[str, float] | None, arl: float, repeats: int) -> float:
    rng = np.random.default_rng(73)
    references = rng.normal(size=(repeats, REFERENCE_N))
    seen = rng.normal(size=(repeats, 2_000)) + SHIFT_SD
    found = votes(references, seen, arl, parts)
    return round(fmean(run[0] + 1 if run else 2_000 for run in found), 1)
