"""What explains a change of one series: its last rows, held against those of its reference."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from detectors.attribution import attribute, strongest
from detectors.baseline import ALL, Baseline, Candidate, Codes
from detectors.word_rows import WordRows, Words
from schemas.incident import Slice
from streams.observations.slicing import Labels, may_explain
from streams.series.change import Change
from streams.series.record import Bulk
from streams.series.seen import Floats, Moved, SeriesKind
from streams.series.word_reference import YES
from streams.slices.record import (
    BASELINE,
    WORDS,
    GroupRecord,
    baseline_bytes,
    read_baseline,
    read_words,
    words_bytes,
)
from streams.slices.rows import CHUNK_N, Rows, chunk_name

_TOLD = 20
_WORDS_MAX = 255  # all others are one more


class Levels(NamedTuple):
    """Of all rows: their mean in the reference and now, and how many those are."""

    before: float
    after: float
    reference_n: int
    current_n: int


class Explanation(NamedTuple):
    """The slices that moved, the fields whose values come in other shares, and of words which.

    `levels`: all moved, and no series of the whole says from where to where.
    """

    slices: Sequence[Slice] = ()
    mix: Sequence[str] = ()
    moved: Moved | None = None
    levels: Levels | None = None


class Explained:
    """The rows of one series, and what is known of those that its reference was learnt from."""

    def __init__(self, subject: str, kind: SeriesKind, labels: Labels) -> None:
        self._kind = kind
        self._labels = labels
        fields = range(labels.fields_n)
        self._blind = [one for one in fields if not may_explain(labels.field(one), subject)]
        self.rows = Rows(labels.fields_n, "u1" if kind == "word" else "<f4")
        self._words: dict[str, int] = {}
        self._before: Baseline | WordRows | None = None
        self._is_written = True

    def take(self, values: Floats | Sequence[str], codes: bytes) -> None:
        """Some more observations, and of which slices they are."""
        if self._kind == "word":
            self.rows.take(self._coded(cast(Sequence[str], values)), codes)
        elif self._kind == "yes_no":
            self.rows.take([value == YES for value in values], codes)
        else:
            self.rows.take(values, codes)

    def row(self, slice_: str, ago_n: int) -> int:
        """The row of the observation that was so many before the last one of a slice."""
        found = self._labels.candidate(slice_)
        if found is not None and self.rows.fresh_n:
            mine = self.rows.places(*found)
            if len(mine) > ago_n:
                return int(mine[-1 - ago_n])
        return self.rows.n - 1 - ago_n

    def begin(self, *, has_reference: bool) -> None:
        """There is a new reference, learnt from the rows up to now; or none."""
        self._before, self._is_written = None, False
        if has_reference and self.rows.n:
            values, codes = self._until(self.rows.n - 1)
            if self._kind == "word":
                self._before = WordRows.learn(cast(Words, values), codes)
            else:
                self._before = Baseline.learn(values.astype(np.float64), codes, self._labels.width)

    def forget(self) -> None:
        """Its words are names: nothing of them is kept."""
        self.rows.forget()
        self._words.clear()

    def explain(
        self, slice_: str, since_n: int, row: int, away: Iterable[str], *, is_early: bool = False
    ) -> Explanation:
        """What moved in the rows up to `row` that came with the last `since_n` of a slice.

        Where the rows name nobody, of those whose own series are away while the whole's is not
        the strongest, and whoever explains what that one does not. `is_early`: the whole's cannot
        be away, so that rows are believed where they show that all moved.
        """
        if self._before is None:
            return Explanation()
        values, codes = self._since(slice_, since_n, row)
        baseline, read, moved = self._read(self._before, values)
        found, mix = attribute(baseline, read, codes)
        named = [one for one in found if one.candidate != ALL]
        if is_early and found and not named:
            levels = Levels(baseline.mean, float(read.mean()), int(baseline.n_of(ALL)), len(read))
            return Explanation((), [self._labels.field(one) for one in mix], moved, levels)
        if not named:
            candidates = [self._labels.candidate(name) for name in away]
            known = sorted(one for one in candidates if one is not None)
            named = [*strongest(baseline, read, codes, known)]
        slices = [self._slice(one.candidate, one.share, one.shift) for one in named[:_TOLD]]
        return Explanation(slices, [self._labels.field(one) for one in mix], moved)

    def new_in(self, n: int, row: int) -> list[Slice]:
        """The slice that all of the last `n` words up to `row` come from that are new, if any.

        `share` is that of its studies in the reference, `shift` how many of its words are new
        since: the sd of what never varied is taken to be one.
        """
        known = self._before
        if not isinstance(known, WordRows):
            return []
        words, codes = self._until(row)
        new = np.flatnonzero(~np.isin(words, known.words))[-n:]
        found = known.alone(codes[new]) if len(new) else None
        if found is None:
            return []
        field, code = found
        mine_n = int(np.count_nonzero(codes[new[0] :, field] == code))
        return [self._slice(found, known.share(found), len(new) / mine_n)]

    def precise(self, change: Change, slice_: str, row: int) -> Change:
        """An alarm's mean since to the observation, not to a whole block, if it is still kept."""
        values, codes = self._until(row)
        mine, since_n = self._mine(codes, slice_), change.changed_n
        if not 0 < since_n <= len(mine):
            return change
        after = float(values[mine[-since_n:]].astype(np.float64).mean())
        return replace(change, after=after, current_n=since_n)

    def record(self, record: GroupRecord) -> GroupRecord:
        """With what is small of this."""
        record.first, record.tail, record.words = self.rows.first, self.rows.tail, [*self._words]
        return record

    def news(self) -> Iterator[Bulk]:
        """What is to be written of it that is not small."""
        yield from self.rows.news()
        if not self._is_written:
            self._is_written = True
            known = self._before
            if self._kind == "word":
                yield WORDS, None if known is None else words_bytes(cast(WordRows, known))
            else:
                yield BASELINE, None if known is None else baseline_bytes(cast(Baseline, known))

    def restore(self, record: GroupRecord, bulk: Mapping[str, bytes]) -> None:
        """Take up what was written."""
        chunk, chunks = record.first // CHUNK_N, []
        while (raw := bulk.get(chunk_name(chunk))) is not None:
            chunks.append(raw)
            chunk += 1
        self.rows.read(record.first, chunks, record.tail)
        self._words = {word: code for code, word in enumerate(record.words)}
        if WORDS in bulk:
            self._before = read_words(bulk[WORDS])
        elif BASELINE in bulk:
            self._before = read_baseline(bulk[BASELINE], self._labels.width)

    def _coded(self, words: Sequence[str]) -> Words:
        known = self._words
        if not known.keys() >= {*words}:
            for word in words:
                if len(known) < _WORDS_MAX:
                    known.setdefault(word, len(known))
        return np.array([known.get(word, _WORDS_MAX) for word in words], np.uint8)

    def _read(
        self, before: Baseline | WordRows, values: NDArray[np.generic]
    ) -> tuple[Baseline, Floats, Moved | None]:
        """Rows as numbers; those of words as whether each is the word that moved."""
        if isinstance(before, Baseline):
            return before, values.astype(np.float64), None
        moved = before.most_moved(cast(Words, values))
        words = [*self._words]
        told = words[moved.word] if moved.word < len(words) else None
        is_it = (values == moved.word).astype(np.float64)
        baseline = before.baseline(moved.word, self._labels.width)
        return baseline, is_it, Moved(told, moved.before, moved.after)

    def _slice(self, candidate: Candidate, share: float, shift: float) -> Slice:
        name = self._labels.slice(*candidate)
        return Slice(slice=name, share=round(share, 4), shift=round(shift, 4))

    def _since(self, slice_: str, since_n: int, row: int) -> tuple[NDArray[np.generic], Codes]:
        """The rows since a change began, as far back as they are kept."""
        values, codes = self._until(row)
        mine = self._mine(codes, slice_)
        first = int(mine[-since_n]) if 0 < since_n <= len(mine) else 0
        return values[first:], codes[first:]

    def _until(self, row: int) -> tuple[NDArray[np.generic], Codes]:
        """Without the fields that may not explain it."""
        values, codes = self.rows.until(row)
        if self._blind:
            codes = codes.copy()
            codes[:, self._blind] = 0
        return values, codes

    def _mine(self, codes: Codes, slice_: str) -> NDArray[np.int64]:
        found = self._labels.candidate(slice_)
        if found is None:
            return np.arange(len(codes))
        return np.flatnonzero(codes[:, found[0]] == found[1])
