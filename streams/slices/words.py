"""What is told of a series whose slices are watched: one finding, whoever of them moved."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from schemas.config import Model
from schemas.fields import Severity
from schemas.incident import Slice
from streams.finding import Finding, Signal
from streams.series.change import Change
from streams.series.drift_finding import drift_finding, is_tellable, levels_of
from streams.series.seen import SeriesId, SeriesKind
from streams.slices.explained import Explanation

_LONGEST, _LONGEST_TITLE = 60, 200
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
    why: Explanation,
    model: Model | None,
    promised: bool,
) -> Finding:
    """`change` is that of the slice `shown`; `why` is what explains it."""
    severity: Severity = "warning" if promised else "info"
    found = drift_finding(key, kind, change, model=model, severity=severity)
    assert found is not None
    title = found.title
    if signal in ("holds", "changed"):
        if shown:
            title = _title_of_slice(key, kind, change, shown, why)
        else:
            moved = drift_finding(
                key, kind, _of_moved(key, change, why), model=model, severity="info"
            )
            assert moved is not None
            where = _where(why)
            title = moved.title[: _LONGEST_TITLE - len(where)] + where
    evidence = replace(found.evidence, slices=list(why.slices) or None)
    return replace(found, signal=signal, title=title[:_LONGEST_TITLE], evidence=evidence)


def placed(found: Finding, slices: Sequence[Slice]) -> Finding:
    """A finding of what came from these slices alone."""
    if not slices:
        return found
    where = f", all in {tellable(slices[0].slice)}"
    title = found.title[: _LONGEST_TITLE - len(where)] + where
    return replace(found, title=title, evidence=replace(found.evidence, slices=[*slices]))


def _title_of_slice(
    key: SeriesId, kind: SeriesKind, change: Change, shown: str, why: Explanation
) -> str:
    site, model, subject = key
    named = [one.slice for one in why.slices]
    more = _more(len(named) - 1) if shown in named else ""
    where = "" if shown in named else _where(why)
    levels = levels_of(subject, kind, change)
    whose = f"{subject[:50]} of {model[:30]}" if model else subject[:80]
    moved = f"{whose} at {site} moved in {tellable(shown)}{more} {levels}"
    return moved[: _LONGEST_TITLE - len(where)] + where


def _of_moved(key: SeriesId, change: Change, why: Explanation) -> Change:
    """Told of the word that the rows show, if it may be told: a new one has a name."""
    moved = why.moved
    if moved is None or not is_tellable(key, moved.word or ""):
        return change
    return replace(change, moved=moved)


def _where(why: Explanation) -> str:
    """The end of a title: whom the rows name, or else what came in other shares."""
    if why.slices:
        return f", mostly in {tellable(why.slices[0].slice)}{_more(len(why.slices) - 1)}"
    return f"; other shares of {', '.join(why.mix)[:_LONGEST]}" if why.mix else ""


def _more(others_n: int) -> str:
    return f" and {others_n} more" if others_n else ""


def tellable(slice_: str) -> str:
    """A slice as it may stand in a title, at most about 90 characters."""
    path, _, value = slice_.partition("=")
    told = _TECHNICAL.fullmatch(value) and not _LONG_WORD.search(value)
    return f"{path[:_LONGEST]}={value}" if told else f"one {path[:_LONGEST]}"
