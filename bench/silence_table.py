"""The thresholds of streams/silence/thresholds.py, computed anew: `python -m bench.silence_table`.

For each rate class and dispersion class: feeds simulated for a year, each with a profile that it
learnt online; the weekly maxima of all feeds of the class, from the ninth week on, are pooled. The
tail above their 95 % quantile u is taken as exponential of mean excess s (peaks over threshold),
so the statistic passes u + s ln(d / 140) once in d days. A cell is (u, s). Takes about 15 minutes
on one core and prints the table as source.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np

from bench.silence_simulation import WEEK, Floats, simulate
from streams.silence.thresholds import DISPERSIONS, PER_HOUR

WARM_WEEKS, WEEKS = 8, 52
SEED = 20_261_121
Cell = tuple[float, float]


def feeds_for(per_hour: float) -> int:
    """Busy feeds cost more, and have more independent hours."""
    return 512 if per_hour < 10 else 256 if per_hour < 100 else 96


def weekly_maxima(
    per_hour: float, dispersion: float, feeds: int, weeks: int, seed: int
) -> tuple[Floats, Floats]:
    """Of the gap and of the partial statistic: a row a week, a column a feed."""
    gap = np.zeros((weeks, feeds))
    partial = np.zeros((weeks, feeds))
    for at in simulate(per_hour, dispersion, feeds, weeks, seed):
        week = at.hour // WEEK
        np.maximum(gap[week], at.gap, out=gap[week])
        np.maximum(partial[week], at.partial, out=partial[week])
    return gap[WARM_WEEKS:], partial[WARM_WEEKS:]


def tail(maxima: Floats) -> Cell:
    """The 95 % quantile, and the mean excess over it, at least 1."""
    level = float(np.quantile(maxima, 0.95))
    return level, max(1.0, float((maxima[maxima > level] - level).mean()))


def cells(weeks: int = WEEKS) -> Iterator[tuple[int, int, Cell, Cell]]:
    """Every cell of both tables."""
    for i, per_hour in enumerate(PER_HOUR):
        for j, dispersion in enumerate(DISPERSIONS):
            seed = SEED + 100 * i + j
            maxima = weekly_maxima(per_hour, dispersion, feeds_for(per_hour), weeks, seed)
            yield i, j, tail(maxima[0]), tail(maxima[1])


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    arguments = parser.parse_args()
    rows: dict[str, list[list[Cell]]] = {"GAP": [], "PARTIAL": []}
    for _, j, *found in cells(arguments.weeks):
        for name, cell in zip(rows, found, strict=True):
            if j == 0:
                rows[name].append([])
            rows[name][-1].append(cell)
        print(f"{PER_HOUR[len(rows['GAP']) - 1]}/h, {DISPERSIONS[j]}: {found}", file=sys.stderr)
    for name, table in rows.items():
        print(f"{name}: Table = (")
        for row in table:
            inner = ", ".join(f"({level:.2f}, {excess:.2f})" for level, excess in row)
            print(f"    ({inner}),")
        print(")")
    return 0


if __name__ == "__main__":
    sys.exit(main())
