"""One series with its slices: what moved, and what explains it.

All of a group is looked at together, so that what its slices show is told in the order in which the
observations came, however they were cut into calls. Of words, and of much else, only the whole is
watched, and its slices merely explain it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from schemas.config import Model
from streams.finding import Finding
from streams.observations.slicing import WHOLE, Labels, is_sliced, sliced, whole_and_slice
from streams.series.change import Change, NewWord
from streams.series.drift_finding import new_value_finding
from streams.series.kept import Kept
from streams.series.record import Bulk
from streams.series.seen import Floats, SeriesId
from streams.slices.explained import Explained, Explanation
from streams.slices.fold import Fold, Part, Step
from streams.slices.record import RECORD, RECORD_1, GroupRecord, GroupRecord1, read_record
from streams.slices.words import folded_finding, placed

_NAMES_KEPT = 250


class _Pending(NamedTuple):
    row: int
    part: Part


class Group:
    """`key` is that of the whole; by the fields `paths` it has series for its slices.

    `is_spread`: its observations are those of slices, too: of what models say all, of inputs the
    numbers. Without the whole, where a bound refused it, nothing is told.
    """

    def __init__(
        self, key: SeriesId, labels: Labels, model: Model | None, paths: Sequence[str]
    ) -> None:
        self.key = key
        self.is_spread = is_sliced(key[1], key[2])
        self._heads = tuple(f"{path}=" for path in paths)
        self._labels = labels
        self._model = model
        self._members: dict[str, Kept] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._is_asked = False
        self._fold = Fold()
        self._explained: Explained | None = None
        self._is_outgrown = False
        self._is_early = False  # rows are held against what came before the whole had a reference
        self._frozen: object = None
        self._pending: list[_Pending] = []

    @property
    def members(self) -> list[Kept]:
        """The series: the whole first, then its slices by name."""
        return list(self._members.values())

    def has_series(self, slice_: str) -> bool:
        """Whether this slice is watched, or it is the whole."""
        return slice_ == WHOLE or slice_.startswith(self._heads)

    def join(self, slice_: str, kept: Kept) -> None:
        """One of its series; in the same order however they come."""
        self._members[slice_] = kept
        self._members = dict(sorted(self._members.items()))
        if slice_ == WHOLE:
            self.is_spread |= bool(self._heads) and kept.kind == "number"
            self._explained = Explained(self.key[2], kept.kind, self._labels)

    def names(self, slices: tuple[str, ...]) -> tuple[str, ...]:
        """The subjects of those of these slices that have series.

        None where a bound has refused the whole.
        """
        if self._explained is None and self._is_asked:
            return ()
        self._is_asked = True
        names = self._names.get(slices)
        if names is None:
            if len(self._names) >= _NAMES_KEPT:
                self._names.clear()
            names = tuple(sliced(self.key[2], one) for one in slices if self.has_series(one))
            self._names[slices] = names
        return names

    def take(self, kept: Kept, values: Floats | Sequence[str], codes: bytes) -> None:
        """Observations of one of its series and their slices; all of them are the whole's, too."""
        if self._explained is not None and kept is self._members[WHOLE]:
            self._explained.take(values, codes)

    def pend(self, kept: Kept, change: Change, seen_n: int | None) -> None:
        """A change of one of its series, shown by one of `seen_n` observations just looked at.

        None: a decision of a person brought it about.
        """
        if self._explained is None:
            return
        _, slice_ = whole_and_slice(kept.id[1], kept.id[2])
        ago_n = 0 if seen_n is None else seen_n - 1 - kept.series.place
        row = self._explained.row(slice_, ago_n)
        self._pending.append(_Pending(row, Part(slice_, change, kept.series.is_promised)))

    def new_word(self, kept: Kept, new: NewWord, seen_n: int | None) -> Finding:
        """What is to be told of new words, the newest one of `seen_n` just looked at."""
        found = new_value_finding(self.key, new, self._model)
        if self._explained is None or seen_n is None or not new.holds:
            return found
        row = self._explained.row(WHOLE, seen_n - 1 - kept.series.place)
        return placed(found, self._explained.new_in(new.n, row))

    def conclude(self) -> Iterator[Finding]:
        """What is to be told of the changes since the last call; all series have been looked at."""
        explained = self._explained
        if explained is None:
            return
        pending, self._pending = self._pending, []
        by_row: dict[int, list[Part]] = {}
        for row, part in sorted(pending, key=lambda one: (one.row, one.part.slice)):
            by_row.setdefault(row, []).append(part)
        for row, parts in by_row.items():
            step = self._fold.take(parts)
            if step is not None:
                yield self._finding(explained, step, parts, row)
        self._hold_against(explained)
        if self._members[WHOLE].series.closed:
            explained.forget()
        explained.rows.settle()

    def news(self) -> Iterator[Bulk]:
        """What is to be written of it."""
        if self._explained is None:
            return
        yield from self._explained.news()
        if self._is_outgrown:
            self._is_outgrown = False
            yield RECORD_1, None
        record = GroupRecord(self._paths, self._fold, is_early=self._is_early)
        record = self._explained.record(record)
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
        self._fold.keep([one for one in self._fold.away if self.has_series(one)])
        if record.paths == self._paths and self._explained is not None:
            self._is_early = record.is_early
            self._explained.restore(record, bulk)

    def _hold_against(self, explained: Explained) -> None:
        """Rows are held against those of the whole's reference.

        Its slices have theirs sooner: until then against all that had come when the first one had,
        and on, if the whole learnt while something was away, what is explained by those rows.
        """
        reference, was = self._members[WHOLE].series.original, self._frozen
        self._frozen = reference
        if reference is not was:
            if reference is None or not (self._is_early and self._fold.away):
                self._is_early = False
                explained.begin(has_reference=reference is not None)
        elif reference is None:
            is_early = any(kept.series.original is not None for kept in self._members.values())
            if is_early != self._is_early:
                self._is_early = is_early
                explained.begin(has_reference=is_early)

    @property
    def _paths(self) -> list[str]:
        return [self._labels.field(number) for number in range(self._labels.fields_n)]

    def _finding(
        self, explained: Explained, step: Step, parts: Iterable[Part], row: int
    ) -> Finding:
        part, *_ = parts
        is_over = step in ("returned", "ended")
        why = Explanation() if is_over else self._explanation(explained, part, row)
        signal = self._fold.signal(step, [one.slice for one in why.slices])
        shown = part.slice if is_over else self._fold.shown()
        change = part.change if is_over else self._fold.away[shown].change
        if why.levels is not None:
            shown, change = WHOLE, replace(change, **why.levels._asdict())
        elif not is_over and shown and change.what == "alarm":
            change = explained.precise(change, shown, row)
        found = folded_finding(
            self.key,
            self._members[part.slice].kind,
            change,
            signal,
            shown=shown,
            why=why,
            model=self._model,
            promised=part.promised or self._fold.promised,
        )
        return replace(found, at_us=part.change.at_us)

    def _explanation(self, explained: Explained, part: Part, row: int) -> Explanation:
        """Where the rows name nobody: those whose own series did, where the whole's did not.

        Not where it could not, since it learnt, and the rows show that all moved.
        """
        since_n = part.change.changed_n or part.change.current_n
        alone = () if WHOLE in self._fold.away else self._fold.away
        return explained.explain(part.slice, since_n, row, alone, is_early=self._is_early)
