"""How much of what came each part explains: of numbers by their squares, of rare yeses by odds.

Both in twice the log-likelihood that a part adds, so that one threshold serves them. Parts are
columns of rows that are 0 or 1.
"""

from typing import NamedTuple, Protocol

import numpy as np

from detectors._contract import Floats

_STEPS_N = 40
_LONGEST_STEP = 3.0
_RIDGE = 0.01  # a part that is all yes has no finite odds


class Gains(Protocol):
    """Of parts, by the number of their column."""

    def beyond(self, chosen: list[int]) -> Floats:
        """What each part would add to those that are chosen."""

    def needed(self, chosen: list[int]) -> Floats:
        """What each of those that are chosen adds to the others."""


class Known(NamedTuple):
    """Of each part the reference's rows and their variance; the variance of all of them."""

    n: Floats
    variances: Floats
    variance: float


class Numbers:
    """Of what is left of numbers.

    A part is held against the spread that it had in the reference, as in a score test (Rao 1948):
    that of a rare yes grows with its share, and would hide what moved it. Where the present rows
    spread less, against theirs; and never against less than the spread of all that is left, since
    a part may stand still.
    """

    def __init__(self, left: Floats, rows: Floats, known: Known) -> None:
        self._left = left
        self._rows = rows
        self._totals: Floats = rows.sum(axis=0)
        self._known = known

    def beyond(self, chosen: list[int]) -> Floats:
        """By the squares of what is left in each part."""
        columns = self._rows[:, chosen]
        unexplained = self._left - columns @ fitted(self._left, columns)
        means = self._rows.T @ unexplained / self._totals
        variances = self._variances(unexplained, means)
        gains: Floats = means * means / (variances * (1 / self._totals + 1 / self._known.n))
        return gains

    def needed(self, chosen: list[int]) -> Floats:
        """By the squares of their shifts."""
        columns = self._rows[:, chosen]
        shifts = fitted(self._left, columns)
        variance = self._variance(self._left - columns @ shifts)
        uncertain = np.diag(np.linalg.pinv(columns.T @ columns)) + 1 / self._known.n[chosen]
        gains: Floats = shifts * shifts / (variance * uncertain)
        return gains

    def _variances(self, left: Floats, means: Floats) -> Floats:
        """That each part has without having moved: the lesser one of before and now."""
        squares: Floats = self._rows.T @ (left * left)
        now = squares / self._totals - means * means
        return np.minimum(self._known.variances, now).clip(self._variance(left))

    def _variance(self, left: Floats) -> float:
        """That of all rows, never less than the reference's."""
        return max(float(left.var()), self._known.variance)


class Rare:
    """Of a yes that hardly ever came in the reference, in whatever part: its odds become others.

    Squares overrate few: three of four in one of many parts are no proof. Likelihoods do not,
    however few there are (Chernoff 1952). `share` of `known_n` rows were yes.
    """

    def __init__(self, yes: Floats, rows: Floats, share: float, known_n: float) -> None:
        self._yes = yes
        self._odds = float(np.log(share / (1 - share)))
        self._rows = rows
        self._totals: Floats = rows.sum(axis=0)
        self._came: Floats = rows.T @ yes
        self._known_n = known_n

    def beyond(self, chosen: list[int]) -> Floats:
        """By two-sample G: how many came, and in the reference, had it been like the rest."""
        n, known_n, came = self._totals, self._known_n, self._came
        share = self._rows.T @ self._chances(chosen) / n
        pooled = (came + known_n * share) / (n + known_n)
        gains: Floats = 2 * (_apart(came / n, pooled) * n + _apart(share, pooled) * known_n)
        return gains

    def needed(self, chosen: list[int]) -> Floats:
        """By what each would add to the others."""
        others = [[one for one in chosen if one != part] for part in chosen]
        return np.array([self.beyond(some)[p] for some, p in zip(others, chosen, strict=True)])

    def _chances(self, chosen: list[int]) -> Floats:
        """Of each row, with the odds of the chosen parts as they are: Newton's method."""
        columns, moved = self._rows[:, chosen], np.zeros(len(chosen))
        chances = _chances(self._odds + columns @ moved)
        for _ in range(_STEPS_N if chosen else 0):
            slope = columns.T @ (self._yes - chances) - _RIDGE * moved
            bend = columns.T @ (columns * (chances * (1 - chances))[:, None])
            step = np.linalg.solve(bend + _RIDGE * np.eye(len(chosen)), slope)
            moved = moved + step.clip(-_LONGEST_STEP, _LONGEST_STEP)
            chances = _chances(self._odds + columns @ moved)
        return chances


def fitted(left: Floats, columns: Floats) -> Floats:
    """The shifts of these parts, by least squares."""
    return np.asarray(np.linalg.lstsq(columns, left, rcond=None)[0], np.float64)


def _chances(odds: Floats) -> Floats:
    chances: Floats = 1 / (1 + np.exp(-odds))
    return chances


def _apart(share: Floats, other: Floats) -> Floats:
    """How far shares are from others, by Kullback and Leibler, in nats; those are not 0 or 1."""
    yes = share * np.log(np.where(share > 0, share, 1) / other)
    no = (1 - share) * np.log(np.where(share < 1, 1 - share, 1) / (1 - other))
    apart: Floats = yes + no
    return apart
