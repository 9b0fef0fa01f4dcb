"""What is known of a reference of words in parts: how often each word came in which of them.

A word is a number below 256. Whichever has moved is looked at as a yes or no, for which a baseline
is learnt when it is asked for: there is one for each word, and hardly ever is any needed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Ints
from detectors.baseline import UNKNOWN, Baseline, Candidate, Codes

_WORDS_N = 256
_ONE_IN_100 = 0.01

Words = NDArray[np.uint8]


class MovedWord(NamedTuple):
    """A word, and its share before and after."""

    word: int
    before: float
    after: float


class WordRows(NamedTuple):
    """Rows that differ, each with its word, its parts, and how often it came."""

    words: Words
    codes: Codes
    counts: Ints

    @classmethod
    def learn(cls, words: Words, codes: Codes) -> "WordRows":
        """Of the reference's rows.

        >>> codes = np.array([[1], [2], [1]], np.uint8)
        >>> WordRows.learn(np.array([0, 0, 0], np.uint8), codes).counts
        array([2, 1])
        """
        rows = np.column_stack((words, codes))
        distinct, counts = np.unique(rows, axis=0, return_counts=True)
        return cls(distinct[:, 0], distinct[:, 1:], counts.astype(np.int64))

    def most_moved(self, words: Words) -> MovedWord:
        """The word whose share differs most from these rows': two shares, pooled. None: ValueError.

        >>> known = WordRows.learn(np.array([0] * 9 + [1], np.uint8), np.ones((10, 1), np.uint8))
        >>> known.most_moved(np.array([0, 0, 1, 2, 2, 2], np.uint8))
        MovedWord(word=2, before=0.0, after=0.5)
        """
        if not len(words):
            raise ValueError("nothing has moved where there are no rows")
        was = np.bincount(self.words, self.counts, _WORDS_N)
        now = np.bincount(words, minlength=_WORDS_N).astype(np.float64)
        before, after = was / was.sum(), now / now.sum()
        pooled = (was + now) / (was + now).sum()
        spread = pooled * (1 - pooled) * (1 / was.sum() + 1 / now.sum())
        apart = np.divide((after - before) ** 2, spread, out=np.zeros(_WORDS_N), where=spread > 0)
        word = int(apart.argmax())
        return MovedWord(word, float(before[word]), float(after[word]))

    def alone(self, codes: Codes) -> Candidate | None:
        """Which part all rows with these codes are of, if chance seldom has it so.

        Rows as frequent in each part as those of the reference lie in one of them once in a hundred
        at most; of several parts the one that is least by chance. None if there is no such part.

        >>> known = WordRows.learn(np.zeros(12, np.uint8), np.repeat([[1], [2], [3]], 4, axis=0))
        >>> known.alone(np.full((4, 1), 2)), known.alone(np.full((5, 1), 2))
        (None, (0, 2))
        """
        found, least = None, _ONE_IN_100
        for field, column in enumerate(codes.T):
            code = int(column[0])
            if code == UNKNOWN or (column != code).any():
                continue
            by_chance = self.share((field, code)) ** len(column)
            if by_chance <= least:
                found, least = (field, code), by_chance
        return found

    def share(self, part: Candidate) -> float:
        """How many of these rows are of a part."""
        field, code = part
        return float(self.counts[self.codes[:, field] == code].sum() / self.counts.sum())

    def baseline(self, word: int, width: int) -> Baseline:
        """What is known of whether a row has this word; codes are below `width`."""
        is_it = (self.words == word).repeat(self.counts).astype(np.float64)
        return Baseline.learn(is_it, self.codes.repeat(self.counts, axis=0), width)
