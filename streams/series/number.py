"""Series of numbers: a sample in the order in which it came, and the reference it makes."""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

import detectors
from detectors import StateUnreadable
from detectors.cells import number_cells
from detectors.day_levels import DayLevels
from detectors.stability import is_stable
from detectors.standard import Standard
from schemas.series import Note
from streams.series.agreement import greatest_gap, scores_agree
from streams.series.number_mixture import NOT_KNOWN, Mixture
from streams.series.seen import NO_STATES, Counts, Floats, Readings, Sample, Seen, States, Vote
from streams.series.votes import Basis, number_votes
from streams.series.week import usual_days

_ROW = np.dtype([("value", "<f4"), ("draw", "<u4"), ("weekhour", "u1")])
_NO_WEEKHOUR = 255
_FORMAT = 2  # of one with what is known of its mixture
_GOLDEN_SHARE = (sqrt(5) - 1) / 2


class NumberSample:
    """Values as a reference holds them, each with its draw among equals and hour of the week."""

    is_of_names = False

    def __init__(self) -> None:
        self._raw = bytearray()

    @property
    def n(self) -> int:
        """How many observations."""
        return len(self._raw) // _ROW.itemsize

    def take(self, seen: Seen) -> int:
        """Let it grow; all are taken."""
        rows = np.empty(seen.n, _ROW)
        rows["value"] = cast(Floats, seen.values)
        rows["draw"] = seen.uniforms * 2.0**32
        rows["weekhour"] = seen.weekhours
        self._raw += rows.tobytes()
        return seen.n

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """Numbers are drawn as they are."""
        images: list[float] = cast(Floats, values).tolist()
        return images

    def freeze(
        self, *, of_usual_days: bool = False, notes: Sequence[Note] = ()
    ) -> "NumberReference":
        """The reference that it makes, or that its usual kind of day does."""
        values, uniforms, weekhours = self.columns()
        notes = [*notes]
        if of_usual_days and weekhours is not None:
            usual = usual_days(weekhours // 24)
            if usual is not None:
                mine, note = usual
                values, uniforms, weekhours = values[mine], uniforms[mine], weekhours[mine]
                notes.append(note)
        standard = Standard.learn(values, uniforms, weekhours)
        scores = standard.scores(values, uniforms, weekhours)
        # A weekend at its end would be a change to a sample of eight days.
        if not is_stable(scores if standard.is_seasonal else values):
            notes.append("unstable_reference")
        if not standard.dependence.promised:
            notes.append("not_promised")
        mixture = NOT_KNOWN
        if weekhours is not None:
            known, ratio, weekdays = (
                number_cells(standard),
                standard.dependence.ratio,
                weekhours // 24,
            )
            left = _levels_of(standard).innovations(scores, weekhours).scores
            mixture = Mixture.learn(known, (values, left), weekdays, ratio)
        return NumberReference(standard, notes, mixture)

    def columns(self) -> tuple[Floats, Floats, NDArray[np.int64] | None]:
        """Values, uniforms and hours of the week, None where those of some are not known."""
        rows = np.frombuffer(bytes(self._raw), _ROW)
        weekhours = rows["weekhour"].astype(np.int64)
        return (
            rows["value"].astype(np.float64),
            (rows["draw"] + 0.5) * 2.0**-32,
            None if (weekhours == _NO_WEEKHOUR).any() else weekhours,
        )

    def written(self, start: int, stop: int | None = None) -> bytes:
        """The rows from `start` to before `stop`, 9 bytes each."""
        end = None if stop is None else stop * _ROW.itemsize
        return bytes(self._raw[start * _ROW.itemsize : end])

    def read(self, rows: bytes) -> None:
        """Go on by written rows."""
        self._raw += rows


class _Record(msgspec.Struct, array_like=True):
    format: int
    standard: bytes
    by_day: tuple[list[int], list[int]] | None
    overdispersion: list[list[list[float]]] = []


class NumberReference:
    """Numbers are held against their ranks, and their mixture against its shares."""

    def __init__(
        self, standard: Standard, notes: Iterable[Note] = (), mixture: Mixture = NOT_KNOWN
    ) -> None:
        self.standard = standard
        self._cells = number_cells(standard)
        self._mixture = mixture
        self.ratio = standard.dependence.ratio
        self.notes = tuple(notes)
        self.n = standard.n
        self.mean = standard.mean

    def moved(self, counts: Counts) -> None:
        """Numbers have no words."""

    def moved_in(self, sample: Sample) -> None:
        """Numbers have no words."""

    def mean_of(self, sample: Sample) -> float:
        """The mean of a sample."""
        values, _, _ = cast(NumberSample, sample).columns()
        return float(values.mean())

    def images(self, values: Floats | Sequence[str]) -> list[float]:
        """Numbers are drawn as they are."""
        images: list[float] = cast(Floats, values).tolist()
        return images

    def unseen(self, values: Floats | Sequence[str]) -> list[int]:
        """No number is news by itself."""
        return []

    def readings(self, seen: Seen) -> Readings:
        """Scores and cells."""
        values = cast(Floats, seen.values)
        weekhours = seen.weekhours.astype(np.int64)
        scores = self.standard.scores(values, seen.uniforms, weekhours)
        return Readings(scores, self._cells.cells(values, scores), weekhours)

    def arm(
        self, promise: detectors.Promise, states: States, levels: DayLevels | None = None
    ) -> dict[str, Vote]:
        """A vote for each detector."""
        ratio, mixture, dependence = self.ratio, self._mixture, self.standard.dependence
        if levels is not None:
            effective_n = dependence.effective_n / levels.ratio
            dependence = dependence._replace(effective_n=effective_n)
        basis = Basis(
            self.n,
            mixture.of_all(self._cells.counts, ratio),
            dependence,
            mixture.of_kinds(ratio),
        )
        return number_votes(promise, basis, states)

    def levels(self, known: DayLevels | None) -> DayLevels:
        """They go on under another reference; at first they are those of its own days."""
        if known is None:
            return _levels_of(self.standard)
        spread_ratio = self.standard.dependence.spread_ratio
        return known.held_against(self.standard.days, self.ratio, spread_ratio)

    def levelled(self, readings: Readings, levels: DayLevels | None) -> Readings:
        """Innovations of their scores, and the cells of those."""
        if levels is None or readings.scores is None:
            return readings
        scores, shown, drawn = levels.innovations(readings.scores, readings.weekhours)
        if not len(shown):
            return readings._replace(drawn=drawn)
        cells = self._cells.levelled(readings.cells, scores)
        return Readings(scores, cells, readings.weekhours, shown, drawn)

    def tell(self, sample: Sample, levels: DayLevels | None, *, again: bool) -> None:
        """Its days differ as those do that were watched."""
        values, uniforms, weekhours = cast(NumberSample, sample).columns()
        if levels is not None and weekhours is not None:
            if again:
                levels.forget_days()
            scores = self.standard.scores(values, uniforms, weekhours)
            levels.innovations(scores, weekhours)

    def agrees(
        self, fresh: Sample, levels: DayLevels | None = None, states: States = NO_STATES
    ) -> bool:
        """Whether a fresh sample shows no difference beyond what days have of their own."""
        scores, ratio = self._scores(fresh), self.ratio
        if levels is not None:
            ratio *= max(levels.ratio, levels.spread_ratio)
        return scores_agree(scores, self.n / ratio, len(scores) / ratio)

    def apart(self, fresh: Sample) -> float:
        """By Kolmogorov's distance."""
        return greatest_gap(self._scores(fresh))

    def _scores(self, fresh: Sample) -> Floats:
        """Normal ones, of whatever dependence."""
        values, uniforms, weekhours = cast(NumberSample, fresh).columns()
        if weekhours is None and self.standard.strata_n > 1:
            weekhours = np.zeros(len(values), np.int64)
        return self.standard.scores(values, uniforms, weekhours) * sqrt(self.ratio)

    def to_bytes(self) -> bytes:
        """The standard's own format, or one with what is known of the mixture."""
        standard = self.standard.to_bytes()
        if self._mixture == NOT_KNOWN:
            return standard
        return msgspec.msgpack.encode(
            _Record(_FORMAT, standard, *msgspec.structs.astuple(self._mixture))
        )

    @classmethod
    def read(cls, record: bytes, notes: Iterable[Note]) -> "NumberReference":
        """The reference of a record. Raises StateUnreadable.

        Format 1 had nothing of blocks.
        """
        try:
            read = msgspec.msgpack.decode(record, type=_Record)
        except msgspec.MsgspecError:
            return cls(Standard.from_bytes(record), notes)
        standard = Standard.from_bytes(read.standard)
        mixture = Mixture(read.by_day, read.overdispersion)
        reference = cls(standard, notes, mixture)
        if read.format not in (1, _FORMAT) or not mixture.may_be_of(len(reference._cells.counts)):
            raise StateUnreadable("not a record of numbers and their mixture")
        return reference


def _levels_of(standard: Standard) -> DayLevels:
    """By what its own days tell."""
    return DayLevels(standard.days, standard.dependence.ratio, standard.dependence.spread_ratio)


def rows_of_version_1(values: Floats) -> bytes:
    """A sample of values alone as rows: draws spread evenly, no hours of the week."""
    rows = np.empty(len(values), _ROW)
    rows["value"] = values
    rows["draw"] = (np.arange(len(values)) * _GOLDEN_SHARE) % 1 * 2.0**32
    rows["weekhour"] = _NO_WEEKHOUR
    return rows.tobytes()
