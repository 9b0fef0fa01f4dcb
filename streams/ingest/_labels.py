"""What a report says by its codes and what it says in words, together."""

from collections.abc import Iterable, Mapping

from schemas.report import Label
from streams.ingest.labeller.combine import NO_FINDING

_MOST = 64  # of the wire


def together(coded: Mapping[str, Label], read: Iterable[Label]) -> list[Label] | None:
    """Codes go before words; words that find nothing are not told beside a code that does."""
    found = {**coded, **{label.finding: label for label in read if label.finding not in coded}}
    is_found = any(one.value == "present" for name, one in coded.items() if name != NO_FINDING)
    if is_found and NO_FINDING not in coded and NO_FINDING in found:
        del found[NO_FINDING]
    return list(found.values())[:_MOST] or None
