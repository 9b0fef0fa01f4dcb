"""Is the promised run length the one that users get? PEERS.md, section 4, B."""

from collections.abc import Iterator
from statistics import fmean, median

import numpy as np

from bench.calibration_data import Floats
from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Figure, Row, Table
from bench.detect.watched import Alarms, votes

TITLE = "the run length that is promised, and the one that is got"
K, H, CLAIMED = 0.2996, 4.0, 100
PROMISED = 1_000
BASELINE_N = 30


def table(asked: Asked) -> Table:
    """See TITLE."""
    references = 8 if asked.quick else 40
    rows = [*_charts(references * 5), *_ours(references)]
    rows.append(Row(ALWAYS, "", {"promised": None, "mean": 1.0}))
    rows.append(Row(NEVER, "", {"promised": None, "mean": None}))
    protocol = (
        f"Each of {references} references ({references * 5} for the chart) is watched for 20 times "
        "what is promised. Overall: all observations over all alarms, which is what a promise to "
        "a deployment is about; a reference without an alarm counts as 20 promises."
    )
    return Table(TITLE, protocol, rows)


def _charts(references: int) -> Iterator[Row]:
    """A CUSUM of FDA's AIM-CU: k and h of one side, alarms of two, the baseline taken for true."""
    rng = np.random.default_rng(31)
    values = rng.normal(size=(references, 20 * CLAIMED))
    baseline = rng.normal(size=(references, BASELINE_N))
    level = baseline.mean(axis=1, keepdims=True)
    scale = baseline.std(axis=1, ddof=1, keepdims=True)
    for setting, z in (
        ("mean and sd known", values),
        (f"{BASELINE_N} observations", (values - level) / scale),
    ):
        yield _row("CUSUM as AIM-CU has it", setting, CLAIMED, _two_sided(z))


def _two_sided(z: Floats) -> Alarms:
    up, down = np.zeros(len(z)), np.zeros(len(z))
    found: Alarms = [[] for _ in z]
    for place, column in enumerate(z.T):
        up, down = np.maximum(up + column - K, 0), np.maximum(down - column - K, 0)
        for run in np.flatnonzero(np.maximum(up, down) >= H).tolist():
            found[run].append(place)
            up[run] = down[run] = 0.0
    return found


def _ours(references: int) -> Iterator[Row]:
    for reference_n in (50, 500, 2_000):
        rng = np.random.default_rng([reference_n, 32])
        learnt = rng.normal(size=(references, reference_n))
        seen = rng.normal(size=(references, 20 * PROMISED))
        yield _row(OURS, f"{reference_n} observations", PROMISED, votes(learnt, seen, PROMISED))


def _row(who: str, setting: str, promised: int, alarms: Alarms) -> Row:
    n = 20 * promised
    lengths = [n / max(len(run), 1) for run in alarms]
    figures: dict[str, Figure] = {
        "promised": promised,
        "overall": round(len(alarms) * n / max(sum(map(len, alarms)), 1)),
        "mean": round(fmean(lengths)),
        "median": round(median(lengths)),
        "worst tenth below": round(float(np.quantile(lengths, 0.1))),
        "kept": f"{sum(length >= promised for length in lengths) / len(lengths):.0%}",
    }
    return Row(who, setting, figures)
