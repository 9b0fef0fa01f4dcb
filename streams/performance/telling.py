"""What was shown of a model's performance, as a finding with its words and numbers."""

from math import exp

from msgspec.structs import replace

from detectors.calibration_sr import SHIFTS
from schemas.config import Model
from schemas.incident import Evidence
from streams.clock import from_us
from streams.finding import Finding
from streams.performance.diagnosis import Cause, causes
from streams.performance.table import Estimate, Table
from streams.performance.watch import Shown, Watch

_LONGEST_TITLE = 200  # as on the wire
_WORDS = {
    "sensitivity": "sensitivity",
    "min_ppv": "PPV",
    "max_for": "false omission rate",
    "min_sensitivity": "sensitivity",
}


def finding_of(shown: Shown, watch: Watch, model: Model | None, at_us: int) -> Finding:
    """Concluded at `at_us`, when the study was read that showed it."""
    site, name, finding = watch.key
    verdict, subject = shown.verdict, shown.watched.subject
    now = watch.since(verdict.since_us)
    reference = watch.reference
    named = causes(reference.table, now) if reference else ()
    before, after = _levels(shown, watch, now)
    worse = verdict.word == "worse"
    whose = f"{finding[:60]} of {name[:40]} at {site}"
    told = _told(shown, before, after, named) if worse else _back(subject)
    return Finding(
        signal="holds" if worse else "eased",
        kind="calibration_drift" if subject == "calibration" else "performance_drift",
        site=site,
        model=name,
        subject=f"{finding}.{subject}",
        at_us=at_us,
        title=f"{whose}: {told}",
        severity="warning" if shown.watched.limit is None else "error",
        evidence=Evidence(
            detector="calibration_sr" if subject == "calibration" else "weighted_bet",
            statistic=verdict.statistic,
            threshold=verdict.threshold,
            reference_n=reference.studies_n if reference else None,
            current_n=now.studies_n or None,
            before=before,
            after=after,
            since=from_us(verdict.since_us),
            diagnosis=list(named) or None,
        ),
        owner=model.owner if model else None,
        runbook=model.runbook if model else None,
    )


def diagnosed(finding: Finding, named: tuple[Cause, ...]) -> Finding:
    """The same with what explains it, in its title where there is room."""
    if not named:
        return finding
    title = f"{finding.title} ({' or '.join(named)})"
    return replace(
        finding,
        title=title if len(title) <= _LONGEST_TITLE else finding.title,
        evidence=replace(finding.evidence, diagnosis=list(named)),
    )


def ended_of(watch: Watch, subject: str, model: Model | None, at_us: int) -> Finding:
    """Another version answers: what was shown of the one before is over."""
    site, name, finding = watch.key
    return Finding(
        signal="eased",
        kind="calibration_drift" if subject == "calibration" else "performance_drift",
        site=site,
        model=name,
        subject=f"{finding}.{subject}",
        at_us=at_us,
        title=f"{finding[:60]} of {name[:40]} at {site}: {_WORDS.get(subject, subject)} "
        "is learnt anew",
        severity="warning",
        owner=model.owner if model else None,
        runbook=model.runbook if model else None,
    )


def _levels(shown: Shown, watch: Watch, now: Table) -> tuple[float, float]:
    """Before and after, as shares; for calibration the shift of the log odds."""
    subject, limit = shown.watched.subject, shown.watched.limit
    if subject == "calibration":
        return 0.0, SHIFTS[shown.verdict.bet] if shown.verdict.word == "worse" else 0.0
    after = {"min_ppv": now.ppv, "max_for": now.false_omission}.get(subject, now.sensitivity)()
    if limit is not None:
        return limit, _share(after)
    assert watch.reference is not None
    return _share(watch.reference.table.sensitivity()), _share(after)


def _told(shown: Shown, before: float, after: float, named: tuple[Cause, ...]) -> str:
    subject, limit = shown.watched.subject, shown.watched.limit
    why = f" ({' or '.join(named)})" if named else ""
    if subject == "calibration":
        often = "more" if after > 0 else "less"
        return f"present {often} often than its score says, odds x {exp(after):.2g}{why}"
    word = _WORDS[subject]
    if limit is None:
        return f"{word} fell from {before:.2f} to {after:.2f}{why}"
    side = "above" if subject == "max_for" else "below"
    return f"{word} {after:.2g} is {side} its limit of {limit:g}{why}"


def _back(subject: str) -> str:
    if subject == "calibration":
        return "scores mean again what they meant"
    within = " within its limit" if subject not in ("sensitivity",) else ""
    return f"{_WORDS[subject]} is back{within}"


def _share(estimate: Estimate) -> float:
    return 1 / (1 + exp(-estimate.log_odds))
