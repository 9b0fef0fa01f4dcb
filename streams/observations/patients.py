"""One patient's many images are not many independent observations: the first one counts.

Measured on real X-rays (docs/DETECTION.md): with up to 184 images of a patient in a row, taken as
independent, the false alarms were thousands of times the promised number, and no correction for
dependence repaired it; the first image of each patient kept the promise.

A patient is remembered for `bounds.patient_s`, and only as a digest of the key: the key itself is
in no state, series, incident or log.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from heapq import heappop, heappush

from msgspec import Struct

from schemas.config import Bounds
from streams.clock import seconds_to_us

PatientId = tuple[str, str]  # site, digest


class Known(Struct, gc=False):
    """A patient of whom a study has counted; forgotten at `until_us`."""

    site: str
    digest: str
    until_us: int


class Patients:
    """The patients of one shard whose next study does not count."""

    def __init__(self, bounds: Bounds) -> None:
        self._kept_us = seconds_to_us(bounds.patient_s)
        self._per_site = bounds.patients_per_site
        self._known: dict[str, dict[str, Known]] = {}
        self._ends: dict[str, list[tuple[int, str]]] = {}
        self._dirty: dict[PatientId, None] = {}
        self.dropped: Counter[str] = Counter()

    def is_first(self, site: str, key: str | None, arrived_us: int, now_us: int) -> bool:
        """Whether a study of this patient counts; one without a patient's key always does."""
        if key is None:
            return True
        self._forget(site, now_us)
        digest = blake2b(key.encode(), digest_size=8).hexdigest()
        known = self._known.setdefault(site, {})
        if digest in known:
            return False
        if len(known) >= self._per_site:
            self._forget_oldest(site)
            self.dropped["patient_overflow"] += 1
        self._take(Known(site, digest, arrived_us + self._kept_us))
        self._dirty[site, digest] = None
        return True

    def forget(self, now_us: int) -> None:
        """Forget those whose time is over."""
        for site in self._ends:
            self._forget(site, now_us)

    def changes(self) -> Iterator[tuple[PatientId, Known | None]]:
        """Patients remembered or forgotten since the last call; None for the forgotten."""
        dirty, self._dirty = self._dirty, {}
        for site, digest in dirty:
            yield (site, digest), self._known.get(site, {}).get(digest)

    def restore(self, patients: Iterable[Known]) -> None:
        """Take up the patients of a checkpoint."""
        for known in patients:
            self._take(known)

    def __len__(self) -> int:
        return sum(map(len, self._known.values()))

    def _take(self, known: Known) -> None:
        self._known.setdefault(known.site, {})[known.digest] = known
        heappush(self._ends.setdefault(known.site, []), (known.until_us, known.digest))

    def _forget(self, site: str, now_us: int) -> None:
        ends = self._ends.get(site)
        while ends and ends[0][0] <= now_us:
            self._forget_oldest(site)

    def _forget_oldest(self, site: str) -> None:
        _, digest = heappop(self._ends[site])
        del self._known[site][digest]
        self._dirty[site, digest] = None
