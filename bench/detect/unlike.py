"""Images unlike those a model was made for, 100 studies a day: PEERS.md, section 4, H."""

from collections.abc import Iterator
from statistics import fmean

import numpy as np

from bench.calibration_data import Floats
from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table
from bench.detect.watched import Alarms, at_run_length, cusum, rates_ratio, yes_no

TITLE = "0 to 1 % of images out of distribution that become 3 to 5 %"
PER_DAY, BASELINE_DAYS, CONTROL_DAYS, FOLLOWED_DAYS = 100, 30, 360, 30
BEFORE, AFTER = (0.0, 0.01), (0.03, 0.05)
PROMISE_DAYS = 180.0


def table(asked: Asked) -> Table:
    """See TITLE."""
    repeats = 12 if asked.quick else 60
    rng = np.random.default_rng(51)
    baseline, control = (_drawn(rng, repeats, d, BEFORE) for d in (BASELINE_DAYS, CONTROL_DAYS))
    changed = _drawn(rng, repeats, FOLLOWED_DAYS, AFTER)
    rows = list(_rows(baseline, control, changed))
    figures = {"days between false alarms", "median cases", "within a day", "within two days"}
    rows.append(Row(ALWAYS, "", {"days between false alarms": 0.01, "median cases": 1}))
    rows.append(Row(NEVER, "", dict.fromkeys(sorted(figures), None)))
    protocol = (
        f"{repeats} repetitions, baseline of {BASELINE_DAYS} days. Each day has its own share, "
        "uniform between the limits, so cases of a day depend on each other. In control "
        f"{CONTROL_DAYS} days each."
    )
    return Table(TITLE, protocol, rows)


def _drawn(
    rng: np.random.Generator, repeats: int, days: int, limits: tuple[float, float]
) -> Floats:
    shares = rng.uniform(*limits, size=(repeats, days, 1))
    answers = rng.random((repeats, days, PER_DAY)) < shares
    return answers.reshape(repeats, -1).astype(np.float64)


def _rows(baseline: Floats, control: Floats, changed: Floats) -> Iterator[Row]:
    for days in (PROMISE_DAYS, 2 * PROMISE_DAYS):
        of_control, of_changed = (
            yes_no(baseline, seen, days * PER_DAY, PER_DAY) for seen in (control, changed)
        )
        yield _row(OURS, f"CatSR, one false alarm in {days:g} days", of_control, of_changed)
    ratios = [rates_ratio(seen, fmean(BEFORE), fmean(AFTER)) for seen in (control, changed)]
    n = CONTROL_DAYS * PER_DAY
    h = at_run_length(lambda h: cusum(ratios[0], h), n, PROMISE_DAYS * PER_DAY, 2, 10)
    yield _row("CUSUM", "knows .5 and 4 %", cusum(ratios[0], h), cusum(ratios[1], h))


def _row(who: str, setting: str, control: Alarms, changed: Alarms) -> Row:
    total = sum(map(len, control))
    firsts = np.array([run[0] + 1 if run else np.inf for run in changed])
    return Row(
        who,
        setting,
        {
            "days between false alarms": round(len(control) * CONTROL_DAYS / total)
            if total
            else None,
            "median cases": float(np.median(firsts)),
            "within a day": f"{(firsts <= PER_DAY).mean():.0%}",
            "within two days": f"{(firsts <= 2 * PER_DAY).mean():.0%}",
        },
    )
