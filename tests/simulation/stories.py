"""Stories of a few studies in words, for tables: `complete@0 done@50>60`.

A word is an event: what happens, `@` its own stamp in seconds, `>` when it arrives if that is not
the same moment, and before it, with a dot, which study if not `a`. The one model `m` has 100 s for
routine, 40 s for urgent and 10 s for stat studies of the CHEST and owes the findings f and g. 60 s
of lateness are granted, a stamp may be 300 s ahead, and an incident holds for 30 s.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.config import Config, Deadlines, Model, Outage
from schemas.incident_settings import IncidentSettings
from schemas.prediction import Output, Prediction
from schemas.study import Expectation, Study

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORD = re.compile(r"(?:(\w)\.)?(\w+)@(-?\d+)(?:>(-?\d+))?")
HOLD = Outage(hold_s=30)
CONFIG = Config(
    incidents=IncidentSettings(reopen_s=0, flapping_cycles=50, flapping_s=60),
    models=[
        Model(
            name="m",
            applies={"body_part": ["CHEST"]},
            deadline_s=Deadlines(routine=100, urgent=40, stat=10),
            findings=("f", "g"),
            missing=HOLD,
            failed=HOLD,
            incomplete=HOLD,
        )
    ],
)

_STUDIES: dict[str, dict[str, Any]] = {
    "received": {"state": "received"},
    "stable": {"state": "stable"},
    "complete": {},
    "urgent": {"priority": "urgent"},
    "stat": {"priority": "stat"},
    "cancel": {"state": "cancelled"},
    "hand": {"body_part": "HAND"},
    "blank": {"body_part": None},
    "promise": {"expects": [Expectation(model="m", deadline_s=30)]},
    "nobody": {"expects": []},
    "other": {"expects": [Expectation(model="n", deadline_s=30)]},
}
_OUTPUTS = [Output(finding=finding, score=0.5) for finding in ("f", "g")]
_ANSWERS: dict[str, dict[str, Any]] = {
    "done": {"outputs": _OUTPUTS},
    "part": {"outputs": _OUTPUTS[:1]},
    "failed": {"status": "failed"},
    "rejected": {"status": "rejected"},
    "inapplicable": {"status": "not_applicable"},
    "withdrawn": {"status": "cancelled"},
    "shadow": {"outputs": _OUTPUTS, "role": "shadow"},
    "stranger": {"outputs": _OUTPUTS, "model": "n"},
}


def at(seconds: int) -> datetime:
    """The moment of a story's second."""
    return _EPOCH + timedelta(seconds=seconds)


def story(words: str) -> list[tuple[Study | Prediction, int]]:
    """The (event, arrived_us) of the words, in the order of arrival."""
    arrivals = [_arrival(*_WORD.fullmatch(word).groups()) for word in words.split()]  # type: ignore[union-attr]
    return sorted(arrivals, key=lambda arrival: arrival[1])


def _arrival(
    study: str | None, what: str, seconds: str, arrived: str | None
) -> tuple[Study | Prediction, int]:
    common: dict[str, Any] = {"site": "s", "study": study or "a", "at": at(int(seconds))}
    arrived_us = int(arrived or seconds) * 1_000_000
    if what in _STUDIES:
        facts = {"modality": "DX", "body_part": "CHEST", **_STUDIES[what]}
        return Study(**common, **facts), arrived_us
    answer = {"model": "m", "model_version": "1", "status": "completed", **_ANSWERS[what]}
    return Prediction(**common, **answer), arrived_us
