"""All loops compiled before the first observation comes, so that none has to wait for it."""

import numpy as np

from detectors import Promise, kinds, make
from detectors.cat_sr import CategoryDetector
from detectors.overdispersion import overdispersion_of
from detectors.standard import Standard


def warm_up() -> None:
    """Run every compiled loop once: some ten seconds where they were never compiled, else none."""
    values, days, draws = np.arange(256.0), np.ones(256), np.full(256, 0.5)
    hours = np.zeros(256, dtype=np.int64)
    scores = Standard.learn(values, draws, hours).scores(values, draws, hours)
    for kind in kinds():
        make(kind, Promise(1e9, 1.0), 256).run(scores, days)
    cells = np.zeros(256, dtype=np.int64)
    overdispersion_of(cells, cells)
    CategoryDetector(1e9, (128, 128)).run(cells, days)
