"""What happened to a series, as a finding: which kind of drift, how bad, in which words."""

import re

from schemas.config import Model
from schemas.fields import Severity
from schemas.incident import Evidence, IncidentKind
from streams.clock import from_us, seconds_to_us
from streams.finding import Finding, Signal
from streams.quality.missing import PREFIX as MISSING_FIELD
from streams.series.change import Change, NewWord
from streams.series.seen import Moved, SeriesId, SeriesKind
from streams.series.votes import MIXTURE

_DURATIONS = frozenset({"turnaround_s", "report_turnaround_s", "inference_s"})
_LONG_UNITS = (("days", 86_400), ("h", 3_600), ("min", 60))
_READABLE = 1e9
_MOST_DIGITS = 9
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
    """By what a series says: of inputs, of outputs, or of how good either are."""
    _, model, subject = key
    if not model:
        return "data_quality" if subject.startswith(MISSING_FIELD) else "input_drift"
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


def levels_of(subject: str, kind: SeriesKind, change: Change) -> str:
    """Before and after, in the words of a title: means of numbers, shares of all else."""
    before, after = change.before, change.after
    if kind != "number":
        return f"{_from_to(100 * before, 100 * after, 3)} %"
    if subject not in _DURATIONS:
        return _from_to(before, after, 4)
    longest_s = max(before, after)
    unit, unit_s = next((one for one in _LONG_UNITS if longest_s >= 2 * one[1]), ("s", 1))
    return f"{_from_to(before / unit_s, after / unit_s, 3)} {unit}"


def _from_to(before: float, after: float, digits_n: int) -> str:
    """With so many digits, or as many more as tell the one from the other.

    >>> _from_to(0.148, 0.139, 4), _from_to(0.148, 0.14804, 4)
    ('from 0.148 to 0.139', 'from 0.148 to 0.14804')
    """
    while digits_n < _MOST_DIGITS and _number(before, digits_n) == _number(after, digits_n):
        digits_n += 1
    return f"from {_number(before, digits_n)} to {_number(after, digits_n)}"


def _number(value: float, digits_n: int) -> str:
    """With all digits before the point, without an exponent, as long as it is readable."""
    before_point_n = len(f"{abs(value):.0f}") if abs(value) < _READABLE else 0
    return f"{value + 0.0:.{max(digits_n, before_point_n)}g}"  # -0.0 is 0


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
    levels = levels_of(key[2], kind, change)
    if kind == "word":
        return f"{_whose(key)} has another mixture{_moved(key, change.moved)}"
    if kind == "number" and change.detector == MIXTURE:
        return f"{_whose(key)} has another mixture: mean {levels}"
    return f"{_whose(key)} moved {levels}"


def _moved(key: SeriesId, moved: Moved | None) -> str:
    if moved is None:
        return ""
    if moved.word is None:
        which = "rare or new values"
    else:
        which = moved.word if is_tellable(key, moved.word) else "one value"
    return f": {which} {_from_to(100 * moved.before, 100 * moved.after, 3)} %"


def _whose(key: SeriesId) -> str:
    site, model, subject = key
    return f"{subject[:80]} of {model[:40]} at {site}" if model else f"{subject[:120]} at {site}"
