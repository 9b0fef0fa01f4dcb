"""From each thing a report says to one value for each finding."""

from collections.abc import Iterable, Iterator, Set

from streams.ingest.labeller.language import Said
from streams.ingest.labeller.scope import Value

NO_FINDING = "no_finding"
_RANK: dict[Value, int] = {"present": 2, "uncertain": 1, "absent": 0}


def combined(
    said: Iterable[Said], hidden: Set[str], normal: Set[str]
) -> Iterator[tuple[str, Said]]:
    """Sorted by finding. The impression goes before the rest, then present, uncertain, absent."""
    found: dict[str, Said] = {}
    for one in said:
        known = found.get(one.finding)
        if known is None or _weight(one) > _weight(known):
            found[one.finding] = one
    told = found.pop(NO_FINDING, None)
    derived = _no_finding([one for name, one in found.items() if name not in normal], told)
    if derived is not None:
        found[NO_FINDING] = derived
    return ((name, one) for name, one in sorted(found.items()) if name not in hidden)


def _weight(one: Said) -> tuple[bool, int]:
    return one.section == "impression", _RANK[one.value]


def _no_finding(others: list[Said], told: Said | None) -> Said | None:
    """Present if all that is spoken of is absent, or if the report says so in general."""
    most = max(others, key=lambda one: _RANK[one.value], default=None)
    if most is None or (most.value == "absent" and told is not None):
        return told
    opposite: dict[Value, Value] = {"present": "absent", "absent": "present"}
    value = opposite.get(most.value, most.value)
    return Said(NO_FINDING, value, most.section, f"derived/{most.rule}")
