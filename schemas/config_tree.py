"""What in a tree of TOML values does not fit the configuration's structs, and what would."""

from collections import defaultdict
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct, inspect
from msgspec.structs import fields

from schemas import shape
from schemas.config import Config

Structs = tuple[type[Struct], ...]
_SECRETS = ("password", "passwd", "secret", "token", "key")


def misfits(tree: dict[str, Any], struct: type[Struct], path: str = "") -> Iterator[str]:
    """What is wrong in a table that should have the keys of `struct`, and in all below it."""
    hints = get_type_hints(struct, include_extras=True)
    known = {field.encode_name: field for field in fields(struct)}
    tag_field = struct.__struct_config__.tag_field
    for key, value in tree.items():
        if key in known:
            yield from _value_misfits(value, hints[known[key].name], join(path, key))
        elif key != tag_field:
            yield _unknown(key, path, sorted(known))
    for key, field in known.items():
        if field.required and key not in tree:
            yield f"`{join(path, key)}` is missing: {_words(hints[field.name])}"


def join(path: str, key: str) -> str:
    """The path of a key in the table at `path`, as an operator would write it.

    >>> join("model[0]", "applies"), join("", "broker"), join("model[0].applies", "patient.sex")
    ('model[0].applies', 'broker', 'model[0].applies."patient.sex"')
    """
    bare = key.replace("_", "").replace("-", "").isalnum()
    return ".".join(filter(None, (path, key if bare else f'"{key}"')))


def _value_misfits(value: Any, hint: Any, path: str) -> Iterator[str]:
    inside = list(_inside_misfits(value, hint, path))
    if inside:
        yield from inside
    elif isinstance(value, dict) and _insides(_insides(hint)[1])[0]:
        yield f"`{path}`: expected a list of tables, each begun by `[[{path}]]`"
    elif (problem := _misfit(value, hint)) is not None:
        yield f"`{path}`: {problem}"


def _inside_misfits(value: Any, hint: Any, path: str) -> Iterator[str]:
    structs, item, entry = _insides(hint)
    if isinstance(value, dict) and structs:
        yield from _table_misfits(value, structs, path)
    elif isinstance(value, dict) and entry is not None:
        for key, inner in value.items():
            yield from _value_misfits(inner, entry, join(path, key))
    elif isinstance(value, list) and item is not None:
        for index, inner in enumerate(value):
            yield from _value_misfits(inner, item, f"{path}[{index}]")


def _table_misfits(value: dict[str, Any], structs: Structs, path: str) -> Iterator[str]:
    """A table that may be one of several kinds says which it is."""
    tag_field = structs[0].__struct_config__.tag_field
    if tag_field is None:
        yield from misfits(value, structs[0], path)
        return
    tags = {str(struct.__struct_config__.tag): struct for struct in structs}
    struct = tags.get(str(value.get(tag_field)))
    if struct is None:
        yield f"`{join(path, tag_field)}`: expected one of {', '.join(tags)}"
    else:
        yield from misfits(value, struct, path)


def _misfit(value: Any, hint: Any) -> str | None:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ValueError):
            return str(error.__cause__)  # a rule for several fields: a sentence of ours
        return f"expected {_words(hint)}"
    return None


@cache
def _insides(hint: Any) -> tuple[Structs, Any, Any]:
    """The structs that a value may be, the kind of a list's items and of a map's values."""
    structs: list[type[Struct]] = []
    item = entry = None
    for one in _members(hint):
        origin, arguments = get_origin(one), get_args(one)
        if origin in (list, tuple):
            item = arguments[0]
        elif origin is dict:
            entry = arguments[1]
        elif isinstance(one, type) and issubclass(one, Struct):
            structs.append(one)
    return tuple(structs), item, entry


def _members(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Annotated:
        yield from _members(get_args(hint)[0])
    elif get_origin(hint) in (Union, UnionType):
        for one in get_args(hint):
            yield from _members(one)
    else:
        yield hint


def _words(hint: Any) -> str:
    words = shape.describe(shape.alternatives(inspect.type_info(hint))) or ""
    return words.replace("object", "table")


def _unknown(key: str, path: str, known: list[str]) -> str:
    problem = f"unknown key `{join(path, key)}`"
    if key.lower().endswith(_SECRETS) or f"{key}_env" in known:
        return f"{problem}: a secret never stands in this file{_instead(key, known)}"
    near = get_close_matches(key, known, n=1, cutoff=0.75)
    if not near and len(places := _places()[key]) == 1:
        return f"{problem}, did you mean `{places[0]}`?"
    nearest = near or get_close_matches(key, known, n=1, cutoff=0.0)
    return f"{problem}, did you mean `{nearest[0]}`?"


def _instead(key: str, known: list[str]) -> str:
    exact = [name for name in (f"{key}_env", f"{key}_file") if name in known]
    others = [name for name in known if name.endswith("_env")]
    names = exact or get_close_matches(key, others, n=1, cutoff=0.0)
    return f", use {' or '.join(f'`{name}`' for name in names)}" if names else ""


@cache
def _places() -> defaultdict[str, list[str]]:
    """Where each key of the configuration belongs, outside of lists."""
    places: defaultdict[str, list[str]] = defaultdict(list)

    def visit(struct: type[Struct], path: str) -> None:
        hints = get_type_hints(struct, include_extras=True)
        for field in fields(struct):
            places[field.encode_name].append(join(path, field.encode_name))
            for inner in _insides(hints[field.name])[0]:
                visit(inner, join(path, field.encode_name))

    visit(Config, "")
    return places
