"""Messages drawn from the structs themselves: any that fits, and the same a little changed."""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from schemas import shape
from schemas.command import Command
from schemas.messages import EVENTS, Event
from schemas.prediction import Output, Prediction

Json = dict[str, Any]
FEW = 4  # items in a drawn list or map: enough to be none, one or several
TEXTS = st.text(max_size=12)
# What stands in the wrong place. No text that is nearly a time: those have a table of their own.
ODDITIES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.sampled_from([0, 1, -1, 2**53 - 1, 2**53, 2**70, 151, 1e30, 1.1e30, -0.0, 0.5, 1.0, 1e9]),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    st.sampled_from(["", "north", "North", "n" * 33, "x" * 129, "x" * 257, "\U0001f600" * 128]),
    st.just([]),
    st.just({}),
    st.lists(TEXTS, max_size=2),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
    st.just([{"finding": "a", "score": 0.5}] * 65),
    st.just({str(n): n for n in range(65)}),
)
# In the first and last year that is taken, an offset may move a time out of the calendar.
TIMES = st.builds(
    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{}".format,
    st.integers(1901, 2998),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
    st.sampled_from(["", ".5", ".123456", ".12345678901"]),
    st.sampled_from(["Z", "z", "+00:00", "-11:30", "+23:59"]),
)
PLAIN: dict[type[inspect.Type], st.SearchStrategy[Any]] = {
    inspect.DateTimeType: TIMES,
    inspect.BoolType: st.booleans(),
    inspect.NoneType: st.none(),
}


def _settle_outputs(prediction: Json) -> Json:
    if prediction["status"] != "completed":
        return prediction | {"outputs": None}
    return prediction | {"outputs": prediction.get("outputs") or [{"finding": "a", "score": 0.5}]}


def _give_something(output: Json) -> Json:
    given = any(output.get(name) is not None for name in ("score", "positive", "value"))
    return output if given else output | {"positive": True}


def _aim(command: Json) -> Json:
    aimed = command.get("incident") is not None or command.get("matchers")
    return command if aimed else command | {"incident": "i-1"}


RULES: dict[type, Callable[[Json], Json]] = {
    Prediction: _settle_outputs,
    Output: _give_something,
    Command: _aim,
}


def good_events() -> st.SearchStrategy[Json]:
    """JSON objects that are events of any of the four types."""
    return st.one_of(map(good, EVENTS))


def good(event: type[Event]) -> st.SearchStrategy[Json]:
    return _values(*shape.kinds_of(event))


def _values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.StructType():
            return _objects(kind)
        case inspect.UnionType(types=kinds):
            return st.one_of(map(_values, kinds))
        case inspect.ListType(item_type=item):
            return st.lists(_values(item), max_size=FEW)
        case inspect.DictType(key_type=key, value_type=item):
            return st.dictionaries(_values(key), _values(item), max_size=FEW)
        case inspect.LiteralType(values=choices):
            return st.sampled_from(choices)
    return _scalars(kind)


def _scalars(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(shape.plain_pattern(pattern), fullmatch=True)
        case inspect.StrType(min_length=least):
            return st.text(min_size=least or 0, max_size=12)
        case inspect.IntType(ge=least, le=most):
            return st.integers(least, most)
        case inspect.FloatType(gt=above, ge=least, le=most):
            lowest = least if above is None else math.nextafter(above, math.inf)
            return st.floats(lowest, most, allow_nan=False, allow_infinity=False)
    return PLAIN[type(kind)]


def _objects(kind: inspect.StructType) -> st.SearchStrategy[Json]:
    required = {field.encode_name: _values(field.type) for field in kind.fields if field.required}
    optional = {
        field.encode_name: _values(field.type) for field in kind.fields if not field.required
    }
    if kind.tag_field is not None:
        required[kind.tag_field] = st.just(kind.tag)
    drawn = st.fixed_dictionaries(required, optional=optional)
    return drawn.map(RULES[kind.cls]) if kind.cls in RULES else drawn


@st.composite
def changed_events(draw: st.DrawFn) -> Json:
    """Good events with one or two things changed, which may well leave them good."""
    event = deepcopy(draw(good_events()))
    for _ in range(draw(st.integers(1, 2))):
        _change(draw, event)
    return event


def _change(draw: st.DrawFn, tree: Any) -> None:
    """Somewhere in the tree a value is replaced, taken away or added."""
    places = range(len(tree)) if isinstance(tree, list) else sorted(tree)
    if not places:
        return
    place = draw(st.sampled_from(places))
    inside = tree[place]
    if isinstance(inside, dict | list) and inside and draw(st.booleans()):
        _change(draw, inside)
    elif draw(st.integers(0, 3)):
        tree[place] = deepcopy(draw(ODDITIES))
    elif isinstance(tree, list) or draw(st.booleans()):
        del tree[place]
    else:
        tree[draw(TEXTS)] = deepcopy(draw(ODDITIES))
