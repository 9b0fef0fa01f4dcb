"""The last rows of a series that is watched in slices: each value, and of which slices it was.

So that when something moves it can be said what. Rows are numbered from 0 in the order in which
they came; enough are kept that from any row on the last KEPT_N are there. In the changelog they are
chunks, written once, and an unwritten end.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detectors.baseline import Codes
from streams.seen import Floats

KEPT_N = 2_000
CHUNK_N = 250


class Rows:
    """`fresh_n`: how many have come since they were last settled."""

    def __init__(self, fields_n: int) -> None:
        self._fields_n = fields_n
        self._dtype = np.dtype([("value", "<f4"), ("codes", "u1", (fields_n,))])
        self._first = 0
        self._raw = bytearray()
        self._written = (0, 0)  # the chunks that lie in the changelog: from, to before
        self._values: list[float] = []
        self._codes: list[bytes] = []

    @property
    def fresh_n(self) -> int:
        """How many wait to be settled."""
        return len(self._values)

    @property
    def n(self) -> int:
        """How many have come, those that wait included."""
        return self._settled_n + self.fresh_n

    @property
    def _settled_n(self) -> int:
        return self._first + len(self._raw) // self._dtype.itemsize

    def append(self, value: float, codes: bytes) -> None:
        """One more."""
        self._values.append(value)
        self._codes.append(codes)

    def settle(self) -> None:
        """Take the fresh ones to the others, and let go of those that are too old."""
        self._raw += self._fresh().tobytes()
        self._values, self._codes = [], []
        first = max(0, self._settled_n - KEPT_N) // CHUNK_N * CHUNK_N
        if first > self._first:
            del self._raw[: (first - self._first) * self._dtype.itemsize]
            self._first = first

    def forget_fresh(self) -> None:
        """Nobody asks for the fresh ones."""
        self._values, self._codes = [], []

    def places(self, field: int, code: int) -> NDArray[np.int64]:
        """Of the fresh rows those of one slice, as numbers."""
        return np.flatnonzero(self._fresh_codes()[:, field] == code) + self._settled_n

    def until(self, last: int) -> tuple[Floats, Codes, int]:
        """Values and codes of the last KEPT_N rows up to one, and the number of the first."""
        rows = np.concatenate((np.frombuffer(bytes(self._raw), self._dtype), self._fresh()))
        first = max(self._first, last + 1 - KEPT_N)
        rows = rows[first - self._first : last + 1 - self._first]
        return rows["value"].astype(np.float64), rows["codes"], first

    def news(self) -> Iterator[tuple[str, bytes | None]]:
        """Chunks that are full since the last call, and tombstones of those that are let go."""
        begin, end = self._first // CHUNK_N, self._settled_n // CHUNK_N
        was_begin, was_end = self._written
        for chunk in range(was_begin, min(begin, was_end)):
            yield chunk_name(chunk), None
        for chunk in range(max(begin, was_end), end):
            yield chunk_name(chunk), self._part(chunk * CHUNK_N, (chunk + 1) * CHUNK_N)
        self._written = (begin, max(end, was_end))

    @property
    def tail(self) -> bytes:
        """The end that is in no chunk."""
        return self._part(self._settled_n // CHUNK_N * CHUNK_N, self._settled_n)

    @property
    def first(self) -> int:
        """The number of the first row that is kept."""
        return self._first

    def read(self, first: int, chunks: list[bytes], tail: bytes) -> None:
        """Go on from what was written."""
        self._first = first
        self._raw = bytearray(b"".join((*chunks, tail)))
        self._written = (first // CHUNK_N, first // CHUNK_N + len(chunks))

    def _part(self, start: int, stop: int) -> bytes:
        size = self._dtype.itemsize
        return bytes(self._raw[(start - self._first) * size : (stop - self._first) * size])

    def _fresh_codes(self) -> Codes:
        codes = np.frombuffer(b"".join(self._codes), np.uint8)
        return codes.reshape(self.fresh_n, self._fields_n)

    def _fresh(self) -> NDArray[np.void]:
        rows = np.empty(self.fresh_n, self._dtype)
        rows["value"] = self._values
        rows["codes"] = self._fresh_codes()
        return rows


def chunk_name(chunk: int) -> str:
    """The name of a chunk of rows in the bulk of its series."""
    return f"rows/{chunk}"
