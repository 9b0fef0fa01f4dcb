"""Series of words, and of yes and no: how often each came, and the cells that its reference has."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Self, cast

import detectors
from detectors.categories import DISTINCT_MAX, Categories
from schemas.series import Note
from streams.agreement import counts_agree
from streams.seen import Floats, Readings, Sample, Seen, Vote
from streams.votes import Basis, States, word_votes

YES, NO = "yes", "no"
_LEAST_RELEARN_N = 60


class WordSample:
    """How often each word came. More than a category has, and they are names."""

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self.counts: Counter[str] = Counter(counts)

    @property
    def n(self) -> int:
        """How many observations."""
        return self.counts.total()

    @property
    def is_of_names(self) -> bool:
        """Whether it has more different words than a category has."""
        return len(self.counts) > DISTINCT_MAX

    def take(self, seen: Seen) -> int:
        """Let it grow, up to the word that is one too many."""
        words = cast(Sequence[str], seen.values)
        if len(self.counts) + seen.n <= DISTINCT_MAX:
            self.counts.update(words)
            return seen.n
        for taken, word in enumerate(words, start=1):
            self.counts[word] += 1
            if self.is_of_names:
                return taken
        return seen.n

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """Whether each is the word that came first."""
        first = next(iter(self.counts), values[0])
        return [float(word == first) for word in values]

    def freeze(self) -> "WordReference":
        """The reference that it makes."""
        return WordReference(Categories.from_counts(self.counts))


class YesNoSample(WordSample):
    """Yes and no, neither of which is ever news."""

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """Yes is 1."""
        return [float(word == YES) for word in values]

    def freeze(self) -> "YesNoReference":
        """The reference that it makes."""
        return YesNoReference(Categories.from_counts({NO: 0, YES: 0} | self.counts))


class WordReference:
    """Words are held against their shares. They are drawn as the share of the usual one."""

    ratio = 1.0
    usual: str

    def __init__(self, categories: Categories, notes: Iterable[Note] = ()) -> None:
        self._categories = categories
        self._counts = cast(dict[str, int], categories.as_counts())
        self.notes = tuple(notes)
        self.n = sum(self._counts.values())
        self.usual = next(iter(self._counts))

    @property
    def mean(self) -> float:
        """The share of the usual word."""
        return self._counts[self.usual] / self.n

    @property
    def relearn_n(self) -> int:
        """Half as many."""
        return max(_LEAST_RELEARN_N, self.n // 2)

    def mean_of(self, sample: Sample) -> float:
        """The share of the usual word in a sample."""
        counts = cast(WordSample, sample).counts
        return counts[self.usual] / counts.total()

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """Whether each is the usual word."""
        return [float(word == self.usual) for word in values]

    def unseen(self, values: Floats | Sequence[str]) -> list[int]:
        """The places of the words that it does not have."""
        known = self._counts
        return [place for place, word in enumerate(values) if word not in known]

    def readings(self, seen: Seen) -> Readings:
        """Cells alone: words have no order."""
        cells = self._categories.cells(cast(Sequence[str], seen.values))
        return Readings(scores=None, cells=cells)

    def arm(self, promise: detectors.Promise, states: States) -> dict[str, Vote]:
        """One vote, on the mixture."""
        return word_votes(promise, Basis(self.n, self._categories.counts), states)

    def agrees(self, fresh: Sample) -> bool:
        """Whether a fresh sample shows no difference."""
        return counts_agree(self._counts, cast(WordSample, fresh).counts)

    def to_bytes(self) -> bytes:
        """The categories' own format."""
        return self._categories.to_bytes()

    @classmethod
    def read(cls, record: bytes, notes: Iterable[Note]) -> Self:
        """The reference of a record."""
        return cls(Categories.from_bytes(record), notes)


class YesNoReference(WordReference):
    """Yes and no are drawn as the share of yes."""

    def __init__(self, categories: Categories, notes: Iterable[Note] = ()) -> None:
        super().__init__(categories, notes)
        self.usual = YES

    def unseen(self, values: Floats | Sequence[str]) -> list[int]:
        """Neither is ever news."""
        return []
