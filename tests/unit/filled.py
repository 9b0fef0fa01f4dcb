"""A struct with every field filled, from its types alone: no default hides a field."""

from itertools import count
from typing import Any

import msgspec
from msgspec import inspect


def filled(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """As plain values; numbers and words differ from one another, so no two can be confused."""
    made = _value(inspect.type_info(struct), count(1))
    assert isinstance(made, dict | list)
    return msgspec.to_builtins(msgspec.convert(made, struct))  # type: ignore[no-any-return]


def _value(kind: inspect.Type, numbers: "count[int]") -> Any:  # noqa: PLR0911, PLR0912, C901
    match kind:
        case inspect.StructType(array_like=True):
            return [_value(field.type, numbers) for field in kind.fields]
        case inspect.StructType():
            return {f.encode_name: _value(f.type, numbers) for f in kind.fields}
        case inspect.TupleType():
            return [_value(item, numbers) for item in kind.item_types]
        case inspect.NamedTupleType():
            return [_value(field.type, numbers) for field in kind.fields]
        case inspect.CollectionType():
            return [_value(kind.item_type, numbers)]
        case inspect.DictType():
            return {_value(kind.key_type, numbers): _value(kind.value_type, numbers)}
        case inspect.UnionType():
            return _value(next(t for t in kind.types if t != inspect.NoneType()), numbers)
        case inspect.LiteralType():
            return kind.values[-1]
        case inspect.EnumType():
            return [*kind.cls][-1].value
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return next(numbers)
        case inspect.FloatType():
            return next(numbers) + 0.25 if kind.le is None else kind.le / 4
        case inspect.StrType():
            return f"w{next(numbers)}"
        case inspect.BytesType():
            return b"b%d" % next(numbers)
        case inspect.DateTimeType():
            return f"2026-03-01T12:00:{next(numbers) % 60:02}Z"
        case inspect.AnyType() | inspect.CustomType():
            return f"w{next(numbers)}"
        case _:
            raise NotImplementedError(kind)
