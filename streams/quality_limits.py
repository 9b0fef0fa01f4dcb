"""What a field of a study can physically be; a value outside is a fault of the data, not a drift.

Wide on purpose: a value inside may still be wrong, one outside is wrong. Units are the wire's
(DICOM's: kV, mm, years). What is not finite never gets here, and a score outside 0 to 1 is refused
when a message is decoded.
"""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.study import Study


class Limit(NamedTuple):
    """Values in order lie above `low`, or at it where `low_included`, and up to `high`."""

    low: float
    high: float
    reason: str
    low_included: bool = False

    def allows(self, value: float) -> bool:
        """Whether a value can be."""
        return self.low < value <= self.high or (self.low_included and value == self.low)


_NO_LENGTH = "a length is above 0"
_NO_IMAGE = "an image has at least one row and column"
_ACQUISITION = {
    "kvp": Limit(0, 500, "a tube voltage is above 0 and, in imaging, far below 500 kV"),
    "exposure_mas": Limit(0, 1e5, "an exposure is not negative", low_included=True),
    "pixel_mm": Limit(0, 1e3, _NO_LENGTH),
    "slice_mm": Limit(0, 1e3, _NO_LENGTH),
    "rows": Limit(0, 65_535, _NO_IMAGE),
    "cols": Limit(0, 65_535, _NO_IMAGE),
}
_AGE = Limit(0, 130, "nobody is younger than 0 or older than 130 years", low_included=True)

LIMITS = {"patient.age_years": _AGE} | {
    f"acquisition.{name}": limit for name, limit in _ACQUISITION.items()
}
"""The limits by the field's path."""
TURNAROUND = "turnaround_s"
TURNAROUND_REASON = "a result does not come before its study"


def checked(study: Study) -> Iterator[tuple[str, bool]]:
    """The fields of a study that have limits, by path, and whether each value can be."""
    if study.patient is not None and study.patient.age_years is not None:
        yield "patient.age_years", _AGE.allows(study.patient.age_years)
    if study.acquisition is not None:
        for name, value in study.acquisition.items():
            limit = _ACQUISITION.get(name)
            if limit is not None and isinstance(value, int | float):
                yield f"acquisition.{name}", limit.allows(value)
