"""What a struct expects at a path, in words: for refusals, configuration errors and documents.

A path is msgspec's: `$.outputs[2].score`, and `[...]` for the value of some key of a map.
"""

import re
from functools import cache
from typing import Any

from msgspec import Struct, inspect

_STEP = re.compile(r"\.(\w+)|\[(?:\d+|\.\.\.)\]")
_PLAIN: dict[type[inspect.Type], str] = {
    inspect.DateTimeType: "RFC 3339 time with offset",
    inspect.BoolType: "true or false",
    inspect.StructType: "object",
    inspect.RawType: "JSON value",
    inspect.BytesType: "base64 string",
}
_CONTAINERS = (inspect.ListType, inspect.VarTupleType, inspect.DictType)
Kinds = tuple[inspect.Type, ...]


@cache
def kinds_of(root: type[Struct]) -> Kinds:
    """The struct itself, as the start of a path."""
    return (inspect.type_info(root),)


def at(kinds: Kinds, path: str) -> Kinds:
    """The kinds of value that may stand at a path; none where there is no such path.

    >>> from schemas.prediction import Prediction
    >>> describe(at(kinds_of(Prediction), "$.outputs[2].score"))
    'number from 0 to 1'
    """
    for step in _STEP.finditer(path):
        kinds = tuple(inner for kind in kinds for inner in _inside(kind, step[1]))
    return kinds


def _inside(kind: inspect.Type, field: str | None) -> Kinds:
    match kind:
        case inspect.StructType(fields=fields) if field is not None:
            return next((alternatives(f.type) for f in fields if f.encode_name == field), ())
        case inspect.DictType(value_type=item) if field is None:
            return alternatives(item)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return alternatives(item) if field is None else ()
    return ()


def alternatives(kind: inspect.Type) -> Kinds:
    """The members of a union, without null; or the kind itself."""
    if isinstance(kind, inspect.UnionType):
        return tuple(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return (kind,)


def names_of(root: type[Struct], wanted: type[inspect.Type]) -> tuple[str, ...]:
    """The fields of a struct that may hold this kind of value, not looking inside them.

    >>> from schemas.outcome import Outcome
    >>> names_of(Outcome, inspect.DateTimeType)
    ('due', 'at')
    """
    return tuple(
        field.name
        for kind in kinds_of(root)
        if isinstance(kind, inspect.StructType)
        for field in kind.fields
        if any(isinstance(one, wanted) for one in alternatives(field.type))
    )


def describe(kinds: Kinds) -> str | None:
    """What may stand there, in words; None where nothing may.

    >>> from schemas.study import Study
    >>> describe(at(kinds_of(Study), "$.priority"))
    'one of routine, stat, urgent'
    >>> describe(at(kinds_of(Study), "$.acquisition[...]"))
    'number from -1e+30 to 1e+30 or string of at most 256 characters'
    """
    containers_last = sorted(kinds, key=lambda kind: isinstance(kind, _CONTAINERS))
    return " or ".join(dict.fromkeys(map(_describe, containers_last))) or None


def _describe(kind: inspect.Type) -> str:
    match kind:
        case inspect.LiteralType(values=values):
            words = "one of " + ", ".join(map(str, values))
        case inspect.StrType():
            words = "string" + _of_form(kind)
        case inspect.IntType():
            words = "whole number" + _between(kind)
        case inspect.FloatType():
            words = "number" + _between(kind)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            words = f"list{_of_length(kind, 'items')} of: {describe(alternatives(item))}"
        case inspect.DictType(value_type=item):
            words = f"object{_of_length(kind, 'names')} of: {describe(alternatives(item))}"
        case _:
            words = _PLAIN[type(kind)]
    return words


def _of_form(kind: inspect.StrType) -> str:
    if kind.pattern is not None:
        return " matching " + plain_pattern(kind.pattern)
    return _of_length(kind, "characters")


def plain_pattern(pattern: str) -> str:
    """A pattern without what only Python needs: elsewhere `$` never matches before a newline."""
    return pattern.replace(r"(?!\n)", "")


def _of_length(kind: Any, unit: str) -> str:
    if kind.max_length is None:
        return f" of at least {kind.min_length} {unit}" if kind.min_length else ""
    if kind.min_length:
        return f" of {kind.min_length} to {kind.max_length} {unit}"
    return f" of at most {kind.max_length} {unit}"


def _between(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:.16g} to {kind.le:.16g}"
    bounds = (
        ("above", kind.gt),
        ("at least", kind.ge),
        ("below", kind.lt),
        ("at most", kind.le),
    )
    words = [f"{word} {bound:.16g}" for word, bound in bounds if bound is not None]
    return (" " + ", ".join(words)) if words else ""
