"""What is told of a series whose slices are watched: one finding, whoever of them moved."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from schemas.config import Model
from schemas.fields import Severity
from schemas.incident import Slice
from streams.change import Change
from streams.drift_finding import drift_finding, levels_of
from streams.finding import Finding, Signal
from streams.seen import SeriesId, SeriesKind

_LONGEST = 60
# A configured field may still hold somebody's words: told is what looks like a machine's name.
_TECHNICAL = re.compile(r"[A-Za-z0-9._+ -]{1,32}")
_LONG_WORD = re.compile(r"[A-Za-z]{13}")


def folded_finding(
    key: SeriesId,
    kind: SeriesKind,
    change: Change,
    signal: Signal,
    *,
    shown: str,
    slices: Sequence[Slice],
    mix: Sequence[str],
    model: Model | None,
    promised: bool,
) -> Finding:
    """`change` is that of the slice `shown`; `slices` explain it, `mix` came in other shares."""
    severity: Severity = "warning" if promised else "info"
    found = drift_finding(key, kind, change, model=model, severity=severity)
    assert found is not None
    title = found.title
    if signal in ("holds", "changed"):
        title = _title(key, kind, change, shown, slices, mix) or title
    evidence = replace(found.evidence, slices=list(slices) or None)
    return replace(found, signal=signal, title=title[:200], evidence=evidence)


def _title(
    key: SeriesId,
    kind: SeriesKind,
    change: Change,
    shown: str,
    slices: Sequence[Slice],
    mix: Sequence[str],
) -> str | None:
    """None for the words of the whole."""
    site, model, subject = key
    whose = f"{subject[:50]} of {model[:30]} at {site}"
    levels = levels_of(subject, kind, change)
    if shown:
        others_n = sum(one.slice != shown for one in slices)
        more = f" and {others_n} more" if others_n else ""
        return f"{whose} moved in {tellable(shown)}{more} {levels}"
    if slices:
        more = f" and {len(slices) - 1} more" if len(slices) > 1 else ""
        return f"{whose} moved {levels}, mostly in {tellable(slices[0].slice)}{more}"
    if mix:
        return f"{whose} moved {levels}; other shares of {', '.join(mix)[:_LONGEST]}"
    return None


def tellable(slice_: str) -> str:
    """A slice as it may stand in a title, at most about 90 characters."""
    path, _, value = slice_.partition("=")
    told = _TECHNICAL.fullmatch(value) and not _LONG_WORD.search(value)
    return f"{path[:_LONGEST]}={value}" if told else f"one {path[:_LONGEST]}"
