"""Values of a study by path, as configuration and series name them: `acquisition.kvp`."""

from collections.abc import Callable
from operator import attrgetter

from schemas.study import Study

Value = str | float | bool
_PLAIN = ("site", "modality", "state", "priority", "body_part", "procedure", "view")
_NESTED = {
    "scanner": ("manufacturer", "model", "software", "station"),
    "patient": ("sex", "age_years"),
}
_MAPS = ("acquisition", "attributes")
OLDEST_TOLD_YEARS = 90.0  # 90 means 90 or more: an age beyond it identifies people


def getter(path: str) -> Callable[[Study], Value | None]:
    """How to read `path` of a study; a name without a dot that is no field is an attribute."""
    head, _, rest = path.partition(".")
    if path in _PLAIN:
        return attrgetter(path)
    if head in _NESTED and rest in _NESTED[head]:
        return _nested(head, rest)
    if head in _MAPS and rest:
        return _mapped(head, rest)
    return _mapped("attributes", path)


def _nested(head: str, name: str) -> Callable[[Study], Value | None]:
    outer, inner = attrgetter(head), attrgetter(name)

    def read(study: Study) -> Value | None:
        group = outer(study)
        return None if group is None else inner(group)

    return _capped(read) if name == "age_years" else read


def _capped(read: Callable[[Study], Value | None]) -> Callable[[Study], Value | None]:
    def capped(study: Study) -> Value | None:
        age = read(study)
        return min(age, OLDEST_TOLD_YEARS) if isinstance(age, float) else age

    return capped


def _mapped(head: str, name: str) -> Callable[[Study], Value | None]:
    outer = attrgetter(head)

    def read(study: Study) -> Value | None:
        values = outer(study)
        return None if values is None else values.get(name)

    return read


FIXED = tuple(
    (path, getter(path))
    for path in (
        "modality",
        "body_part",
        "procedure",
        "view",
        "scanner.manufacturer",
        "scanner.model",
        "scanner.software",
        "scanner.station",
        "patient.sex",
        "patient.age_years",
    )
)
"""The fixed fields of a study that make series, with their paths. The patient's key is none."""
