"""How much surprise is needed, for so many days between two false alarms.

Shards must not talk, so thresholds cannot be pooled over the feeds that happen to be watched. They
are pooled over simulated ones instead, once: `python -m bench.silence_table` makes the two tables
from feeds with a hospital's week and profiles learnt online, by their mean rate and dispersion. A
cell (u, s) is the 95 % quantile of a feed's weekly maxima and their mean excess over it (peaks over
threshold). The tail is exponential, and s is at least 1, the least that a log likelihood ratio
has. Between the classes u and s are interpolated, beyond them those of the last class hold.
"""

from bisect import bisect_right
from math import log

Table = tuple[tuple[tuple[float, float], ...], ...]

PER_HOUR = (0.05, 0.2, 0.8, 3.0, 12.0, 50.0, 200.0)
DISPERSIONS = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
ONCE_IN_DAYS = 140.0  # the statistic passes the 95 % quantile of its weekly maxima

# fmt: off
GAP: Table = (
    ((5.33, 1.02), (5.25, 1.02), (5.34, 1.00), (5.37, 1.05), (5.58, 1.07), (5.84, 1.12)),
    ((6.43, 1.00), (6.58, 1.00), (6.65, 1.05), (6.82, 1.15), (7.22, 1.19), (7.67, 1.35)),
    ((7.80, 1.00), (7.96, 1.08), (7.95, 1.11), (8.26, 1.26), (8.68, 1.52), (9.13, 1.70)),
    ((9.12, 1.00), (9.19, 1.05), (9.14, 1.07), (9.19, 1.22), (9.27, 1.41), (9.55, 1.68)),
    ((10.58, 1.02), (10.30, 1.00), (10.10, 1.10), (9.85, 1.09), (9.39, 1.28), (9.31, 1.43)),
    ((12.02, 1.00), (11.43, 1.01), (10.89, 1.01), (10.20, 1.02), (9.45, 1.09), (9.05, 1.21)),
    ((13.43, 1.04), (12.39, 1.00), (11.75, 1.00), (10.72, 1.00), (9.47, 1.00), (8.86, 1.03)),
)
PARTIAL: Table = (
    ((3.92, 1.00), (3.90, 1.00), (3.88, 1.00), (4.00, 1.00), (4.17, 1.00), (4.56, 1.03)),
    ((4.68, 1.00), (4.82, 1.02), (4.90, 1.02), (5.22, 1.07), (5.63, 1.25), (6.21, 1.45)),
    ((5.47, 1.01), (5.93, 1.17), (6.34, 1.23), (7.02, 1.54), (8.42, 1.91), (9.16, 2.15)),
    ((6.08, 1.00), (7.15, 1.44), (8.17, 1.93), (9.78, 2.27), (11.57, 2.99), (12.48, 3.14)),
    ((6.28, 1.04), (8.02, 2.13), (10.30, 2.87), (13.54, 3.35), (15.23, 3.70), (15.23, 3.72)),
    ((6.11, 1.02), (8.30, 2.57), (11.79, 4.30), (15.80, 4.39), (17.77, 4.27), (17.19, 4.66)),
    ((5.33, 1.00), (8.00, 2.36), (12.29, 5.89), (17.81, 5.08), (18.47, 4.63), (17.67, 4.47)),
)
# fmt: on
_LOG_PER_HOUR = tuple(map(log, PER_HOUR))


def threshold(table: Table, per_hour: float, dispersion: float, days: float) -> float:
    """What the statistic of a feed passes once in so many days while nothing is wrong."""
    i, row_part = _place(_LOG_PER_HOUR, log(max(per_hour, 1e-9)))
    j, column_part = _place(DISPERSIONS, dispersion)
    level = excess = 0.0
    for row, row_weight in ((i, 1 - row_part), (i + 1, row_part)):
        for column, column_weight in ((j, 1 - column_part), (j + 1, column_part)):
            cell_level, cell_excess = table[row][column]
            level += row_weight * column_weight * cell_level
            excess += row_weight * column_weight * cell_excess
    return level + excess * log(max(1.0, days / ONCE_IN_DAYS))


def _place(classes: tuple[float, ...], value: float) -> tuple[int, float]:
    """The class at or below a value, and how far the value is from it to the next, 0 to 1."""
    index = min(max(bisect_right(classes, value) - 1, 0), len(classes) - 2)
    part = (value - classes[index]) / (classes[index + 1] - classes[index])
    return index, min(max(part, 0.0), 1.0)
