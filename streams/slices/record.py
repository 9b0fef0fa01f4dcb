"""A series with its slices written down: one small record, and a baseline that is written once.

The values of the site's fields are no part of it: they are a record of the site
(streams.observations.slicing.SiteLabels), so that what is written of a group does not depend on
when it was.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
from msgspec import Struct, field

from detectors.baseline import Baseline
from detectors.word_rows import WordRows
from streams.slices.fold import Fold

RECORD, BASELINE, WORDS = "slices/2", "slices/baseline/1", "slices/words/1"
RECORD_1 = "slices/1"


class GroupRecord(Struct, omit_defaults=True):
    """Of a group all that is small; `paths` are the fields whose codes its rows have.

    `words` are those that its rows have as numbers, if it is one of words. `is_early`: its baseline
    is of what came before the whole had a reference.
    """

    paths: list[str]
    fold: Fold = field(default_factory=Fold)
    first: int = 0
    tail: bytes = b""
    words: list[str] = field(default_factory=list)
    is_early: bool = False


class GroupRecord1(GroupRecord, kw_only=True):
    """Version 1, with a copy of the site's labels as of the group's own last change: read only."""

    labels: list[list[str]]

    def by_path(self) -> dict[str, list[str]]:
        """Its labels by their field."""
        return dict(zip(self.paths, self.labels, strict=True))


class Summary(Struct, array_like=True):
    """A baseline as it is written down: doubles and counts, little-endian.

    Those that were written before there were `variances` or `more_n` have none.
    """

    knots: bytes
    level: tuple[float, float]
    effects: bytes
    counts: bytes
    fields_n: int
    sd: float
    variances: bytes = b""
    more_n: bytes = b""


class WordSummary(Struct, array_like=True):
    """Rows of words as they are written down: a byte for the word and for each part, and counts."""

    parts_n: int
    rows: bytes
    counts: bytes


_records = msgspec.msgpack.Decoder(GroupRecord)
_records_1 = msgspec.msgpack.Decoder(GroupRecord1)
_summaries = msgspec.msgpack.Decoder(Summary)
_word_summaries = msgspec.msgpack.Decoder(WordSummary)


def read_record(bulk: Mapping[str, bytes]) -> GroupRecord | None:
    """What was written of a group last; None for nothing."""
    if RECORD in bulk:
        return _records.decode(bulk[RECORD])
    return _records_1.decode(bulk[RECORD_1]) if RECORD_1 in bulk else None


def baseline_bytes(known: Baseline) -> bytes:
    """A baseline to be written."""
    summary = Summary(
        known.knots.astype("<f8").tobytes(),
        known.level,
        known.effects.astype("<f8").tobytes(),
        known.counts.astype("<i8").tobytes(),
        len(known.counts),
        known.sd,
        known.variances.astype("<f8").tobytes(),
        known.more_n.astype("<f8").tobytes(),
    )
    return msgspec.msgpack.encode(summary)


def read_baseline(raw: bytes, width: int) -> Baseline:
    """A baseline as it was written; codes may have become as many as `width` since."""
    summary = _summaries.decode(raw)
    effects = np.frombuffer(summary.effects, "<f8").reshape(summary.fields_n, -1)
    counts = np.frombuffer(summary.counts, "<i8").reshape(summary.fields_n, -1)
    variances = np.frombuffer(summary.variances or bytes(effects.nbytes), "<f8")
    more = ((0, 0), (0, max(0, width - counts.shape[1])))
    return Baseline(
        np.frombuffer(summary.knots, "<f8"),
        summary.level,
        np.pad(effects, more),
        np.pad(counts, more),
        np.pad(variances.reshape(effects.shape), more),
        summary.sd,
        np.frombuffer(summary.more_n or bytes(8 * summary.fields_n), "<f8"),
    )


def words_bytes(known: WordRows) -> bytes:
    """A reference of words to be written."""
    rows = np.column_stack((known.words, known.codes))
    counts = known.counts.astype("<u4").tobytes()
    return msgspec.msgpack.encode(WordSummary(known.codes.shape[1], rows.tobytes(), counts))


def read_words(raw: bytes) -> WordRows:
    """A reference of words as it was written."""
    summary = _word_summaries.decode(raw)
    rows = np.frombuffer(summary.rows, np.uint8).reshape(-1, 1 + summary.parts_n)
    counts = np.frombuffer(summary.counts, "<u4").astype(np.int64)
    return WordRows(rows[:, 0], rows[:, 1:], counts)
