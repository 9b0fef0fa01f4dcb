"""What a newer JSON Schema takes away from those who rely on an older one.

A consumer may have been built on any part of it: only optional fields and words may be added.
"""

from typing import Any

WORDS = {"title", "description"}
DEFINITIONS = {"$defs"}  # of what a new optional field consists


def broken_promises(old: Any, new: Any, path: str = "$") -> list[str]:
    """The paths at which something else changed than optional fields and words being added."""
    if isinstance(old, dict) and isinstance(new, dict):
        return _in_object(old, new, path)
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [
            broken for index, pair in pairs for broken in broken_promises(*pair, f"{path}[{index}]")
        ]
    return [] if old == new else [path]


def _in_object(old: dict[str, Any], new: dict[str, Any], path: str) -> list[str]:
    may_grow = path.endswith((".properties", ".$defs"))
    added = (
        []
        if may_grow
        else [f"{path}.{name}" for name in new.keys() - old.keys() - WORDS - DEFINITIONS]
    )
    removed = [f"{path}.{name}" for name in old.keys() - new.keys()]
    kept = old.keys() & new.keys()
    names = kept if may_grow else kept - WORDS  # a field may well be called title
    changed = [
        broken
        for name in sorted(names)
        for broken in broken_promises(old[name], new[name], f"{path}.{name}")
    ]
    return sorted(added + removed) + changed
