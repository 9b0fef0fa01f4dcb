"""How the detectors of one series share its part of the promise.

Their false alarms add up, so with parts that add up to 1 they keep together what one of them would
keep alone. A detector with part w gets Promise(days / w, per_day). The parts were chosen by
measurement (docs/decisions/0009-how-detectors-share-a-series.md).
"""

VOTES: dict[str, float] = {
    "mean_sr": 0.6,
    "adwin": 0.2,
    "cat_sr": 0.15,
    "page_hinkley": 0.05,
}
"""Of a series of numbers; `cat_sr` is a CategoryDetector on `detectors.cells`."""

VOTES_OF_WORDS: dict[str, float] = {"cat_sr": 1.0}
"""Of a series of words, or of yes and no: a CategoryDetector on `detectors.categories`."""
