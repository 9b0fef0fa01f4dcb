"""How the detectors of one series share its part of the promise.

Their false alarms add up, so with parts that add up to 1 they keep together what one of them would
keep alone. A detector with part w gets Promise(days / w, per_day), and takes ln(1 / w) / KL
observations more for it: the greatest part belongs to the one that is first nearly always
(docs/decisions/0009-how-detectors-share-a-series.md).
"""

VOTES: dict[str, float] = {
    "mean_sr": 0.75,
    "adwin": 0.1,
    "page_hinkley": 0.03,
    "cat_sr": 0.12,
}
"""Of a series of numbers; `cat_sr` is a CategoryDetector on `detectors.cells`. It is the last: what
it learns outlasts an alarm of the others, after which it is fed nothing."""

VOTES_OF_WORDS: dict[str, float] = {"cat_sr": 1.0}
"""Of a series of words, or of yes and no: a CategoryDetector on `detectors.categories`."""
