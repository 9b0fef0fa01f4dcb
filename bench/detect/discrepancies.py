"""Discrepancies of 29 studies a day, by a rule of days and by the study: PEERS.md, section 4, G."""

from collections.abc import Iterator

import numpy as np

from bench.calibration_data import Floats
from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table
from bench.detect.watched import Alarms, at_run_length, cusum, drawn, rates_ratio, yes_no

TITLE = "discrepancies of 29 studies a day: 3.1 % that become 5.3, 7.5 or 4.2 %"
PER_DAY, BASELINE_DAYS, NULL_DAYS, FOLLOWED_DAYS = 29, 60, 90, 365
BEFORE = 0.031
AFTER = {
    "-2.5 points of specificity": 0.053,
    "-5 points": 0.075,
    "-10 points of sensitivity": 0.042,
}
IN_A_ROW = 7
PROMISE_DAYS = 900.0  # e^-(90/900) is .905: an alarm in 90 days in a tenth of the cases


def table(asked: Asked) -> Table:
    """See TITLE."""
    repeats = 20 if asked.quick else 100
    baseline = drawn(BEFORE, (repeats, PER_DAY * BASELINE_DAYS), 41)
    null = drawn(BEFORE, (repeats, PER_DAY * NULL_DAYS), 42)
    changed = [
        drawn(after, (repeats, PER_DAY * FOLLOWED_DAYS), 43 + place)
        for place, after in enumerate(AFTER.values())
    ]
    rows = list(_ours(baseline, null, changed))
    rows += [_rule("SE", baseline, null, changed), _rule("SD", baseline, null, changed)]
    rows.append(_knowing(null, changed))
    names = list(AFTER)
    rows.append(Row(ALWAYS, "", {"alarm in 90 days": "100%", **dict.fromkeys(names, 1 / PER_DAY)}))
    rows.append(Row(NEVER, "", {"alarm in 90 days": "0%", **dict.fromkeys(names, None)}))
    protocol = (
        f"{repeats} repetitions, baseline of {BASELINE_DAYS} days; median days to the first "
        f"alarm, - where half have none in {FOLLOWED_DAYS}. The rule of days (Sorin 2025, as the "
        f"reference reads it): {IN_A_ROW} days in a row above the baseline's mean + 1.96 standard "
        "errors, or + 1.96 standard deviations."
    )
    return Table(TITLE, protocol, rows)


def _ours(baseline: Floats, null: Floats, changed: list[Floats]) -> Iterator[Row]:
    for days in (PROMISE_DAYS, 2 * PROMISE_DAYS):
        alarms = [yes_no(baseline, seen, days * PER_DAY, PER_DAY) for seen in (null, *changed)]
        yield _row(OURS, f"CatSR, one false alarm in {days:g} days", alarms)


def _rule(limits: str, baseline: Floats, null: Floats, changed: list[Floats]) -> Row:
    daily = _daily(baseline)
    spread = daily.std(axis=1, ddof=1) / (BASELINE_DAYS**0.5 if limits == "SE" else 1.0)
    limit = (daily.mean(axis=1) + 1.96 * spread)[:, None]
    alarms = [_in_a_row(_daily(seen) > limit) for seen in (null, *changed)]
    return _row("seven days in a row", f"above 1.96 {limits}", alarms)


def _daily(answers: Floats) -> Floats:
    daily: Floats = answers.reshape(len(answers), -1, PER_DAY).mean(axis=2)
    return daily


def _in_a_row(above: "np.ndarray[tuple[int, int], np.dtype[np.bool_]]") -> Alarms:
    run, found = np.zeros(len(above)), [[] for _ in above]  # type: Floats, Alarms
    for day, column in enumerate(above.T):
        run = np.where(column, run + 1, 0)
        for place in np.flatnonzero(run >= IN_A_ROW).tolist():
            found[place].append((day + 1) * PER_DAY - 1)
            run[place] = 0
    return found


def _knowing(null: Floats, changed: list[Floats]) -> Row:
    """Page's CUSUM for one who knows 3.1 and 5.3 %, at the same alarms in 90 days."""
    ratios = [rates_ratio(seen, BEFORE, 0.053) for seen in (null, *changed)]
    arl = PROMISE_DAYS * PER_DAY
    control = rates_ratio(drawn(BEFORE, (200, 20_000), 49), BEFORE, 0.053)
    h = at_run_length(lambda h: cusum(control, h), 20_000, arl, 2, 10)
    return _row("CUSUM", "knows 3.1 and 5.3 %", [cusum(one, h) for one in ratios])


def _row(who: str, setting: str, alarms: list[Alarms]) -> Row:
    null, *changed = alarms
    row = Row(who, setting, {"alarm in 90 days": f"{sum(map(bool, null)) / len(null):.0%}"})
    for name, runs in zip(AFTER, changed, strict=True):
        days = float(np.median([(run[0] + 1) / PER_DAY if run else np.inf for run in runs]))
        row.figures[name] = round(days, 1) if np.isfinite(days) else None
    return row
