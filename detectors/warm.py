"""All loops compiled before the first observation comes, so that none has to wait for it."""

import numpy as np

from detectors import INDEPENDENT, Promise, kinds, make
from detectors.cat_sr import CategoryDetector
from detectors.day_levels import DayLevels
from detectors.overdispersion import overdispersion_of
from detectors.standard import Standard


def warm_up() -> None:
    """Run every compiled loop once: some ten seconds where they were never compiled, else none."""
    values, days, draws = np.arange(256.0), np.ones(256), np.full(256, 0.5)
    hours = np.zeros(256, dtype=np.int64)
    standard = Standard.learn(values, draws, hours)
    scores = standard.scores(values, draws, hours)
    independent_n = 256 / DayLevels(standard.days).ratio
    known = INDEPENDENT._replace(effective_n=independent_n)
    for kind in kinds():
        make(kind, Promise(1e9, 1.0), 256, known).run(scores, days)
    cells = np.zeros(256, dtype=np.int64)
    overdispersion_of(cells, cells)
    CategoryDetector(1e9, (128, 128)).run(cells, days)
