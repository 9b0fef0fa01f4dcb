"""What a reading room reads. Times are UTC: it is the same instant on every screen."""

from datetime import UTC, datetime

from schemas.outcome import Outcome, OutcomeKind

SAID: dict[OutcomeKind, str] = {
    "on_time": "came",
    "late": "came late",
    "missing": "did not come",
    "failed": "failed",
    "incomplete": "came without all of its findings",
    "rejected": "was rejected: the model cannot use the images",
    "not_applicable": "will not come: the model does not apply to this study",
    "cancelled": "was cancelled",
}
WILL_COME = frozenset({"on_time", "late"})
"""Outcomes with a result that is whole."""


def sentence(told: Outcome) -> str:
    """One sentence, without the study: that stands beside it."""
    when = f"due {_clock(told.due)}"
    if told.outcome in WILL_COME or told.outcome == "incomplete":
        when += f", came {_clock(told.at)}"
    elif told.outcome == "missing":
        when += "; it may come late"
    return f"AI result of {told.model} {SAID[told.outcome]} ({when})"


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
