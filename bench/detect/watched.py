"""What a series of radvigil alarms at, its votes sharing one promise; and the best there could be.

Everything here works on whole arrays: a row for each repetition.
"""

from collections.abc import Callable
from math import log

import numpy as np

from bench.calibration import YES_NO, Watch
from bench.calibration_data import PER_DAY, Floats, of_no_cycle
from detectors.votes import VOTES

Alarms = list[list[int]]


def votes(
    references: Floats,
    seen: Floats,
    arl: float,
    parts: dict[str, float] | None = None,
    per_day: int = PER_DAY,
) -> Alarms:
    """Of each repetition the places of all alarms, at a promise of so many observations."""
    found = []
    for seed, (reference, values) in enumerate(zip(references, seen, strict=True)):
        watch = Watch(of_no_cycle(reference, per_day), parts or VOTES, arl, seed)
        found.append(watch.alarms(of_no_cycle(values, per_day)))
    return found


def yes_no(references: Floats, seen: Floats, arl: float, per_day: int = PER_DAY) -> Alarms:
    """The same for yes and no, so many a day."""
    return votes(references, seen, arl, YES_NO, per_day)


def cusum(ratios: Floats, threshold: float) -> Alarms:
    """Page's CUSUM of log likelihood ratios, begun anew after each alarm."""
    statistic = np.zeros(len(ratios))
    found: Alarms = [[] for _ in ratios]
    for place, column in enumerate(ratios.T):
        statistic = np.maximum(statistic + column, 0.0)
        for run in np.flatnonzero(statistic >= threshold).tolist():
            found[run].append(place)
            statistic[run] = 0.0
    return found


def at_run_length(
    alarms_at: Callable[[float], Alarms], n: int, arl: float, low: float, high: float
) -> float:
    """The threshold at which a chart has this run length in control, by bisection."""
    for _ in range(12):
        middle = (low + high) / 2
        alarms = alarms_at(middle)
        total = sum(map(len, alarms))
        is_long = not total or len(alarms) * n / total > arl
        low, high = (low, middle) if is_long else (middle, high)
    return high


def rates_ratio(answers: Floats, before: float, after: float) -> Floats:
    """Log likelihood ratios of yes and no, for one who knows both shares."""
    yes, no = log(after / before), log((1 - after) / (1 - before))
    return no + (yes - no) * answers


def drawn(share: float, shape: tuple[int, int], seed: int) -> Floats:
    """Yes (1) and no (0)."""
    return (np.random.default_rng(seed).random(shape) < share).astype(np.float64)
