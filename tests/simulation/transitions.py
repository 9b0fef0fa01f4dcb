"""What a pipeline published, in the words of the oracle."""

from collections.abc import Iterable

from schemas.incident import Incident
from schemas.outcome import Outcome
from tests.simulation.oracle import Expected, microseconds
from tests.simulation.oracle_incidents import Transition

OUTAGES = ("missing_output", "failed_output", "incomplete_output")
_STEPS = {
    "opened": "opened",
    "updated": "updated",
    "recovering": "recovering",
    "recurred": "recurred",
    "recovered": "recovered",
}


def outcomes(effects: Iterable[object]) -> list[Expected]:
    """Every outcome, in the order of publication."""
    return [
        Expected(
            effect.site,
            effect.study,
            effect.model,
            effect.outcome,
            microseconds(effect.due),
            microseconds(effect.at),
            effect.revision,
        )
        for effect in effects
        if isinstance(effect, Outcome)
    ]


def transitions(effects: Iterable[object]) -> list[Transition]:
    """The steps of every missing, failed and incomplete episode, in the order of publication."""
    numbers: dict[str, int] = {}
    counts: dict[tuple[str, str, str], int] = {}
    steps = []
    for effect in effects:
        if not isinstance(effect, Incident) or effect.kind not in OUTAGES:
            continue
        if effect.state == "pending" or effect.reason not in _STEPS:
            continue
        key = (effect.kind, effect.site, effect.model or "")
        if effect.incident not in numbers:
            numbers[effect.incident] = counts[key] = counts.get(key, 0) + 1
        steps.append(
            Transition(
                *key,
                numbers[effect.incident],
                _STEPS[effect.reason],
                microseconds(effect.at),
                effect.evidence.affected_count or 0,
            )
        )
    return steps
