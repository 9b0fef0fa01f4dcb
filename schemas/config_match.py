"""Conditions on studies that could never hold: a misspelt field would mean a model nobody expects.

A name that is no field of a study is an attribute, unless it is nearly a field's.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from math import inf
from typing import Any

from msgspec import inspect

from schemas import shape
from schemas.config import Match, Range
from schemas.config_tree import join
from schemas.study import Scanner, Study

_GROUPS = {
    "scanner": shape.names_of(Scanner, inspect.StrType),
    "patient": ("sex", "age_years"),
}
_PLAIN = ("modality", "state", "priority", "body_part", "procedure", "view")
_FIELDS = (*_PLAIN, *(f"{group}.{name}" for group, names in _GROUPS.items() for name in names))
_MAPS = ("acquisition", "attributes")
_HEADS = (*_GROUPS, *_MAPS)
_SERIES_HEADS = (*_HEADS, "features")
_NEAR = 0.8
_OLDEST_YEARS = 90  # 90 means 90 or more
_WILD = re.compile(r"[*?\[]")


def match_problems(match: Match, path: str) -> Iterator[str]:
    """Why conditions on studies can never hold, one sentence each."""
    for name, wanted in match.items():
        place = join(path, name)
        if wanted == []:
            yield f"`{place}`: holds for no study, expected one value at least"
        elif name in ("site", "sites"):
            yield from _value_problems(wanted, "$.site", place)
        elif name in _FIELDS:
            yield from _value_problems(wanted, f"$.{name}", place)
        else:
            yield from _misspelt(name, f"`{place}`")


def slice_problems(paths: Iterable[str], place: str) -> Iterator[str]:
    """Why fields to slice by are none of a study, one sentence each."""
    for index, path in enumerate(paths):
        if path not in _FIELDS:
            yield from _misspelt(path, f"`{place}[{index}]`")


def series_problems(patterns: Iterable[str], place: str) -> Iterator[str]:
    """Patterns that name no series but nearly one of studies; those of models may have any name."""
    for index, pattern in enumerate(patterns):
        head, dot, name = pattern.partition(".")
        near = get_close_matches(head, _SERIES_HEADS, n=1, cutoff=_NEAR)
        if dot and near and near[0] != head and not _WILD.search(head):
            yield f"`{place}[{index}]` is no series, did you mean `{near[0]}.{name}`?"
        elif head in _GROUPS and not _WILD.search(pattern) and pattern not in _FIELDS:
            yield f"`{place}[{index}]` is no series, did you mean `{_meant(pattern)}`?"


def _misspelt(name: str, place: str) -> Iterator[str]:
    if name.partition(".")[0] not in _MAPS and (near := _meant(name)):
        yield (
            f"{place} is no field of a study, did you mean `{near}`? "
            f"An attribute of that name is `attributes.{name}`"
        )


def _value_problems(
    wanted: list[str | float | bool] | Range, path: str, place: str
) -> Iterator[str]:
    kinds = shape.at(shape.kinds_of(Study), path)
    if isinstance(wanted, Range):
        if not any(isinstance(kind, inspect.FloatType) for kind in kinds):
            yield f"`{place}`: a range fits numbers only, expected values"
        elif path == "$.patient.age_years" and (wanted.min or 0) > _OLDEST_YEARS:
            oldest = _OLDEST_YEARS
            yield f"`{place}`: holds for no study, ages of more than {oldest} are {oldest}"
    elif not all(_fits(value, kinds) for value in wanted):
        yield f"`{place}`: expected values that are {shape.describe(kinds)}"


def _fits(value: str | float | bool, kinds: shape.Kinds) -> bool:
    match kinds[0]:
        case inspect.LiteralType(values=values):
            return value in values
        case inspect.FloatType():
            return isinstance(value, float)
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            return (
                isinstance(value, str)
                and (least or 0) <= len(value) <= (most or inf)
                and (pattern is None or re.search(pattern, value) is not None)
            )
        case _:
            return False


def _meant(name: str) -> str | None:
    """The field that an operator most likely meant; None for what may well be an attribute."""
    group, _, field = name.partition(".")
    if field and group in _GROUPS:
        return f"{group}.{get_close_matches(field, _GROUPS[group], n=1, cutoff=0.0)[0]}"
    head = get_close_matches(group, _HEADS, n=1, cutoff=_NEAR) if field else []
    near = [f"{head[0]}.{field}"] if head else get_close_matches(name, _FIELDS, n=1, cutoff=_NEAR)
    return near[0] if near else None


def as_lists(match: dict[str, Any]) -> dict[str, Any]:
    """Conditions as operators write them, in their one form: paths, and lists or ranges.

    >>> as_lists({"modality": "DX", "patient": {"age_years": {"min": 18}}})
    {'modality': ['DX'], 'patient.age_years': {'min': 18}}
    """
    one_form: dict[str, Any] = {}
    for path, wanted in match.items():
        if isinstance(wanted, dict) and path in (*_GROUPS, *_MAPS):
            one_form |= as_lists({f"{path}.{name}": inner for name, inner in wanted.items()})
        else:
            one_form[path] = wanted if isinstance(wanted, list | dict) else [wanted]
    return one_form
