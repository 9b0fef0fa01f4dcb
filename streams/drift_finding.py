"""What happened to a series, as a finding: which kind of drift, how bad, in which words."""

import re

from schemas.config import Model
from schemas.fields import Severity
from schemas.incident import Evidence, IncidentKind
from streams.change import Change, NewWord
from streams.clock import from_us, seconds_to_us
from streams.finding import Finding, Signal
from streams.seen import SeriesId, SeriesKind

_NEWS_EVERY_US = seconds_to_us(3_600)
_PERFORMANCE = frozenset({"ppv", "for", "sensitivity", "call_rate", "disagree"})
_OWN_NAMES = ("features.", "acquisition.", "attributes.")  # whoever sends them names them
# Fields that describe machines; their values are told, unless they look like a person's words.
_TECHNICAL = frozenset(
    {
        "scanner.software",
        "scanner.model",
        "scanner.manufacturer",
        "modality",
        "view",
        "body_part",
        "acquisition.kernel",
    }
)
_TECHNICAL_WORD = re.compile(r"[A-Za-z0-9._+ -]{1,24}")
_LONG_WORD = re.compile(r"[A-Za-z]{13}")


def drift_kind(key: SeriesId) -> IncidentKind:
    """By what a series says: of inputs, of outputs, or of how good the outputs are."""
    _, model, subject = key
    if not model:
        return "input_drift"
    tail = "" if subject.startswith(_OWN_NAMES) else subject.rpartition(".")[2]
    if tail in _PERFORMANCE:
        return "performance_drift"
    return "calibration_drift" if tail == "calibration" else "output_drift"


def drift_finding(
    key: SeriesId,
    kind: SeriesKind,
    change: Change,
    *,
    model: Model | None,
    severity: Severity,
) -> Finding | None:
    """What is to be told of a change.

    None for a second alarm: it is told when it is known whether it is a return or another change.
    """
    signal = _signal(change)
    if signal is None:
        return None
    site, model_name, subject = key
    is_over = change.what == "ended"
    return Finding(
        signal=signal,
        kind=drift_kind(key),
        site=site,
        model=model_name or None,
        subject=subject,
        at_us=change.at_us,
        title=_title(key, kind, change),
        severity=severity,
        evidence=Evidence(since=from_us(change.since_us)) if is_over else _evidence(change),
        owner=model.owner if model else None,
        runbook=model.runbook if model else None,
    )


def new_value_finding(key: SeriesId, new: NewWord, model: Model | None) -> Finding:
    """A word never seen before, or that it is no longer new: a notice, never an alarm."""
    site, model_name, subject = key
    word = f": {new.word}" if is_tellable(key, new.word) else ""
    told = (
        f"{_whose(key)} has a value never seen before{word}"
        if new.holds
        else f"{_whose(key)} has no new values any more"
    )
    return Finding(
        signal="holds" if new.holds else "eased",
        kind="new_value",
        site=site,
        model=model_name or None,
        subject=subject,
        at_us=new.at_us,
        since_us=new.since_us,
        title=told,
        severity="info",
        evidence=Evidence(
            reference_n=new.reference_n,
            affected_count=new.n,
            since=from_us(new.since_us),
        ),
        update_us=_NEWS_EVERY_US,
        owner=model.owner if model else None,
        runbook=model.runbook if model else None,
    )


def is_tellable(key: SeriesId, word: str) -> bool:
    """Whether a value may stand in a title: of a technical field, and short as such are.

    >>> is_tellable(("north", "", "scanner.software"), "VE10A")
    True
    >>> is_tellable(("north", "", "procedure"), "VE10A")
    False
    """
    _, model, subject = key
    return (
        not model
        and subject in _TECHNICAL
        and _TECHNICAL_WORD.fullmatch(word) is not None
        and _LONG_WORD.search(word) is None
    )


def levels_of(kind: SeriesKind, change: Change) -> str:
    """Before and after, in the words of a title: means of numbers, shares of all else."""
    if kind == "number":
        return f"from {change.before:.4g} to {change.after:.4g}"
    return f"from {100 * change.before:.3g} to {100 * change.after:.3g} %"


def _signal(change: Change) -> Signal | None:
    if change.what == "alarm":
        return None if change.again else "holds"
    if change.what == "returned":
        return "returned"
    if change.what == "ended":
        return "eased"
    return "changed" if change.again else "holds"


def _evidence(change: Change) -> Evidence:
    return Evidence(
        detector=change.detector,
        statistic=change.statistic,
        threshold=change.threshold,
        reference_n=change.reference_n,
        current_n=change.current_n,
        before=change.before,
        after=change.after,
        since=from_us(change.since_us),
    )


def _title(key: SeriesId, kind: SeriesKind, change: Change) -> str:
    if change.what == "returned":
        return f"{_whose(key)} is back at its reference"
    if change.what == "ended":
        return f"{_whose(key)} is learnt anew"
    levels = levels_of(kind, change)
    if kind != "word":
        return f"{_whose(key)} moved {levels}"
    word = change.word or ""
    which = word if is_tellable(key, word) else "its usual value"
    return f"{_whose(key)} has another mixture: {which} {levels}"


def _whose(key: SeriesId) -> str:
    site, model, subject = key
    return f"{subject[:80]} of {model[:40]} at {site}" if model else f"{subject[:120]} at {site}"
