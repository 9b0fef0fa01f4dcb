"""Whether a sample was itself changing while it was taken: a reference should not have been.

The largest bridge of its cumulative sums: how far the sum of the first k scores departs from its
part of the whole, over k, for the scores (location) and their spread scores (scale). In a stable
sample it is the largest distance of a Brownian bridge, whose distribution Kolmogorov gave (Page
1957; Csorgo & Horvath 1997, "Limit theorems in change-point analysis"). What dependence does to
it is divided out, measured on the two sides of the strongest change, so that a change is not taken
for dependence.
"""

from typing import NamedTuple

import numpy as np

from detectors._contract import Floats
from detectors._normal import quantiles, spreads
from detectors.dependence import dependence

_ONE_IN_2000 = 2.036  # Kolmogorov's limit for each of the two forms: together one sample in 1,000


class Stability(NamedTuple):
    """`statistic` over 1: changing. It changed before place `changed_at`, in its `form`."""

    statistic: float
    changed_at: int
    form: str

    @property
    def stable(self) -> bool:
        """Whether nothing shows that the sample was changing."""
        return self.statistic < 1


def stability(scores: Floats) -> Stability:
    """Of normal scores in the order in which they came; of a stable sample one in 1,000 is not."""
    forms = {"mean": scores, "spread": spreads(scores)}
    found = [_bridge(form, values) for form, values in forms.items()]
    return max(found, key=lambda one: one.statistic)


def is_stable(values: Floats) -> bool:
    """Whether a sample of raw values shows no change, by their ranks."""
    order = values.argsort(kind="stable")
    below = values[order].searchsorted(values)
    up_to = values[order].searchsorted(values, side="right")
    return stability(quantiles((below + up_to) / (2 * len(values)))).stable


def _bridge(form: str, values: Floats) -> Stability:
    n = len(values)
    centred = values - values.mean()
    bridge = np.abs(np.add.accumulate(centred))[: n - 1]
    changed_at = int(bridge.argmax()) + 1
    before, since = values[:changed_at], values[changed_at:]
    left = np.concatenate((before - before.mean(), since - since.mean()))
    noise = float(np.sqrt(n * left.var() * dependence(left).ratio))
    highest = float(bridge.max())
    return Stability(highest / noise / _ONE_IN_2000 if noise > 0 else 0.0, changed_at, form)
