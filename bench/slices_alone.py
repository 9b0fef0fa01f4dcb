"""One scanner's calls on their own: what takes how long to tell that they went from .1 to .3?

    python -m bench.slices_alone [--runs N]

The world of bench.slices, and of it that scanner's calls alone: CatSR with the whole promise, a
twelfth, a thirty-sixth (as many series there are) and what a late series has of it; with a
reference of 500 studies of the scanner, or 5,000, and as many more before the fault as there;
with the dependence that was measured, or told that there is none. Median studies of the whole
site, and its error by resampling (Efron 1979).
"""

import argparse
import sys
from statistics import median

import numpy as np

from bench.slices import ALLOWED, BASE, LEARNT_N, PER_DAY, SCANNERS_N, STUDIES
from detectors.cat_sr import CategoryDetector
from detectors.dependence import dependence_of_categories
from detectors.overdispersion import overdispersion_of

PARTS = {"all": 1.0, "1/12": 1 / 12, "1/36": 1 / 36, "1/192": 1 / 192}
REFERENCES_N, AFTER, FOLLOWED_N = (500, 5_000), 0.3, 3_000
BEFORE_N = LEARNT_N // SCANNERS_N - REFERENCES_N[0]
_PER_DAY = PER_DAY / SCANNERS_N
_DAYS = STUDIES / PER_DAY / ALLOWED


def delay(seed: int, part: float, reference_n: int, is_measured: bool) -> int | None:
    """Studies of the scanner until it is told; None for an alarm before the fault."""
    rng = np.random.default_rng(seed)
    shares = np.repeat([BASE, AFTER], [reference_n + BEFORE_N, FOLLOWED_N])
    answers = (rng.random(len(shares)) < shares).astype(np.int64)
    weekdays = (np.arange(len(answers)) / _PER_DAY).astype(np.int64) % 7
    reference, seen = answers[:reference_n], answers[reference_n:]
    counts = (*np.bincount(reference, minlength=2).tolist(), 0)
    if is_measured:
        ratio = dependence_of_categories(reference).ratio
        told = overdispersion_of(reference, weekdays[:reference_n])
        detector = CategoryDetector(_DAYS / part, counts, ratio, told)
    else:
        weekdays[:] = 0
        detector = CategoryDetector(_DAYS / part, counts)
    at = detector.run(seen, np.full(len(seen), 1 / _PER_DAY), weekdays[reference_n:])
    if at is None:
        return FOLLOWED_N
    return at - BEFORE_N + 1 if at >= BEFORE_N else None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    for reference_n in REFERENCES_N:
        for is_measured in (True, False):
            for name, part in PARTS.items():
                told = [delay(seed, part, reference_n, is_measured) for seed in range(runs)]
                delays = [SCANNERS_N * one for one in told if one is not None]
                how = "measured" if is_measured else "independent"
                print(
                    f"{reference_n:5} learnt, {how:11} {name:>6} of the promise: "
                    f"{median(delays):6.0f} +- {_error(delays):.0f}"
                )
    return 0


def _error(delays: list[int]) -> float:
    """Of the median."""
    drawn = np.random.default_rng(0).choice(delays, (1_000, len(delays)))
    return float(np.median(drawn, axis=1).std())


if __name__ == "__main__":
    sys.exit(main())
