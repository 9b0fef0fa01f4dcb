"""Parts of the studies: what a study is one of, and the series that such parts have.

`scanner.station=CT2` is a slice. `pneumothorax.score @ scanner.station=CT2` is the series of the
scores of pneumothorax in it: a series as any other, with its own reference and its own share of the
promise. What models say has one in each slice; numbers of studies, and features of models, in those
by the fields of `slices.inputs`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct, field

from schemas.config import Config
from streams.fields import Value

WHOLE = ""
"""The slice that is all studies."""

AGE = "patient.age_years"
_AGE_BANDS = ((18, "0-17"), (40, "18-39"), (65, "40-64"), (90, "65-89"))
_OLDEST_BAND = "90+"
_JOIN = " @ "
_LONGEST_NAME = 256  # as on the wire
_SLICED = (".score", ".positive", ".ppv", ".for", ".call_rate", ".disagree")
_OWN_NAMES = ("features.", "acquisition.", "attributes.")  # whoever sends them names them
_REMEMBERED = 4096
# A station is of one model, maker and software; what is said of it by these is said already.
_SAID_ALREADY = {
    "scanner.station": ("scanner.model", "scanner.manufacturer", "scanner.software"),
    "scanner.model": ("scanner.manufacturer",),
}


class Slicing:
    """Of which slices a study is one, by the fields in `watch.slices`."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = tuple(dict.fromkeys(paths))

    def of(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        """The slices of a study, in the order of the configuration; of unknown fields none.

        >>> Slicing(["scanner.station", AGE]).of({"scanner.station": "CT2", AGE: 90.0})
        ('scanner.station=CT2', 'patient.age_years=90+')
        """
        paths = self._paths
        return _named(paths, *map(fields.get, paths)) if paths else ()


# Typed: 1, 1.0 and True are equal, and are not the same word.
@lru_cache(maxsize=_REMEMBERED, typed=True)
def _named(paths: tuple[str, ...], *values: Value | None) -> tuple[str, ...]:
    told = zip(paths, values, strict=True)
    return tuple(f"{path}={_word(path, value)}" for path, value in told if value is not None)


def _word(path: str, value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if path == AGE:
        return next((band for below, band in _AGE_BANDS if value < below), _OLDEST_BAND)
    return f"{value:g}"


def is_sliced(model: str, subject: str) -> bool:
    """Whether a series is of what a model says, which is watched in every slice as well.

    >>> is_sliced("ptx", "pneumothorax.score"), is_sliced("", "scanner.software")
    (True, False)
    """
    if not model:
        return False
    return subject == "turnaround_s" or (
        subject.endswith(_SLICED) and not subject.startswith(_OWN_NAMES)
    )


def is_input(subject: str) -> bool:
    """Whether a series is of what studies and models send under names of their own."""
    return subject.startswith(_OWN_NAMES)


def is_slice_of_input(subject: str) -> bool:
    """Whether it is the series of a slice of such a one.

    >>> is_slice_of_input("acquisition.kvp @ scanner.station=CT2"), is_slice_of_input("view @ x")
    (True, False)
    """
    return _JOIN in subject and is_input(subject)


def may_explain(path: str, subject: str) -> bool:
    """Whether the slices by a field may say what moved a series: it is not this field itself.

    >>> may_explain("scanner.station", "scanner.station"), may_explain("scanner.station", "view")
    (False, True)
    """
    return path != subject and path not in _SAID_ALREADY.get(subject, ())


def sliced(subject: str, slice_: str) -> str:
    """The name of the series of a slice."""
    return f"{subject}{_JOIN}{slice_}" if slice_ else subject


def whole_and_slice(model: str, subject: str) -> tuple[str, str]:
    """The series that one is a part of, and which part; itself and WHOLE if it is none.

    >>> whole_and_slice("ptx", "pneumothorax.score @ scanner.station=CT2")
    ('pneumothorax.score', 'scanner.station=CT2')
    """
    whole, _, slice_ = subject.partition(_JOIN)
    has_parts = is_input(whole) or is_sliced(model, whole)
    return (whole, slice_) if slice_ and has_parts else (subject, WHOLE)


def is_name_of_slice(subject: str) -> bool:
    """Whether nobody may give a value this name: it would be taken for the series of a slice.

    >>> is_name_of_slice("attributes.dose @ scanner.station=CT2"), is_name_of_slice("a @ b.score")
    (True, False)
    """
    return _JOIN in subject and whole_and_slice("any", subject)[1] != WHOLE


def first_reference_n(config: Config, model: str, subject: str) -> int:
    """After how many observations a series' first reference is frozen: a slice's sooner."""
    needed_n = config.reference.observations
    is_whole = whole_and_slice(model, subject)[1] == WHOLE
    return needed_n if is_whole else min(config.slices.observations, needed_n)


class Labelled(NamedTuple):
    """The slices of one event: a code for each field, and those that have series of their own."""

    codes: bytes
    watched: tuple[str, ...]
    others_n: int


class SiteLabels(Struct, omit_defaults=True):
    """The slices of a site by field, in the order of their codes, as they are written down.

    Fields that are not configured any more keep theirs: codes that stand in rows mean them still.
    `slices` are those of what its models answered, `studies` those of all its studies: a station
    that no model serves takes no place from one that a model does.
    """

    site: str
    slices: dict[str, list[str]]
    studies: dict[str, list[str]] = field(default_factory=dict)


class Labels:
    """The values of each field at a site, coded 1, 2, 3, ... in the order in which they came.

    0 stands for what is not known and for all beyond the bound. A field that has had one value
    only has no series of its own: its slice is the whole.
    """

    def __init__(self, paths: Sequence[str], per_field: int) -> None:
        self._paths = tuple(dict.fromkeys(paths))
        self._per_field = per_field
        self._by_path: dict[str, dict[str, int]] = {path: {} for path in self._paths}
        self._codes = [*self._by_path.values()]
        self._known: dict[tuple[str, ...], Labelled] = {}
        self.has_grown = False

    @property
    def width(self) -> int:
        """Codes are below this."""
        return 1 + max([self._per_field, *map(len, self._codes)])

    @property
    def fields_n(self) -> int:
        """How many fields."""
        return len(self._paths)

    def field(self, number: int) -> str:
        """The path of a field."""
        return self._paths[number]

    def slice(self, field: int, code: int) -> str:
        """The slice that a code stands for."""
        return [*self._codes[field]][code - 1]

    def candidate(self, slice_: str) -> tuple[int, int] | None:
        """Field and code of a slice; None if it has none."""
        for number, codes in enumerate(self._codes):
            if slice_ in codes:
                return number, codes[slice_]
        return None

    def of(self, slices: tuple[str, ...], dropped: Counter[str]) -> Labelled:
        """The labels of an event."""
        known = self._known.get(slices)
        if known is None:
            known = self._label(slices)
        if known.others_n:
            dropped["slice_values_overflow"] += known.others_n
        return known

    def told(self) -> dict[str, list[str]]:
        """The slices of each field, in the order of their codes."""
        return {path: [*codes] for path, codes in self._by_path.items() if codes}

    def take_up(self, told: Mapping[str, Sequence[str]]) -> None:
        """Take up what was told. It only ever grows, so of several the longest is the newest."""
        for path, slices in told.items():
            codes = self._by_path.setdefault(path, {})
            if len(slices) > len(codes):
                codes.clear()
                codes.update((slice_, code) for code, slice_ in enumerate(slices, start=1))
        self._known.clear()

    def _label(self, slices: tuple[str, ...]) -> Labelled:
        codes, others_n = bytearray(len(self._paths)), 0
        for slice_ in slices:
            field = self._field_of(slice_)
            if field is None:
                continue
            known = self._codes[field]
            if slice_ not in known:
                if len(known) >= self._per_field or len(slice_) > _LONGEST_NAME // 2:
                    others_n += 1
                    continue
                known[slice_] = len(known) + 1
                self.has_grown = True
                self._known.clear()  # a field's second value makes its first one a slice
            codes[field] = known[slice_]
        watched = tuple(
            self.slice(field, code)
            for field, code in enumerate(codes)
            if code and len(self._codes[field]) > 1
        )
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[slices] = labelled = Labelled(bytes(codes), watched, others_n)
        return labelled

    def _field_of(self, slice_: str) -> int | None:
        fits = [i for i, path in enumerate(self._paths) if slice_.startswith(f"{path}=")]
        return max(fits, key=lambda i: len(self._paths[i]), default=None)
