"""The last rows of a series: each value, and of which slices it was.

So that when something moves it can be said what. Rows are numbered from 0 in the order in which
they came; enough are kept that from any row on the last KEPT_N are there. In the changelog they are
chunks, written once, and an unwritten end.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.baseline import Codes

KEPT_N = 2_000
CHUNK_N = 250


class Rows:
    """`fresh_n`: how many have come since they were last settled."""

    def __init__(self, fields_n: int, value: str) -> None:
        """`value` is the type of their values, as numpy writes it."""
        self._dtype = np.dtype([("value", value), ("codes", "u1", (fields_n,))])
        self._first = 0
        self._raw = bytearray()
        self._none: NDArray[np.void] = np.empty(0, self._dtype)
        self._fresh = self._none
        self._written = (0, 0)  # the chunks that lie in the changelog: from, to before
        self._forgotten: list[int] = []  # chunks that do so still

    @property
    def fresh_n(self) -> int:
        """How many wait to be settled."""
        return len(self._fresh)

    @property
    def n(self) -> int:
        """How many have come, those that wait included."""
        return self._settled_n + self.fresh_n

    @property
    def _settled_n(self) -> int:
        return self._first + len(self._raw) // self._dtype.itemsize

    def take(self, values: ArrayLike, codes: bytes) -> None:
        """Some more."""
        coded = np.frombuffer(codes, np.uint8).reshape(-1, self._dtype["codes"].shape[0])
        rows = np.empty(len(coded), self._dtype)
        rows["value"], rows["codes"] = values, coded
        self._fresh = np.concatenate((self._fresh, rows)) if self.fresh_n else rows

    def settle(self) -> None:
        """Take the fresh ones to the others, and let go of those that are too old."""
        self._raw += self._fresh.tobytes()
        self._fresh = self._none
        first = max(0, self._settled_n - KEPT_N) // CHUNK_N * CHUNK_N
        if first > self._first:
            del self._raw[: (first - self._first) * self._dtype.itemsize]
            self._first = first

    def forget(self) -> None:
        """Nobody asks for any of them: it begins with row 0 again."""
        self._forgotten += range(*self._written)
        self._written = (0, 0)
        self._raw.clear()
        self._first, self._fresh = 0, self._none

    def places(self, field: int, code: int) -> NDArray[np.int64]:
        """Of the fresh rows those of one slice, as numbers."""
        return np.flatnonzero(self._fresh["codes"][:, field] == code) + self._settled_n

    def until(self, last: int) -> tuple[NDArray[np.generic], Codes]:
        """Values and codes of the last KEPT_N rows up to one."""
        rows = np.concatenate((np.frombuffer(bytes(self._raw), self._dtype), self._fresh))
        first = max(self._first, last + 1 - KEPT_N)
        rows = rows[first - self._first : last + 1 - self._first]
        return rows["value"], rows["codes"]

    def news(self) -> Iterator[tuple[str, bytes | None]]:
        """Chunks that are full since the last call, and tombstones of those that are let go."""
        begin, end = self._first // CHUNK_N, self._settled_n // CHUNK_N
        was_begin, was_end = self._written
        for chunk in (*self._forgotten, *range(was_begin, min(begin, was_end))):
            yield chunk_name(chunk), None
        for chunk in range(max(begin, was_end), end):
            yield chunk_name(chunk), self._part(chunk * CHUNK_N, (chunk + 1) * CHUNK_N)
        self._written, self._forgotten = (begin, max(end, was_end)), []

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


def chunk_name(chunk: int) -> str:
    """The name of a chunk of rows in the bulk of its series."""
    return f"rows/{chunk}"
