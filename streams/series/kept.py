"""A series of one shard with the observations that wait to be looked at, as columns."""

from array import array
from typing import Any

import numpy as np

from detectors.uniform import study_key, subject_key, uniforms
from streams.clock import NEVER_US
from streams.fields import Value
from streams.series.learning import Settings
from streams.series.number import NumberSample
from streams.series.seen import Seen, SeriesId, SeriesKind
from streams.series.watched import Series
from streams.series.word import WordSample, YesNoSample
from streams.series.word_reference import NO, YES
from streams.site_time import SiteTime

_LOOK_N = 4096
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_SAMPLES: dict[SeriesKind, type[NumberSample] | type[WordSample]] = {
    "number": NumberSample,
    "yes_no": YesNoSample,
    "word": WordSample,
}
_TAKES: dict[SeriesKind, type] = {"number": float, "yes_no": bool, "word": str}
_NO_UNIFORMS = np.empty(0)


def kind_of(value: Value) -> SeriesKind:
    """The kind of a series whose first value this is."""
    if isinstance(value, str):
        return "word"
    return "yes_no" if isinstance(value, bool) else "number"


class Kept:
    """`takes` is the class of its values; it is to be looked at when so many wait, or from a stamp.

    Those two are when its reference may be complete at the earliest. `codes` are of the slices.
    """

    __slots__ = (
        "_subject_key",
        "ats_us",
        "codes",
        "id",
        "keys",
        "kind",
        "look_n",
        "look_us",
        "series",
        "takes",
        "values",
        "weekhours",
    )

    def __init__(self, key: SeriesId, kind: SeriesKind, settings: Settings) -> None:
        self.id = key
        self.kind = kind
        self.takes = _TAKES[kind]
        self.series = Series(settings, _SAMPLES[kind])
        self._subject_key = subject_key(key[2])
        self._empty()
        self.look_n, self.look_us = 1, 0

    def seen(self) -> Seen:
        """What waits, which then waits no more."""
        values = self._fit(self.values)
        keys = np.frombuffer(self.keys, np.uint64)
        draws = uniforms(keys, self._subject_key) if self.kind == "number" else _NO_UNIFORMS
        ats_us = np.frombuffer(self.ats_us, np.int64)
        seen = Seen(values, draws, ats_us, np.frombuffer(self.weekhours, np.uint8))
        self._empty()
        return seen

    def wait(self) -> None:
        """Decide when it is to be looked at again."""
        missing = self.series.missing
        self.look_n, self.look_us = (_LOOK_N, NEVER_US) if missing is None else missing
        self.look_n = min(max(self.look_n, 1), _LOOK_N)

    def _fit(self, values: Any) -> Any:
        if self.kind == "number":
            return np.frombuffer(values).clip(
                -_FLOAT32_MAX, _FLOAT32_MAX
            )  # as references hold them
        return [YES if value else NO for value in values] if self.kind == "yes_no" else values

    def _empty(self) -> None:
        self.values: Any = array("d") if self.kind == "number" else []
        self.keys = array("Q")
        self.ats_us = array("q")
        self.codes = bytearray()
        self.weekhours = array("B")


class Owner:
    """All series of a model at a site, or of the site's studies."""

    __slots__ = ("model", "series", "site", "time")

    def __init__(self, site: str, model: str, time: SiteTime) -> None:
        self.site = site
        self.model = model
        self.time = time
        self.series: dict[str, Kept] = {}

    def study_key(self, study: str) -> int:
        """The 64 bits of one of its studies."""
        return study_key(self.site, study)
