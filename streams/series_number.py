"""Series of numbers: a sample in the order in which it came, and the reference it makes."""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import cast

import numpy as np
from numpy.typing import NDArray

import detectors
from detectors.cells import number_cells
from detectors.stability import is_stable
from detectors.standard import Standard
from schemas.series import Note
from streams.agreement import scores_agree
from streams.seen import Floats, Readings, Sample, Seen, Vote
from streams.votes import Basis, States, number_votes

_LEAST_RELEARN_N = 60
_STRONG_DEPENDENCE = 10.0  # variance ratio from which half a reference is too short to judge by
_ROW = np.dtype([("value", "<f4"), ("draw", "<u4"), ("weekhour", "u1")])
_NO_WEEKHOUR = 255
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

    def freeze(self) -> "NumberReference":
        """The reference that it makes."""
        values, uniforms, weekhours = self.columns()
        notes: list[Note] = []
        standard = Standard.learn(values, uniforms, weekhours)
        if not is_stable(values):
            notes.append("unstable_reference")
        if not standard.dependence.promised:
            notes.append("not_promised")
        return NumberReference(standard, notes)

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


class NumberReference:
    """Numbers are held against their ranks, and their mixture against its shares."""

    usual = None

    def __init__(self, standard: Standard, notes: Iterable[Note] = ()) -> None:
        self._standard = standard
        self._cells = number_cells(standard)
        self.ratio = standard.dependence.ratio
        self.notes = tuple(notes)
        self.n = standard.n
        self.mean = standard.mean

    @property
    def relearn_n(self) -> int:
        """Half as many, or as many where each value follows the last."""
        strong = self.ratio > _STRONG_DEPENDENCE
        return max(_LEAST_RELEARN_N, self.n if strong else self.n // 2)

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
        scores = self._standard.scores(values, seen.uniforms, seen.weekhours.astype(np.int64))
        return Readings(scores, self._cells.cells(values, scores), seen.weekdays)

    def arm(self, promise: detectors.Promise, states: States) -> dict[str, Vote]:
        """A vote for each detector."""
        basis = Basis(self.n, self._cells.counts, self._standard.dependence)
        return number_votes(promise, basis, states)

    def agrees(self, fresh: Sample) -> bool:
        """Whether a fresh sample shows no difference."""
        values, uniforms, weekhours = cast(NumberSample, fresh).columns()
        if weekhours is None and self._standard.strata_n > 1:
            weekhours = np.zeros(len(values), np.int64)
        scores = self._standard.scores(values, uniforms, weekhours) * sqrt(self.ratio)
        return scores_agree(scores, self.n / self.ratio, len(values) / self.ratio)

    def to_bytes(self) -> bytes:
        """The standard's own format."""
        return self._standard.to_bytes()

    @classmethod
    def read(cls, record: bytes, notes: Iterable[Note]) -> "NumberReference":
        """The reference of a record."""
        return cls(Standard.from_bytes(record), notes)


def rows_of_version_1(values: Floats) -> bytes:
    """A sample of values alone as rows: draws spread evenly, no hours of the week."""
    rows = np.empty(len(values), _ROW)
    rows["value"] = values
    rows["draw"] = (np.arange(len(values)) * _GOLDEN_SHARE) % 1 * 2.0**32
    rows["weekhour"] = _NO_WEEKHOUR
    return rows.tobytes()
