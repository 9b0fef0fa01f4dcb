"""JSON Schema 2020-12 of the wire types: what msgspec can tell, and the rules that it cannot.

A producer that keeps to these schemas is understood. The decoder takes a little more (see
`schemas.decoding` on times), and one thing less: a whole number must be written without a
fraction, where JSON Schema takes 1.0 for an integer.
"""

from typing import Any

import msgspec
from msgspec import Struct

from schemas import shape
from schemas.command import Command
from schemas.field_docs import field_docs, struct_doc
from schemas.fields import EARLIEST_YEAR, LATEST_YEAR
from schemas.messages import Message, tag
from schemas.prediction import Output, Prediction

Json = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"

assert (EARLIEST_YEAR, LATEST_YEAR) == (1900, 2999)  # the first group says so
_TIME = (
    r"^(19|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)


def _given(name: str, kind: str) -> Json:
    return {"required": [name], "properties": {name: {"type": kind}}}


_COMPLETED = {"required": ["status"], "properties": {"status": {"const": "completed"}}}
_RULES: dict[type[Struct], Json] = {
    Prediction: {
        "if": _COMPLETED,
        "then": {
            "required": ["outputs"],
            "properties": {"outputs": {"type": "array", "minItems": 1}},
        },
        "else": {"properties": {"outputs": {"maxItems": 0}}},
    },
    Output: {
        "anyOf": [
            _given("score", "number"),
            _given("positive", "boolean"),
            _given("value", "number"),
        ]
    },
    Command: {
        "anyOf": [
            _given("incident", "string"),
            {
                "required": ["matchers"],
                "properties": {"matchers": {"type": "object", "minProperties": 1}},
            },
        ]
    },
}


def document(message: type[Message]) -> Json:
    """The schema of one wire type as a document of its own."""
    schemas = components((message,), "#/$defs/{name}")
    root = schemas.pop(message.__name__)
    identity = {"$schema": DIALECT, "$id": f"urn:{tag(message).replace('.', ':')}"}
    return identity | root | ({"$defs": schemas} if schemas else {})


def components(messages: tuple[type[Message], ...], ref_template: str) -> dict[str, Json]:
    """The schemas of wire types and of all structs inside them, by the structs' names."""
    _, schemas = msgspec.json.schema_components(messages, ref_template=ref_template)
    structs = {struct.__name__: struct for struct in _structs(messages)}
    return {name: _complete(schemas[name], structs[name]) for name in sorted(schemas)}


def _structs(messages: tuple[type[Struct], ...]) -> set[type[Struct]]:
    found: set[type[Struct]] = set()
    for message in messages:
        for kind in shape.kinds_of(message):
            _collect(kind, found)
    return found


def _collect(kind: msgspec.inspect.Type, found: set[type[Struct]]) -> None:
    match kind:
        case msgspec.inspect.StructType(cls=cls, fields=fields):
            found.add(cls)
            for field in fields:
                _collect(field.type, found)
        case msgspec.inspect.UnionType(types=kinds):
            for one in kinds:
                _collect(one, found)
        case msgspec.inspect.ListType(item_type=item) | msgspec.inspect.DictType(value_type=item):
            _collect(item, found)


def _complete(schema: Json, struct: type[Struct]) -> Json:
    docs = field_docs(struct)
    properties = {
        name: _portable(inner) | ({"description": docs[name]} if name in docs else {})
        for name, inner in schema["properties"].items()
    }
    described = {"title": struct.__name__, "description": struct_doc(struct)}
    return schema | described | {"properties": properties} | _RULES.get(struct, {})


def _portable(schema: Any) -> Any:
    """Patterns as every reader of JSON Schema understands them; times by the letter."""
    if isinstance(schema, list):
        return [_portable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _portable(value) for key, value in schema.items()}
    if inner.get("format") == "date-time":
        inner["pattern"] = _TIME
    elif "pattern" in inner:
        inner["pattern"] = shape.plain_pattern(inner["pattern"])
    return inner
