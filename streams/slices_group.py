"""One series with its slices: what moved, and what explains it.

All of a group is looked at together, so that what its slices show is told in the order in which the
observations came, however they were cut into calls.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from detectors.attribution import attribute, shift_of
from detectors.baseline import ALL, Baseline, Codes
from schemas.config import Model
from schemas.incident import Slice
from streams.change import Change
from streams.finding import Finding
from streams.fold import Fold, Part, Step
from streams.kept import Kept
from streams.seen import Floats, SeriesId
from streams.series_record import Bulk
from streams.slices import WHOLE, Labels, sliced, whole_and_slice
from streams.slices_record import (
    BASELINE,
    RECORD,
    RECORD_1,
    GroupRecord,
    GroupRecord1,
    baseline_bytes,
    read_baseline,
    read_record,
)
from streams.slices_rows import CHUNK_N, Rows, chunk_name
from streams.slices_words import folded_finding

_TOLD = 20


class _Pending(NamedTuple):
    row: int
    part: Part


class Group:
    """`key` is that of the whole."""

    def __init__(self, key: SeriesId, labels: Labels, model: Model | None) -> None:
        self.key = key
        self._labels = labels
        self._model = model
        self._members: dict[str, Kept] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._rows = Rows(labels.fields_n)
        self._fold = Fold()
        self._baseline: Baseline | None = None
        self._is_baseline_written = True
        self._is_outgrown = False
        self._frozen: object = None
        self._pending: list[_Pending] = []

    @property
    def members(self) -> list[Kept]:
        """The series: the whole first, then its slices by name."""
        return list(self._members.values())

    def join(self, slice_: str, kept: Kept) -> None:
        """One of its series; in the same order however they come."""
        self._members[slice_] = kept
        self._members = dict(sorted(self._members.items()))

    def append(self, value: float, codes: bytes) -> bool:
        """Take a row; whether there is a series to be explained by it."""
        if self._rows.fresh_n and WHOLE not in self._members:
            self._rows.forget_fresh()  # a bound has refused the series
            return False
        self._rows.append(value, codes)
        return True

    def names(self, slices: tuple[str, ...]) -> tuple[str, ...]:
        """The subjects of its series for these slices."""
        names = self._names.get(slices)
        if names is None:
            if len(self._names) >= CHUNK_N:
                self._names.clear()
            names = tuple(sliced(self.key[2], slice_) for slice_ in slices)
            self._names[slices] = names
        return names

    def pend(self, kept: Kept, change: Change, seen_n: int | None) -> None:
        """A change of one of its series, shown by one of `seen_n` observations just looked at.

        None: a decision of a person brought it about.
        """
        _, slice_ = whole_and_slice(kept.id[1], kept.id[2])
        ago_n = 0 if seen_n is None else seen_n - 1 - kept.series.place
        row = self._rows.n - 1 - ago_n
        found = self._labels.candidate(slice_)
        if found is not None and self._rows.fresh_n:
            mine = self._rows.places(*found)
            row = int(mine[-1 - ago_n]) if len(mine) > ago_n else row
        self._pending.append(_Pending(row, Part(slice_, change, kept.series.is_promised)))

    def conclude(self) -> Iterator[Finding]:
        """What is to be told of the changes since the last call; all series have been looked at."""
        pending, self._pending = self._pending, []
        by_row: dict[int, list[Part]] = {}
        for row, part in sorted(pending, key=lambda one: (one.row, one.part.slice)):
            by_row.setdefault(row, []).append(part)
        for row, parts in by_row.items():
            step = self._fold.take(parts)
            if step is not None:
                yield self._finding(step, parts, row)
        self._follow_reference()
        self._rows.settle()

    def news(self) -> Iterator[Bulk]:
        """What is to be written of it."""
        yield from self._rows.news()
        if not self._is_baseline_written:
            self._is_baseline_written = True
            known = self._baseline
            yield BASELINE, None if known is None else baseline_bytes(known)
        if self._is_outgrown:
            self._is_outgrown = False
            yield RECORD_1, None
        record = GroupRecord(self._paths, self._fold, self._rows.first, self._rows.tail)
        yield RECORD, msgspec.msgpack.encode(record)

    def restore(self, bulk: Mapping[str, bytes]) -> None:
        """Take up what was written; under other fields only what of it still has a meaning."""
        self._frozen = self._members[WHOLE].series.original
        record = read_record(bulk)
        if record is None:
            return
        if isinstance(record, GroupRecord1):
            self._is_outgrown = True
            self._labels.take_up(record.by_path())
            self._labels.has_grown = True  # they are to be written as the site's
        self._fold = record.fold
        if record.paths != self._paths:
            told = self._labels.told()
            self._fold.keep([WHOLE, *(one for path in self._paths for one in told.get(path, ()))])
            return
        chunk, chunks = record.first // CHUNK_N, []
        while (raw := bulk.get(chunk_name(chunk))) is not None:
            chunks.append(raw)
            chunk += 1
        self._rows.read(record.first, chunks, record.tail)
        if BASELINE in bulk:
            self._baseline = read_baseline(bulk[BASELINE], self._labels.width)

    @property
    def _paths(self) -> list[str]:
        return [self._labels.field(number) for number in range(self._labels.fields_n)]

    def _follow_reference(self) -> None:
        """A new reference of the whole is one of the rows, too."""
        whole = self._members.get(WHOLE)
        original = whole.series.original if whole else None
        if original is self._frozen:
            return
        self._frozen, self._is_baseline_written = original, False
        self._baseline = None
        if original is not None and self._rows.n:
            values, codes, _ = self._rows.until(self._rows.n - 1)
            self._baseline = Baseline.learn(values, codes, self._labels.width)

    def _finding(self, step: Step, parts: Iterable[Part], row: int) -> Finding:
        part, *_ = parts
        is_over = step in ("returned", "ended")
        slices, mix = ([], []) if is_over else self._explained(part, row)
        signal = self._fold.signal(step, [one.slice for one in slices])
        shown = part.slice if is_over else self._fold.shown()
        change = part.change if is_over else self._fold.away[shown].change
        if not is_over and shown and change.what == "alarm":
            change = self._precise(change, shown, row)
        found = folded_finding(
            self.key,
            self._members[part.slice].kind,
            change,
            signal,
            shown=shown,
            slices=slices,
            mix=mix,
            model=self._model,
            promised=part.promised or self._fold.promised,
        )
        return replace(found, at_us=part.change.at_us)

    def _explained(self, part: Part, row: int) -> tuple[list[Slice], list[str]]:
        """The slices that moved since this change began, and the fields of other shares."""
        if self._baseline is None:
            return [], []
        values, codes = self._since(part, row)
        found = attribute(self._baseline, values, codes)
        slices = [
            Slice(
                slice=self._labels.slice(*one.candidate),
                share=round(one.share, 4),
                shift=round(one.shift, 4),
            )
            for one in found.found
            if one.candidate != ALL
        ]
        if not slices:
            slices = self._by_alarm(values, codes)
        mix = [self._labels.field(number) for number in found.mix]
        return slices[:_TOLD], mix

    def _by_alarm(self, values: Floats, codes: Codes) -> list[Slice]:
        """The rows do not name any: those whose own series did, where that of the whole did not."""
        assert self._baseline is not None
        if WHOLE in self._fold.away:
            return []
        slices = []
        for name in self._fold.away:
            candidate = self._labels.candidate(name)
            if candidate is not None:
                one = shift_of(self._baseline, values, codes, candidate)
                share, shift = round(one.share, 4), round(one.shift, 4)
                slices.append(Slice(slice=name, share=share, shift=shift))
        return slices

    def _since(self, part: Part, row: int) -> tuple[Floats, Codes]:
        """The rows since the change that this shows began, as far back as they are kept."""
        values, codes, _ = self._rows.until(row)
        mine = self._mine(codes, part.slice)
        since_n = part.change.changed_n or part.change.current_n
        first = int(mine[-since_n]) if 0 < since_n <= len(mine) else 0
        return values[first:], codes[first:]

    def _precise(self, change: Change, slice_: str, row: int) -> Change:
        """An alarm's mean since to the observation, not to a whole block, if it is still kept."""
        values, codes, _ = self._rows.until(row)
        mine = self._mine(codes, slice_)
        since_n = change.changed_n
        if not 0 < since_n <= len(mine):
            return change
        return replace(change, after=float(values[mine[-since_n:]].mean()), current_n=since_n)

    def _mine(self, codes: Codes, slice_: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        found = self._labels.candidate(slice_)
        if found is None:
            return np.arange(len(codes))
        return np.flatnonzero(codes[:, found[0]] == found[1])
