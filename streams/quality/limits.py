"""What a field of a study can physically be; a value outside is a fault of the data, not a drift.

Wide on purpose: a value inside may still be wrong, one outside is wrong. Units are the wire's
(DICOM's: kV, mAs, mm, years). What is not finite never gets here, and a score outside 0 to 1 is
refused when a message is decoded.
"""

from typing import NamedTuple

from schemas.study import Study

_ABOVE_ZERO = 5e-324  # the least float that is


class Limit(NamedTuple):
    """The least and the greatest value of a field that can be, and why."""

    path: str
    least: float
    greatest: float
    reason: str


_NO_LENGTH = "a length is above 0"
_NO_IMAGE = "an image has at least one row and column"
_AGE = Limit("patient.age_years", 0, 130, "nobody is younger than 0 or older than 130 years")
_KVP_REASON = "a tube voltage is above 0 and, in imaging, far below 500 kV"
_ACQUISITION = {
    limit.path.removeprefix("acquisition."): limit
    for limit in (
        Limit("acquisition.kvp", _ABOVE_ZERO, 500, _KVP_REASON),
        Limit("acquisition.exposure_mas", 0, 1e5, "an exposure is not negative"),
        Limit("acquisition.pixel_mm", _ABOVE_ZERO, 1e3, _NO_LENGTH),
        Limit("acquisition.slice_mm", _ABOVE_ZERO, 1e3, _NO_LENGTH),
        Limit("acquisition.rows", 1, 65_535, _NO_IMAGE),
        Limit("acquisition.cols", 1, 65_535, _NO_IMAGE),
    )
}

LIMITS = {limit.path: limit for limit in (_AGE, *_ACQUISITION.values())}
"""The limits by the field's path."""
TURNAROUND = "turnaround_s"
TURNAROUND_REASON = "a result does not come before its study"


def checked(study: Study) -> list[tuple[str, bool]]:
    """The fields of a study that have limits, by path, and whether each value can be."""
    found = []
    if study.patient is not None and (age := study.patient.age_years) is not None:
        found.append((_AGE.path, _AGE.least <= age <= _AGE.greatest))
    if study.acquisition is not None:
        for name, value in study.acquisition.items():
            limit = _ACQUISITION.get(name)
            if limit is not None and not isinstance(value, str):
                path, least, greatest, _ = limit
                found.append((path, least <= value <= greatest))
    return found
