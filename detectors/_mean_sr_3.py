"""States of MeanSR before format 5, taken up: M is what it was, for the level and for the spread.

Up to format 4 each score showed all of a shift. Formats 2 and 3 have the sum of spread scores
where there is one of squares now, and weights that go with Bayes factors of a shift drawn from
N(0, .5^2). Format 2 kept the observation after the last look apart, and a third part of what was
found.
"""

import numpy as np

from detectors._bayes_factors import SPREAD, WORTH, bayes_factors
from detectors._contract import Floats, State
from detectors._starts import N, Starts, restored

_SHIFT_SD = 0.5
_SQUARES = 1.5737  # more in the sum of squares, where a slightly greater spread adds 1 spread score
_LEAST = 0.1
_NOTHING = 1e-100


def taken_up(state: State, reference_n: int) -> tuple[Starts, Floats]:
    """The starts and the sums of a state of format 2 to 4, in today's terms."""
    n, began = state["n"], np.array(state["began"], dtype=np.float64)
    then = np.vstack((state["totals_then"], began + reference_n))
    starts = restored(n, state["elapsed"], began, then, state["weights"])
    totals = np.array([*state["totals"], n + reference_n], dtype=np.float64)
    if state["format"] == 4:
        return starts, totals
    evidence = starts.held * _factors_of_old(starts, totals, reference_n)
    _square(starts, totals)
    factors = np.ones_like(evidence)
    bayes_factors(starts, totals, reference_n, factors)
    starts.held[:] = np.where(factors > _NOTHING, evidence / np.maximum(factors, _NOTHING), 0.0)
    return starts, totals


def _factors_of_old(starts: Starts, totals: Floats, reference_n: int) -> Floats:
    """exp(.5^2 x^2 / 2q) / sqrt(q), q = 1 + .5^2 s b / T; see `bayes_factors` for the letters."""
    all_n = starts.clock[N] + reference_n
    share = (starts.began + reference_n) / all_n
    scale_2 = 1 / (1 + _SHIFT_SD**2 * (starts.clock[N] - starts.began) * share)
    x = starts.totals_then[:WORTH] - share * totals[:WORTH, None]
    factors: Floats = np.exp(x * x * scale_2 * (_SHIFT_SD**2 / 2)) * np.sqrt(scale_2)
    return factors


def _square(starts: Starts, totals: Floats) -> None:
    """Sums of spread scores become those of squares, from start to start; none falls."""
    born_n = len(starts.columns()[0])
    n = np.append(starts.began[:born_n], starts.clock[N])
    spreads = np.append(starts.totals_then[SPREAD, :born_n], totals[SPREAD])
    more_n, more = np.diff(n, prepend=0.0), np.diff(spreads, prepend=0.0)
    squares = np.maximum(more_n + _SQUARES * more, _LEAST * more_n).cumsum()
    starts.totals_then[SPREAD, :born_n], totals[SPREAD] = squares[:-1], squares[-1]
