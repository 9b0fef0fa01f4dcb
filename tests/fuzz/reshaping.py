"""JSON that is broken in what it says, not in how it is written."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    2**63,
    "",
    " ",
    "completed",
    "9999-12-31T23:59:60Z",
    "2026-02-30",
    "urn:oid:1.2.826.0.1.3680043.999.1",
    "\u202e\ud800\0",
    "A" * 70_000,
    [],
    {},
    [[None]],
    [{}] * 2_000,
)


def reshaped(chance: Random, content: bytes) -> bytes:
    """In JSON a value is missing, another, of another type, or where it does not belong.

    What is no JSON stays as it is.
    """
    try:
        tree = json.loads(content)
        places = list(_places(tree))
    except (ValueError, RecursionError):
        return content
    if not places:
        return content
    inside, key = chance.choice(places)
    way = chance.randrange(4)
    if way == 0:
        del inside[key]
    elif way == 1:
        other, where = chance.choice(places)
        inside[key] = json.loads(json.dumps(other[where]))
    elif way == 2 and isinstance(inside, list):
        inside += inside[key : key + 1] * chance.choice((1, 2, 300))
    else:
        inside[key] = chance.choice(_VALUES)
    return json.dumps(tree).encode()


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Of each value within: what it is in, and by which key or index."""
    waiting = [tree]
    while waiting:
        inside = waiting.pop()
        keys = inside if isinstance(inside, dict) else range(len(inside))
        for key in keys:
            yield inside, key
            if isinstance(inside[key], dict | list):
                waiting.append(inside[key])
