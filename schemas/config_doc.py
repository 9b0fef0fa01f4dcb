"""docs/CONFIGURATION.md, made from the configuration's structs: `python -m schemas.config_doc`.

It prints the document; a test holds the file to it.
"""

import sys
from collections.abc import Iterator
from typing import Any

from msgspec import NODEFAULT, Struct, inspect, structs

from schemas import shape
from schemas.config import Config
from schemas.field_docs import field_docs, struct_doc

_INTRODUCTION = """\
# Configuration

<!-- Made by `python -m schemas.config_doc`; change the structs in schemas/ instead. -->

One TOML file, given as `--config`. Everything but the models has a default, and without a file
everything has. `radvigil check-config` reads it and names whatever is wrong with it: every unknown
key with the nearest known one, every value that does not fit with what would.
[examples/radvigil.toml](../examples/radvigil.toml) is a complete, commented example.

**Secrets** never stand in this file. Each is named by a `NAME_env` (an environment variable) or a
`NAME_file` (a path), at most one of the two, and is read when radvigil starts.

**Lengths of time** are in seconds where a name ends in `_s`. **Strings** have at most 256
characters.

**Conditions on studies** (`applies`, `intended_use`) name a field by its path: `sites`, `modality`,
`state`, `priority`, `body_part`, `procedure`, `view`, `scanner.*`, `patient.sex`,
`patient.age_years`, `acquisition.*`, `attributes.*`; any other name is an attribute. The condition
is a list of values, one value, or a range `{ min = .., max = .. }`, both ends included. All
conditions must hold, and none holds for a study that does not have the field. `modality`,
`body_part` and `view` are coded strings of DICOM, alike in upper and lower case; all other values
are taken as they are written.
"""
_USUAL_BOUNDS = (
    (" of at most 256 characters", ""),
    (" of 1 to 256 characters", ""),
    (f" from 1 to {2**53 - 1}", ", at least 1"),
)


def render() -> str:
    """The whole document."""
    headings: dict[type[Struct], list[str]] = {}
    for struct, heading in _places(Config, ""):
        headings.setdefault(struct, []).append(heading)
    sections = (_section(struct, places) for struct, places in headings.items())
    return "\n".join((_INTRODUCTION, *sections))


def _places(struct: type[Struct], path: str) -> Iterator[tuple[type[Struct], str]]:
    """Every table of the file with its heading, in the order in which one reads them."""
    if not path:
        yield struct, "At the top"
    for field in _fields(struct):
        place = f"{path}.{field.encode_name}".removeprefix(".")
        for kind in shape.alternatives(field.type):
            for inner, heading, below in _tables(kind, place):
                yield inner, heading
                yield from _places(inner, below)


def _tables(kind: inspect.Type, place: str) -> Iterator[tuple[type[Struct], str, str]]:
    match kind:
        case inspect.StructType(cls=struct):
            yield struct, f"`[{place}]`", place
        case inspect.ListType(item_type=item):
            for one in shape.alternatives(item):
                if isinstance(one, inspect.StructType):
                    chosen = f', `{one.tag_field} = "{one.tag}"`' if one.tag_field else ""
                    yield one.cls, f"`[[{place}]]`{chosen}", place
        case inspect.DictType(value_type=item):
            for one in shape.alternatives(item):
                yield from _tables(one, f"{place}.NAME")


def _fields(struct: type[Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _section(struct: type[Struct], headings: list[str]) -> str:
    docs = field_docs(struct)
    rows = (
        f"| `{field.encode_name}` | {_type(field)} | {_default(field)} | {docs[field.name]} |"
        for field in _fields(struct)
    )
    table = ("| key | type | default | meaning |", "|---|---|---|---|", *rows)
    return "\n".join((f"## {', '.join(headings)}", "", struct_doc(struct), "", *table, ""))


def _type(field: inspect.Field) -> str:
    words = shape.describe(shape.alternatives(field.type)) or ""
    for usual, short in _USUAL_BOUNDS:
        words = words.replace(usual, short)
    return words.replace("object", "table").replace("|", "\\|")


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    default = field.default if field.default is not NODEFAULT else field.default_factory()
    if isinstance(default, Struct):
        return _in_code(_changed(default))
    return _in_code(default)


def _changed(default: Struct) -> dict[str, Any]:
    """What a table's default has that the table by itself has not."""
    usual = structs.asdict(type(default)())
    return {name: value for name, value in structs.asdict(default).items() if value != usual[name]}


def _in_code(value: Any) -> str:
    return "" if value is None or value in ({}, [], ()) else f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:g}" if value == int(value) and value < 1e6 else str(value)
        case str():
            return f'"{value}"'
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            inner = ", ".join(f"{name} = {_toml(one)}" for name, one in value.items())
            return f"{{ {inner} }}"
    raise TypeError(f"no TOML for {type(value).__name__}")


if __name__ == "__main__":
    sys.stdout.write(render())
